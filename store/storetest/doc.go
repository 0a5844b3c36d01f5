// Package storetest opens stores for tests: real ones, in memory or in a
// directory, with all spaces open. A store belongs to the test that opened it
// and is closed with it, after whatever the test itself registered later.
//
//	db := storetest.Open(t)
//	phones := store.NewTable[Phone](db.Config(), store.Phones, 1)
package storetest
