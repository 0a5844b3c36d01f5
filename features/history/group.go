package history

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// group are calls whose records are written together, ready for the store.
type group struct {
	calls []*running
	rows  []byte // of all of them, one after another
	ends  []int  // where each ends
	spots []spot
}

// groups are used again.
var groups = sync.Pool{New: func() any { return &group{} }}

func newGroup() *group { return groups.Get().(*group) }

func (g *group) release() {
	clear(g.calls)
	*g = group{calls: g.calls[:0], rows: g.rows[:0], ends: g.ends[:0], spots: g.spots[:0]}
	groups.Put(g)
}

// add takes a call in with the row of its record, which rows ends with by now.
func (g *group) add(r *running, rec *Record) {
	g.spots = appendSpots(g.spots, rec, len(g.calls))
	g.calls = append(g.calls, r)
	g.ends = append(g.ends, len(g.rows))
}

// row is the row of the call number n.
func (g *group) row(n int) []byte {
	begin := 0
	if n > 0 {
		begin = g.ends[n-1]
	}
	return g.rows[begin:g.ends[n]:g.ends[n]]
}

func (g *group) id(n int) call.ID { return g.calls[n].id }

// putGroup writes the records of a group and where they stand.
func (h *History) putGroup(g *group) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		for i, r := range g.calls {
			if i%someRows == someRows-1 {
				h.opts.GiveWay()
			}
			if err := h.rows.In(tx).Insert(key(r.id), g.row(i)); err != nil {
				return err
			}
		}
		return putBlocks(h.blocks.In(tx), slices.Clone(g.spots), g.id) // once more if neighbours fill the commit
	}
}

// putRecord writes a record that does not come from a call of this life.
func (h *History) putRecord(tx *store.Tx, rec *Record) error {
	err := h.calls.In(tx).Insert(key(rec.CallUUID), *rec)
	if errors.Is(err, store.ErrTooLarge) {
		rec.shorten()
		err = h.calls.In(tx).Insert(key(rec.CallUUID), *rec)
	}
	if err != nil {
		return err
	}
	return h.putPlaces(tx, rec)
}

func (h *History) putPlaces(tx *store.Tx, rec *Record) error {
	return putBlocks(h.blocks.In(tx), appendSpots(nil, rec, 0), func(int) call.ID { return rec.CallUUID })
}

// shorten leaves out what makes a record large.
func (rec *Record) shorten() {
	rec.Left += len(rec.Events) + len(rec.Trace)
	rec.Events, rec.Trace, rec.CDR = nil, nil, slices.Clone(rec.CDR)
	for i := range rec.CDR {
		rec.CDR[i].Messages = nil
	}
}

// flush sends the records that are due by now to the store, if the first of them
// has waited for others long enough.
func (h *History) flush(now time.Time) {
	if len(h.ended) == 0 || h.ended[0].due.Add(collect).After(now) {
		return
	}
	n := 0
	for n < len(h.ended) && !h.ended[n].due.After(now) {
		n++
	}
	for some := range slices.Chunk(h.ended[:n], maxGroup) {
		g := newGroup()
		for i, e := range some {
			if i%someRows == someRows-1 {
				h.opts.GiveWay()
			}
			h.render(g, e.r)
		}
		h.keepRows(g)
		h.write(g)
		h.opts.GiveWay() // the store begins with it
	}
	h.ended = slices.Delete(h.ended, 0, n)
}

// render writes the record of a call that has ended, with the signalling of its
// legs, into a group. One that is too large goes without its sequence.
func (h *History) render(g *group, r *running) {
	rec, w := &h.rec, &h.pen
	begin := len(g.rows)
	r.summary(rec, r.over, h.opts.Extension)
	r.remember(rec)
	for i := range rec.CDR {
		if leg := &rec.CDR[i]; h.opts.Messages != nil {
			if messages := h.opts.Messages(leg.ID); messages != nil {
				leg.Messages = bounded(messages)
			}
		}
	}
	h.finish(w, g, r.tale.b)
	if len(g.rows)-begin > maxRow {
		g.rows = g.rows[:begin]
		rec.Left += r.events + r.decisions
		rec.shorten()
		var none writer
		none.begin(nil, r.started)
		h.finish(w, g, none.b)
	}
	g.add(r, rec)
	clear(rec.CDR) // and hold on to nothing
}

// finish writes h.rec with a tale into a group.
func (h *History) finish(w *writer, g *group, tale []byte) {
	w.begin(g.rows, h.rec.InitTime.Time)
	w.head(&h.rec)
	w.part(tale)
	w.messages(h.rec.CDR)
	g.rows = w.b
}

// keepRows lets those who look at the calls of a group find their records, for the
// edge forgets their signalling soon.
func (h *History) keepRows(g *group) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, r := range g.calls {
		r.row = g.row(i)
	}
}

// write hands a group to the store. It waits while too many are on their way.
func (h *History) write(g *group) {
	h.slots <- struct{}{}
	h.pending.Add(1)
	for {
		busy := false // ErrBusy is told from within Submit
		h.records.SubmitLate(h.putGroup(g), func(err error) {
			if errors.Is(err, store.ErrBusy) {
				busy = true
				return
			}
			h.done(g, err)
			<-h.slots
		})
		if !busy {
			return
		}
		<-time.After(busyWait) // the store has made room by then
	}
}

// done hears what became of a group, which has h.pending. One of several that
// the store cannot take must not keep the others back.
func (h *History) done(g *group, err error) {
	defer h.pending.Done()
	switch {
	case err == nil:
		h.recorded(g)
	case len(g.calls) > 1:
		for i := range g.calls {
			one := g.only(i)
			h.pending.Add(1)
			h.records.SubmitLate(h.putGroup(one), func(err error) { h.done(one, err) })
		}
	default:
		h.failed.Add(1)
		h.opts.Logger.Error("call record not written", "call", g.id(0), "err", err)
	}
}

// only is a group of one call of g, whose row stays where it is.
func (g *group) only(n int) *group {
	one := &group{calls: []*running{g.calls[n]}, rows: g.row(n)}
	one.ends = []int{len(one.rows)}
	for _, s := range g.spots {
		if s.call == n {
			s.call = 0
			one.spots = append(one.spots, s)
		}
	}
	return one
}

// recorded counts durable records. Their journal entries go with the next sheet;
// should the process not live to write it, the next start finds the records.
func (h *History) recorded(g *group) {
	h.mu.Lock()
	for _, r := range g.calls {
		delete(h.closing, r.id)
		h.durable = append(h.durable, r.id)
	}
	h.mu.Unlock()
	h.written.Add(uint64(len(g.calls)))
	g.release()
}
