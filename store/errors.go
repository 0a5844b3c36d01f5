package store

import "errors"

// The errors of the store. What is returned wraps one of these and names the
// directory, the file, the table or the key it is about.
var (
	// ErrNotFound: no row has this key.
	ErrNotFound = errors.New("not found")
	// ErrTaken: another row already has this value in a unique index.
	ErrTaken = errors.New("already taken")
	// ErrTooLarge: a row above MaxRow, a key above MaxKey, or a transaction that
	// writes more than one commit can hold.
	ErrTooLarge = errors.New("too large for the store")
	// ErrBusy: too many writes are waiting for the disk. Nothing was written.
	ErrBusy = errors.New("too many writes are waiting")
	// ErrClosed: the space is not open, not open yet, or closed again.
	ErrClosed = errors.New("store is not open")
	// ErrFailed: an earlier commit failed, so this space takes no writes until
	// the next start. What it acknowledged before is safe and can be read.
	ErrFailed = errors.New("store takes no writes since one failed")
	// ErrReadOnly: a write inside View.
	ErrReadOnly = errors.New("write in a reading transaction")
	// ErrLocked: another process has the directory open.
	ErrLocked = errors.New("is in use by another process")
	// ErrNewerStore: a newer release wrote this store.
	ErrNewerStore = errors.New("was written by a newer release")
	// ErrKeyMissing: the store holds secrets but the file that opens them is gone.
	ErrKeyMissing = errors.New("secret key file is missing")
	// ErrKeyWrong: the secret key file is damaged or belongs to another store.
	ErrKeyWrong = errors.New("secret key file does not fit this store")
	// ErrDamaged: bytes on the disk are not those that were written.
	ErrDamaged = errors.New("is damaged")
	// ErrBadKey: a key does not have the part that was asked for.
	ErrBadKey = errors.New("malformed key")
)
