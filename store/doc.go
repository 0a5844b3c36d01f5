// Package store keeps what must outlive the process: three Badger directories
// behind typed tables. It knows keys, bytes and transactions and no domain; each
// package owns the type of its rows and opens its own Table.
//
// The spaces differ in their promise. A write to config or records is on the
// disk before it is acknowledged; one to live survives a killed process at once
// and a power cut after at most a second. In all three, writers share commits.
// Beside them lies a Daybook, with the promise of live, for what is written often
// and needed only if the process dies.
//
// Ordering: the transactions of a space run one after another in the order of
// submission; watchers hear of a commit before the writers do, and writers in
// order. Between spaces there is no order and no common transaction.
//
// Nothing here depends on the wall clock but the expiry of rows that have one:
// keys are numbers of a sequence or given by the caller.
//
//	db, err := store.Open(store.Config{Dir: "/var/lib/cordpair"})
//	phones := store.NewTable(db.Config(), store.Phones, 1, store.Index[Phone]{
//		Name: "user", Unique: true,
//		Keys: func(p Phone) []store.Key { return []store.Key{store.Str(p.User)} },
//	})
//	err = db.Config().Update(func(tx *store.Tx) error {
//		id, err := tx.NextID(store.Phones)
//		if err != nil {
//			return err
//		}
//		return phones.In(tx).Put(store.Int(id), Phone{ID: id, User: "101"})
//	})
//	row, err := phones.Lookup("user", store.Str("101"))
package store
