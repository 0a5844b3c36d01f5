package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// Config says where a store lives.
type Config struct {
	// Dir holds the three directories of the store. It is made if it is missing.
	// Ignored with InMemory.
	Dir string
	// InMemory keeps everything in memory and nothing after Close. Such a store
	// works inside a testing/synctest bubble if opened and closed in it.
	InMemory bool
	// SecretKeyFile seals secrets; empty: Dir/secret.key. It is created at the
	// first start and must be kept: without it the secrets cannot be read again.
	SecretKeyFile string
	// Logger takes what goes wrong in the background; nil: slog.Default().
	Logger *slog.Logger

	migrations []migration // tests only; nil: those of migrations.go
}

// DB is an open store: three spaces that differ in what they promise. All
// methods may be called from any goroutine.
type DB struct {
	cfg  Config
	log  *slog.Logger
	lock *os.File // holds the lock of Dir; nil in memory
	seal *sealer

	config, live, records *Space
	daybook               *Daybook

	mu     sync.Mutex // guards open and close of spaces
	closed bool
	stop   chan struct{}
	tended sync.WaitGroup
}

// Open opens the spaces config and live; OpenRecords opens the third. Errors:
// ErrLocked, ErrNewerStore, ErrKeyMissing, ErrKeyWrong, ErrDamaged and those of
// the file system, each naming the directory or file.
func Open(cfg Config) (*DB, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.migrations == nil {
		cfg.migrations = migrations
	}
	db := &DB{cfg: cfg, log: cfg.Logger, stop: make(chan struct{})}
	db.config = newSpace(db, "config", promise{small: true, sync: true})
	db.live = newSpace(db, "live", promise{small: true})
	db.records = newSpace(db, "records", promise{sync: true, late: true})
	db.daybook = &Daybook{db: db}
	if err := db.open(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) open() error {
	fresh := true
	if !db.cfg.InMemory {
		if db.cfg.Dir == "" {
			return errors.New("store: no directory given")
		}
		if db.cfg.SecretKeyFile == "" {
			db.cfg.SecretKeyFile = filepath.Join(db.cfg.Dir, "secret.key")
		}
		if err := os.MkdirAll(db.cfg.Dir, 0o700); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		var err error
		if db.lock, err = lockDir(db.cfg.Dir); err != nil {
			return err
		}
		fresh = !db.config.exists() && !db.live.exists() && !db.records.exists()
	}
	var err error
	if db.seal, err = openSealer(db.cfg, fresh); err != nil {
		return err
	}
	if err := db.config.open(); err != nil {
		return err
	}
	if err := db.live.open(); err != nil {
		return err
	}
	if err := db.daybook.open(); err != nil {
		return err
	}
	db.tended.Add(1)
	go db.tend() // ends when Close closes db.stop
	return nil
}

// OpenRecords opens the space of call records. It is apart because that space
// grows large and the switch wants to listen before; writes to it are refused
// with ErrClosed until then. Opening twice does nothing.
func (db *DB) OpenRecords() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return fmt.Errorf("store: records: %w", ErrClosed)
	}
	if db.records.badger.Load() != nil {
		return nil
	}
	return db.records.open()
}

// Config is the space of configuration and credentials: on the disk before the
// answer, whatever happens to the machine.
func (db *DB) Config() *Space { return db.config }

// Live is the space of bindings, subscriptions and agent states: safe from a
// killed process at once, from a power cut after at most a second.
func (db *DB) Live() *Space { return db.live }

// Records is the space of call records, messages and the outbox: as Config.
func (db *DB) Records() *Space { return db.records }

// Close commits what was submitted, syncs and closes. Later writes get
// ErrClosed. Closing twice does nothing.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	close(db.stop)
	db.tended.Wait()
	errs := []error{db.daybook.close(), db.records.close(), db.live.close(), db.config.close()}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}
