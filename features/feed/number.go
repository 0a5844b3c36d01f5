package feed

import (
	"fmt"
	"sync/atomic"

	"github.com/cordpair/cordpair/store"
)

// numbers says which ids may be given. The store gives out blocks of them, each
// above all before and durable before it is used, so whatever happens to the
// process, no id is given twice.
type numbers struct {
	space  *store.Space
	bits   uint // of a block
	first  ID   // where every client begins in this life
	limit  atomic.Uint64
	asking atomic.Bool
}

// blockBits: a block is 16 million ids, which leaves room for half a milliard of
// blocks; a start takes one.
const blockBits = 24

// begin takes the first block of this life.
func (n *numbers) begin() error {
	block, err := n.space.NextID(store.Streams)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	n.first = ID(block) << n.bits
	n.reserved(block)
	return nil
}

func (n *numbers) reserved(block int64) {
	n.limit.Store(uint64(min(ID(block+1)<<n.bits, maxID+1)))
}

// may reports whether an id may be given, and sees in good time that there will
// be more: a client goes on counting where the next block begins.
func (n *numbers) may(id ID) bool {
	limit := ID(n.limit.Load())
	if id+1<<(n.bits-1) >= limit && n.asking.CompareAndSwap(false, true) {
		n.reserve()
	}
	return id < limit
}

// reserve asks the store for another block without waiting for it.
func (n *numbers) reserve() {
	var block int64
	n.space.Submit(func(tx *store.Tx) (err error) {
		block, err = tx.NextID(store.Streams)
		return err
	}, func(err error) {
		if err == nil {
			n.reserved(block)
		}
		n.asking.Store(false)
	})
}
