package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
)

const (
	maxQueue = 1 << 16 // submissions waiting for a commit
	maxGroup = 1024    // submissions in one commit
	maxBatch = 512 << 10
)

// lateSync is how long a late submission waits for others, so that one sync of the
// disk serves them all.
const lateSync = 250 * time.Millisecond

// submission is one transaction on its way to the disk.
type submission struct {
	fn   func(*Tx) error
	done func(error)
	late bool // it may wait
}

// answer is what a submission will hear once the disk has it.
type answer struct {
	done func(error)
	err  error
}

// committer is the only writer of a space. What is submitted while a commit is
// on its way to the disk goes into the next one, so that the rate of
// transactions does not depend on the rate of syncs.
type committer struct {
	sp      *Space
	readers gate

	mu    sync.Mutex
	queue []submission
	open  bool
	wake  chan struct{} // one slot
	ended chan struct{} // closed when the loop has returned

	// committer goroutine only
	failed   error
	unsynced []answer  // committed, in a space that we sync
	urgent   bool      // one of them is not late
	syncAt   time.Time // when all of them are late; zero without any
	slab     slab      // of the commit that is being made
}

func newCommitter(sp *Space) *committer {
	return &committer{sp: sp, wake: make(chan struct{}, 1), ended: make(chan struct{})}
}

func (c *committer) start() {
	c.mu.Lock()
	c.open = true
	c.mu.Unlock()
	go c.run() // ends when close has closed the queue and it is empty
}

// push queues a submission. It never waits.
func (c *committer) push(s submission) error {
	c.mu.Lock()
	switch {
	case !c.open:
		c.mu.Unlock()
		return ErrClosed
	case len(c.queue) >= maxQueue:
		c.mu.Unlock()
		return ErrBusy
	}
	c.queue = append(c.queue, s)
	c.mu.Unlock()
	c.signal()
	return nil
}

func (c *committer) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// close refuses new submissions and returns when those queued are done with.
func (c *committer) close() {
	c.mu.Lock()
	c.open = false
	c.mu.Unlock()
	c.signal()
	<-c.ended
}

func (c *committer) depth() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

// take moves up to a group of submissions out of the queue.
func (c *committer) take() (group []submission, open bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.queue), maxGroup)
	group = append(group, c.queue[:n]...)
	rest := copy(c.queue, c.queue[n:])
	clear(c.queue[rest:])
	c.queue = c.queue[:rest]
	return group, c.open
}

func (c *committer) run() {
	defer close(c.ended)
	for {
		group, open := c.take()
		for len(group) > 0 {
			group = group[c.commit(group):]
		}
		if c.urgent || !c.syncAt.IsZero() && (!open || !time.Now().Before(c.syncAt)) {
			c.settle()
		}
		if c.depth() > 0 {
			continue
		}
		if !open {
			return
		}
		c.wait()
	}
}

// wait returns when there is something to commit or it is time to sync.
func (c *committer) wait() {
	if c.syncAt.IsZero() {
		<-c.wake
		return
	}
	t := time.NewTimer(time.Until(c.syncAt))
	defer t.Stop()
	select {
	case <-c.wake:
	case <-t.C:
	}
}

// settle brings what was committed to the disk and answers.
func (c *committer) settle() {
	all := c.unsynced
	c.unsynced, c.urgent, c.syncAt = nil, false, time.Time{}
	if c.failed == nil {
		if err := c.sp.syncLogs(); err != nil {
			c.fail(err)
		} else if err := c.sp.mark.set(c.sp.commits); err != nil {
			c.fail(err)
		}
	}
	for _, a := range all {
		c.answer(a.done, a.err)
	}
}

// answer tells the outcome; one that nobody can vouch for is a failure.
func (c *committer) answer(done func(error), err error) {
	if err == nil {
		err = c.failed
	}
	c.sp.stats.done(err)
	done(err)
}

// commit runs transactions from the beginning of group, commits those that
// succeeded as one and returns how many of the group it has dealt with.
func (c *committer) commit(group []submission) int {
	if c.failed != nil {
		c.answer(group[0].done, nil)
		return 1
	}
	c.slab.reset()
	b := &batch{sp: c.sp, txn: c.sp.badger.Load().NewTransaction(true), slab: &c.slab}
	defer func() { b.txn.Discard() }()
	errs := make([]error, 0, len(group))
	for i, s := range group {
		err := b.run(s.fn)
		if (b.spoilt || errors.Is(err, errRetryAlone)) && i > 0 {
			b.txn.Discard()
			return c.commit(group[:i]) // what came before is well; the rest begins anew
		}
		errs = append(errs, err)
		if errors.Is(err, errRetryAlone) {
			errs[i] = fmt.Errorf("store: %s: transaction %w", c.sp.name, ErrTooLarge)
			b.changes, b.written = nil, 0
			break
		}
		if b.spoilt {
			b.renew()
		}
		if b.written > maxBatch {
			break
		}
	}
	if b.written > 0 {
		if err := c.write(b); err != nil {
			c.fail(err)
		} else {
			c.sp.watches.tell(b.changes)
		}
	}
	for i, err := range errs {
		if !c.sp.syncsItself() {
			c.answer(group[i].done, err)
			continue
		}
		c.unsynced = append(c.unsynced, answer{group[i].done, err})
		if !group[i].late {
			c.urgent = true
		} else if c.syncAt.IsZero() {
			c.syncAt = time.Now().Add(lateSync)
		}
	}
	return len(errs)
}

// write commits the batch; it is durable then unless the space syncs itself.
func (c *committer) write(b *batch) error {
	n := c.sp.commits + 1
	if err := b.txn.Set([]byte(metaCommits), binary.BigEndian.AppendUint64(nil, n)); err != nil {
		return err
	}
	if err := b.txn.Commit(); err != nil {
		return err
	}
	c.sp.commits = n
	c.sp.stats.commits.Store(n)
	if c.sp.promise.sync && !c.sp.syncsItself() {
		return c.sp.mark.set(n)
	}
	return nil
}

// fail stops all further writes: after a failed sync nobody knows what the disk
// holds, and only opening the files again finds out.
func (c *committer) fail(err error) {
	c.failed = fmt.Errorf("store: %s: %w: %w", c.sp.name, ErrFailed, err)
	c.sp.db.log.Error("store takes no more writes", "space", c.sp.name, "err", err)
}

// errRetryAlone says that a batch is full; it never leaves the committer.
var errRetryAlone = errors.New("batch is full")

// batch is what becomes one commit.
type batch struct {
	sp      *Space
	txn     *badger.Txn
	slab    *slab
	spoilt  bool // it holds what a transaction wrote that failed
	written int  // bytes set so far, 0 if nothing was
	changes []change
}

// run performs one transaction of the batch. If fn fails after it has written, the
// batch is spoilt.
func (b *batch) run(fn func(*Tx) error) error {
	tx := &Tx{sp: b.sp, txn: b.txn, batch: b}
	err := tx.protect(fn)
	if tx.full {
		return errRetryAlone
	}
	b.spoilt = err != nil && tx.wrote
	return err
}

// renew begins the batch anew.
func (b *batch) renew() {
	b.txn.Discard()
	*b = batch{sp: b.sp, txn: b.sp.badger.Load().NewTransaction(true), slab: b.slab}
}

// protect turns a panic of fn into an error: it runs in the committer's
// goroutine, where it would take everybody along.
func (tx *Tx) protect(fn func(*Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("store: panic in a transaction: %v", r)
			tx.sp.db.log.Error("panic in a transaction", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	return fn(tx)
}

// SpaceStats are the counters of a space since it was opened.
type SpaceStats struct {
	Waiting      int    // transactions waiting for a commit
	Commits      uint64 // commits in the life of the store
	Transactions uint64 // that succeeded
	Refused      uint64 // that ended in an error
}

type spaceCounters struct{ commits, good, bad atomic.Uint64 }

func (s *spaceCounters) done(err error) {
	if err != nil {
		s.bad.Add(1)
		return
	}
	s.good.Add(1)
}

// Stats reads the counters.
func (sp *Space) Stats() SpaceStats {
	return SpaceStats{
		Waiting:      sp.queue.depth(),
		Commits:      sp.stats.commits.Load(),
		Transactions: sp.stats.good.Load(),
		Refused:      sp.stats.bad.Load(),
	}
}
