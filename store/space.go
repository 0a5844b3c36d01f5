package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

const (
	// MaxRow is the largest encoded row in bytes. Files larger than that lie
	// beside the store. It keeps every value out of Badger's value log, so there
	// is no log to rewrite and no deleted key that a rewrite could bring back.
	MaxRow = 512 << 10
	// MaxKey is the longest key in bytes, prefix and index name included.
	MaxKey = 4096

	memTable = 8 << 20
)

// promise is what a space does for its writers.
type promise struct {
	// small: its data fit into one level of tables, and we say when that is made.
	small bool
	sync  bool // a commit is on the disk before it is acknowledged
	// late: some writers may wait for it, so that we sync and not Badger, which
	// would at every commit.
	late bool
}

// Space is one of the three parts of the store: a set of tables that share
// transactions, a group committer and a promise about the disk.
type Space struct {
	db      *DB
	name    string
	dir     string
	promise promise

	badger  atomic.Pointer[badger.DB]
	queue   *committer
	watches watches
	sweeps  sweeps
	mark    *mark // committer only while open

	commits uint64 // committer only: number of the last commit
	synced  uint64 // tend and close only: number of the last commit known to be on the disk
	stats   spaceCounters

	tightened  uint64      // tend only: number of the last commit when tighten looked
	flattening atomic.Bool // at most one flatten at a time
}

func newSpace(db *DB, name string, p promise) *Space {
	sp := &Space{db: db, name: name, promise: p, tightened: math.MaxUint64}
	if !db.cfg.InMemory {
		sp.dir = filepath.Join(db.cfg.Dir, name)
	}
	sp.queue = newCommitter(sp)
	return sp
}

// Name is config, live or records.
func (sp *Space) Name() string { return sp.name }

// exists reports whether an earlier run has written this space.
func (sp *Space) exists() bool {
	_, err := os.Stat(filepath.Join(sp.dir, "MANIFEST"))
	return err == nil
}

// open checks the files of the space, opens them and runs the migrations that
// are due. Called once.
func (sp *Space) open() (err error) {
	last := uint64(0)
	if !sp.db.cfg.InMemory {
		if err := os.MkdirAll(sp.dir, 0o700); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		if sp.mark, last, err = openMark(sp.dir+".mark", sp.db.log); err != nil {
			return err
		}
		if err := errors.Join(removeUnborn(sp.dir), checkFiles(sp.dir, last)); err != nil {
			return errors.Join(err, sp.mark.close())
		}
	}
	bdb, err := openBadger(sp.options())
	if err != nil {
		return errors.Join(sp.openError(err), sp.mark.close())
	}
	if err := sp.begin(bdb, last); err != nil {
		return errors.Join(err, bdb.Close(), sp.mark.close())
	}
	sp.stats.commits.Store(sp.commits)
	sp.badger.Store(bdb)
	sp.tighten()
	sp.queue.start()
	return nil
}

// begin reads what the space says about itself. last is the number of the last
// commit that was acknowledged, as the mark beside the space remembers it.
func (sp *Space) begin(bdb *badger.DB, last uint64) error {
	commits, err := readNumber(bdb, metaCommits)
	if err != nil {
		return fmt.Errorf("store: %s: %w", sp.where(), err)
	}
	if commits < last {
		return fmt.Errorf("store: %s %w: it ends at commit %d of %d", sp.where(), ErrDamaged, commits, last)
	}
	sp.commits = commits
	if err := migrate(bdb, sp.name, sp.where(), sp.db.cfg.migrations); err != nil {
		return err
	}
	return sp.db.seal.check(bdb, sp.where())
}

// where names the space in an error text.
func (sp *Space) where() string {
	if sp.dir == "" {
		return "space " + sp.name
	}
	return "directory " + sp.dir
}

// options tunes Badger for small memory: two memtables, no caches (blocks are
// read from the mapped file and checked), no compression, no conflict detection
// because the committer is the only writer.
func (sp *Space) options() badger.Options {
	o := badger.DefaultOptions(sp.dir).
		WithInMemory(sp.dir == "").
		WithSyncWrites(sp.promise.sync && !sp.promise.late).
		WithLogger(badgerLog{sp.db.log.With("space", sp.name)}).
		WithMetricsEnabled(false).
		WithDetectConflicts(false).
		WithNumVersionsToKeep(1).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithMemTableSize(memTable).
		WithBaseTableSize(memTable / 2). // 2 MiB each would be a descriptor for every few hundred call records
		WithNumMemtables(2).
		WithNumCompactors(2).
		WithNumGoroutines(2).
		WithCompactL0OnClose(true).
		WithVerifyValueChecksum(true).
		WithChecksumVerificationMode(options.OnBlockRead) // tables: checkTables
	if sp.promise.small {
		// Each of Badger's compactors looks for work 20 times a second, all day;
		// flatten looks once, and no write may wait for it.
		o = o.WithNumCompactors(0).WithNumLevelZeroTables(mergeFrom / 2).WithNumLevelZeroTablesStall(manyTables)
	}
	if sp.dir != "" {
		o = o.WithValueThreshold(1 << 20).WithValueLogFileSize(1 << 20)
	}
	return o
}

// openBadger turns a panic of Badger over a damaged file into an error.
func openBadger(o badger.Options) (bdb *badger.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, r)
		}
	}()
	return badger.Open(o)
}

// openError says in our words why Badger did not open.
func (sp *Space) openError(err error) error {
	if lockedByOther(err) {
		return fmt.Errorf("store: %s %w", sp.where(), ErrLocked)
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("store: %s: %w", sp.where(), err)
	}
	return fmt.Errorf("store: %s %w: %w", sp.where(), ErrDamaged, err)
}

// Update runs fn in a transaction and waits until what it wrote is as durable
// as this space promises. When fn returns an error nothing of it is written and
// Update returns that error. Transactions run one after another, in the
// committer's goroutine, and many share one commit: fn must be quick, must not
// call Update, and may run a second time if a neighbour filled the commit or failed,
// so it must set rather than add to what lies outside.
func (sp *Space) Update(fn func(tx *Tx) error) error {
	result := make(chan error, 1)
	sp.Submit(fn, func(err error) { result <- err })
	return <-result
}

// Submit is Update for those who cannot wait: it returns at once and done is
// called when the outcome is known, from the committer's goroutine in the order
// of submission, or from within Submit if the queue is full (ErrBusy) or the
// space not open (ErrClosed). done must not block nor call Update; it may be nil.
func (sp *Space) Submit(fn func(tx *Tx) error, done func(error)) { sp.submit(fn, done, false) }

// SubmitLate is Submit for those who are in no hurry: in the records space, what it
// writes can be read as soon as with Submit, but waits up to 250 ms for others on
// its way to the disk.
func (sp *Space) SubmitLate(fn func(tx *Tx) error, done func(error)) { sp.submit(fn, done, true) }

func (sp *Space) submit(fn func(tx *Tx) error, done func(error), late bool) {
	if done == nil {
		done = func(error) {}
	}
	if err := sp.queue.push(submission{fn, done, late}); err != nil {
		done(fmt.Errorf("store: %s: %w", sp.name, err))
	}
}

// View runs fn over one unchanging picture of what has been committed.
func (sp *Space) View(fn func(tx *Tx) error) error {
	bdb := sp.badger.Load()
	if bdb == nil {
		return fmt.Errorf("store: %s: %w", sp.name, ErrClosed)
	}
	if !sp.queue.readers.enter() {
		return fmt.Errorf("store: %s: %w", sp.name, ErrClosed)
	}
	defer sp.queue.readers.leave()
	txn := bdb.NewTransaction(false)
	defer txn.Discard()
	return fn(&Tx{sp: sp, txn: txn})
}

// NextID returns the next number of the sequence of a prefix: 1, 2, 3 …, durable
// before it is returned and never given twice, whatever rows are deleted. Inside
// a transaction use Tx.NextID, which costs no commit of its own.
func (sp *Space) NextID(p Prefix) (id int64, err error) {
	err = sp.Update(func(tx *Tx) error {
		id, err = tx.NextID(p)
		return err
	})
	return id, err
}

// close ends the committer and closes the files. A space that never opened has
// nothing to close.
func (sp *Space) close() error {
	bdb := sp.badger.Load()
	if bdb == nil {
		return nil
	}
	sp.queue.close()
	sp.queue.readers.close()
	errs := []error{}
	if !sp.db.cfg.InMemory {
		errs = append(errs, sp.syncLive())
	}
	errs = append(errs, sp.closeFiles(bdb), sp.mark.close())
	sp.tighten() // the last tables
	sp.badger.Store(nil)
	return errors.Join(errs...)
}

// Badger tries to write its last tables until it can, for ever on a disk that is full
// or gone. closeWithin is how long it may, goneWithin where there is no directory to
// write them to.
const (
	closeWithin = 10 * time.Second
	goneWithin  = 100 * time.Millisecond
)

// closeFiles closes Badger, or gives up waiting for it: what was acknowledged is in
// the logs, which the next start reads.
func (sp *Space) closeFiles(bdb *badger.DB) error {
	if sp.db.cfg.InMemory {
		return bdb.Close()
	}
	closed := make(chan error, 1)
	go func() { closed <- bdb.Close() }() // ends when the tables are written, or with the process
	within := closeWithin
	if _, err := os.Stat(sp.dir); errors.Is(err, fs.ErrNotExist) {
		within = goneWithin
	}
	patience := time.NewTimer(within)
	defer patience.Stop()
	select {
	case err := <-closed:
		return err
	case <-patience.C:
		return fmt.Errorf("store: %s: %w: its last tables cannot be written", sp.dir, ErrFailed)
	}
}

// FreeBytes is the space left for this process on the file system of the store,
// in bytes; MaxUint64 in memory.
func (db *DB) FreeBytes() (uint64, error) {
	if db.cfg.InMemory {
		return math.MaxUint64, nil
	}
	return freeBytes(db.cfg.Dir)
}
