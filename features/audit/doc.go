// Package audit keeps the log of administrative changes: who changed what, from
// where, and what it was before and after, without its secrets. The log only
// grows: there is no way to change or remove an entry.
//
// An entry is written in the transaction of the change it is about, so there is
// never one without the other. Entries are numbered in the order of the changes;
// the number, not the clock, is their key and their order.
//
// Ownership: a Log holds no state of its own and may be used from any goroutine.
// Whoever lets somebody in puts an Actor into the ctx with As; whoever changes
// something passes that ctx on to Append.
//
//	ctx = audit.As(ctx, audit.Actor{User: 7, Login: "ann@example.test", Level: "client", From: "192.0.2.7"})
//	log := audit.New(db)
//	err := db.Config().Update(func(tx *store.Tx) error {
//		if err := extensions.In(tx).Put(store.Int(x.ID), x); err != nil {
//			return err
//		}
//		return log.Append(ctx, tx, audit.Write{Client: x.ClientID, What: "extension", ID: "12", Before: old, After: x})
//	})
//	entries, next, err := log.List(audit.Query{Client: 1, What: "extension", ID: "12", Limit: 50})
package audit
