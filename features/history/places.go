package history

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// Calls and legs are listed by their beginning, of a client or of one of its
// extensions. An index entry for each would be most of the work that a record makes,
// so the places of what began within about four seconds stand together, as far as they
// are written at the same time: a block. A list reads the blocks of a span of time
// and puts their places in order. The key of a block is client, extension, span and
// the first of its calls; a record is written once, so there is no other like it.

// spanBits is the length of a span as a power of two, in microseconds.
const spanBits = 22

// place is where a call or one of its legs stands in a list.
type place struct {
	at   int64 // when it began, in microseconds since 1970
	leg  int   // in its call; theCall for the call itself
	call call.ID
}

const theCall = -1

// order is that of lists, oldest first: of those that began together the one with
// the higher place in its call is the later, then the one with the higher id.
func (p place) order(o place) int {
	return cmp.Or(cmp.Compare(p.at, o.at), cmp.Compare(p.leg, o.leg), strings.Compare(string(p.call), string(o.call)))
}

// cursor is a place for those who come back to it.
func (p place) cursor() store.Cursor {
	return store.Cursor(store.Join(store.Int(p.at), store.Int(int64(p.leg)), store.Str(string(p.call))))
}

func placeOf(c store.Cursor) (p place, err error) {
	var leg int64
	var id string
	k := store.Key(c)
	if p.at, k, err = k.CutInt(); err != nil {
		return p, err
	}
	if leg, k, err = k.CutInt(); err != nil {
		return p, err
	}
	id, _, err = k.CutStr()
	p.leg, p.call = int(leg), call.ID(id)
	return p, err
}

// spot is a place on its way into a block.
type spot struct {
	client, extension int64 // extension 0: of all
	at                int64
	call, leg         int // call: its place among those that are written together
}

func (s spot) span() int64 { return s.at >> spanBits }

// block puts those of a block side by side, in the order they stand in it.
func (s spot) block(o spot) int {
	return cmp.Or(cmp.Compare(s.client, o.client), cmp.Compare(s.extension, o.extension), cmp.Compare(s.span(), o.span()),
		cmp.Compare(s.call, o.call), cmp.Compare(s.leg, o.leg))
}

// appendSpots appends where the call number n and its legs stand.
func appendSpots(spots []spot, rec *Record, n int) []spot {
	first := len(spots)
	of := func(extension int64, at time.Time, leg int) {
		spots = append(spots, spot{rec.Client, extension, at.UnixMicro(), n, leg})
	}
	began := rec.InitTime.Time
	theCallOf := func(id *int64) {
		if id != nil && !slices.Contains(spots[first:], spot{rec.Client, *id, began.UnixMicro(), n, theCall}) {
			of(*id, began, theCall)
		}
	}
	of(0, began, theCall)
	theCallOf(rec.Extension)
	for i := range rec.CDR {
		leg := &rec.CDR[i]
		of(0, leg.InitTime.Time, i)
		if leg.Extension != nil {
			of(*leg.Extension, leg.InitTime.Time, i)
			theCallOf(leg.Extension)
		}
	}
	return spots
}

// putBlocks writes the blocks of spots, which it sorts. id is the call of a number.
func putBlocks(blocks store.Rows[row], spots []spot, id func(n int) call.ID) error {
	slices.SortFunc(spots, spot.block)
	var b []byte
	for len(spots) > 0 {
		first, n := spots[0], 1
		for n < len(spots) && spots[n].client == first.client && spots[n].extension == first.extension && spots[n].span() == first.span() {
			n++
		}
		b = appendBlock(b[:0], spots[:n], id)
		key := store.Join(store.Int(first.client), store.Int(first.extension), store.Int(first.span()), store.Str(string(id(first.call))))
		if err := blocks.Insert(key, row(b)); err != nil {
			return err
		}
		spots = spots[n:]
	}
	return nil
}

// blockVersion is the form appendBlock writes: for each call the length of its id,
// the id, how many places it has, and for each of them the leg and the microseconds
// since the span began.
const blockVersion = 1

func appendBlock(b []byte, spots []spot, id func(n int) call.ID) []byte {
	w := writer{b: b}
	for len(spots) > 0 {
		call, n := spots[0].call, 1
		for n < len(spots) && spots[n].call == call {
			n++
		}
		w.uint(uint64(len(id(call))))
		w.b = append(w.b, id(call)...)
		w.uint(uint64(n))
		for _, s := range spots[:n] {
			w.int(int64(s.leg))
			w.uint(uint64(s.at - s.span()<<spanBits))
		}
		spots = spots[n:]
	}
	return w.b
}

// places appends the places of a block of a span that ok takes.
func (block row) places(all []place, span int64, ok func(place) bool) ([]place, error) {
	r := reader{s: string(block)}
	for r.at < len(r.s) {
		id := r.bytes(r.uint())
		for n := r.uint(); n > 0 && r.err == nil; n-- {
			p := place{leg: int(r.int()), call: call.ID(id)}
			p.at = span<<spanBits + int64(r.uint())
			if r.err == nil && ok(p) {
				all = append(all, p)
			}
		}
	}
	return all, r.err
}

// row is a row that is written already.
type row []byte

// AppendRow appends the row as it is (store.Coded).
func (b *row) AppendRow(to []byte) ([]byte, error) { return append(to, *b...), nil }

// ParseRow takes the row as it is (store.Coded).
func (b *row) ParseRow(version byte, raw []byte) error {
	*b = slices.Clone(raw)
	return nil
}
