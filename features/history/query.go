package history

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// extensions are those the call is of: the caller's and those of its legs.
func (rec *Record) extensions() []int64 {
	var ids []int64
	if rec.Extension != nil {
		ids = append(ids, *rec.Extension)
	}
	for i := range rec.CDR {
		if id := rec.CDR[i].Extension; id != nil && !slices.Contains(ids, *id) {
			ids = append(ids, *id)
		}
	}
	return ids
}

// Query says which calls or legs to list.
type Query struct {
	Client int64
	// From and To bound the beginning of the call or leg: From <= InitTime < To.
	// The zero time is no bound.
	From, To time.Time
	// Extensions restricts to the legs of any of these, or the calls they began
	// or had a leg in; empty: all.
	Extensions []int64
	// Flow, Result, FromUsername and ToUsername restrict to what has just that;
	// empty: all.
	Flow, Result, FromUsername, ToUsername string
	// OldestFirst turns the order round; it is newest first otherwise.
	OldestFirst bool
	// Skip leaves out that many matches before the page: (page-1)*per_page. It
	// costs a look at the place of each; a record for each if Flow, Result, a username
	// or more than one of Extensions are given.
	Skip int
	// Limit is the most matches on a page; 0 means all.
	Limit int
	// After is the cursor the page before returned, which costs a look at the places of
	// the few seconds it lies in; with it Skip counts from there.
	After store.Cursor
}

// List returns the calls of a client without events, trace and messages, and the
// cursor of the next page, empty if there is none.
func (h *History) List(q Query) (recs []Record, next store.Cursor, err error) {
	next, err = h.eachCall(q, func(rec *Record) { recs = append(recs, *rec) })
	return recs, next, err
}

// Legs is List for the legs of calls that have ended.
func (h *History) Legs(q Query) (legs []Leg, next store.Cursor, err error) {
	next, err = h.eachLeg(q, func(leg *Leg) { legs = append(legs, *leg) })
	return legs, next, err
}

func (h *History) eachCall(q Query, take func(*Record)) (store.Cursor, error) {
	calls := func(p place) bool { return p.leg == theCall }
	return h.each(q, calls, func(rec *Record, _ place) (*Fields, func()) {
		if len(q.Extensions) > 1 && !intersect(q.Extensions, rec.extensions()) {
			return nil, nil
		}
		return &rec.Fields, func() { take(rec) }
	})
}

func (h *History) eachLeg(q Query, take func(*Leg)) (store.Cursor, error) {
	legs := func(p place) bool { return p.leg != theCall }
	return h.each(q, legs, func(rec *Record, p place) (*Fields, func()) {
		if p.leg >= len(rec.CDR) {
			return nil, nil
		}
		leg := &rec.CDR[p.leg]
		if len(q.Extensions) > 1 && (leg.Extension == nil || !slices.Contains(q.Extensions, *leg.Extension)) {
			return nil, nil
		}
		return &leg.Fields, func() { take(leg) }
	})
}

func intersect(a, b []int64) bool {
	return slices.ContainsFunc(a, func(n int64) bool { return slices.Contains(b, n) })
}

// errEnough ends a walk; it never leaves the package.
var errEnough = errors.New("enough")

// each walks the matches of a page among the places of a kind. look returns what
// filters look at, nil if it does not match, and what to do with a match.
func (h *History) each(q Query, kind func(place) bool, look func(*Record, place) (*Fields, func())) (next store.Cursor, err error) {
	skip, found := q.Skip, 0
	var last place
	err = h.records.View(func(tx *store.Tx) error {
		return h.walk(tx, &q, kind, func(p place) error {
			if skip > 0 && !q.filters() {
				skip--
				return nil
			}
			row, err := h.briefs.In(tx).Get(key(p.call))
			if errors.Is(err, store.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			f, take := look(&row.Record, p)
			switch {
			case f == nil || !q.matches(f):
			case skip > 0:
				skip--
			case q.Limit > 0 && found == q.Limit:
				next = last.cursor()
				return errEnough
			default:
				found, last = found+1, p
				take()
			}
			return nil
		})
	})
	if err != nil && !errors.Is(err, errEnough) {
		return "", fmt.Errorf("history: %w", err)
	}
	return next, nil
}

// walk calls fn for the places of a kind that a query is about, in its order.
func (h *History) walk(tx *store.Tx, q *Query, kind func(place) bool, fn func(place) error) error {
	rg, wanted, err := q.span()
	if err != nil {
		return err
	}
	var all []place // of the span that is being read
	var span int64
	tell := func() error {
		slices.SortFunc(all, func(a, b place) int {
			if q.OldestFirst {
				return a.order(b)
			}
			return b.order(a)
		})
		for _, p := range all {
			if err := fn(p); err != nil {
				return err
			}
		}
		all = all[:0]
		return nil
	}
	err = h.blocks.In(tx).Each(rg, func(block store.Row[row]) error {
		of, _, err := block.Key[len(rg.Prefix):].CutInt()
		if err == nil && of != span {
			err = tell()
			span = of
		}
		if err == nil {
			all, err = block.Value.places(all, span, func(p place) bool { return kind(p) && wanted(p) })
		}
		return err
	})
	if err != nil {
		return err
	}
	return tell()
}

// span is the part of the blocks that has all the places a query is about, and which
// of theirs those are.
func (q *Query) span() (rg store.Range, wanted func(place) bool, err error) {
	var extension int64
	if len(q.Extensions) == 1 {
		extension = q.Extensions[0]
	}
	rg = store.Range{Prefix: store.Join(store.Int(q.Client), store.Int(extension)), Reverse: !q.OldestFirst}
	low, high := int64(math.MinInt64), int64(math.MaxInt64) // low <= at <= high
	if !q.From.IsZero() {
		low = q.From.UnixMicro()
	}
	if !q.To.IsZero() {
		high = q.To.UnixMicro() - 1
	}
	after := func(place) bool { return true }
	if q.After != "" {
		last, err := placeOf(q.After)
		if err != nil {
			return rg, nil, err
		}
		if q.OldestFirst {
			low, after = max(low, last.at), func(p place) bool { return p.order(last) > 0 }
		} else {
			high, after = min(high, last.at), func(p place) bool { return p.order(last) < 0 }
		}
	}
	rg.From, rg.To = store.Join(rg.Prefix, store.Int(low>>spanBits)), store.Join(rg.Prefix, store.Int(high>>spanBits+1))
	return rg, func(p place) bool { return low <= p.at && p.at <= high && after(p) }, nil
}

// filters reports whether a match must be read to be known.
func (q *Query) filters() bool {
	return len(q.Extensions) > 1 || q.Flow != "" || q.Result != "" || q.FromUsername != "" || q.ToUsername != ""
}

func (q *Query) matches(f *Fields) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return is(q.Flow, f.Flow) && is(q.Result, f.Result) && is(q.FromUsername, f.FromUsername) && is(q.ToUsername, f.ToUsername)
}

// Total counts calls or legs and adds up their durations in seconds.
type Total struct {
	Count    int64 `json:"count" doc:"How many there were."`
	Duration int64 `json:"duration" doc:"How long they lasted together, from answer to end, in seconds."`
}

// Totals are the totals of what a Query finds.
type Totals struct {
	Total
	Results map[string]Total `json:"results" doc:"The totals by result."`
	Flows   map[string]Total `json:"flows" doc:"The totals by flow."`
}

func newTotals() Totals { return Totals{Results: map[string]Total{}, Flows: map[string]Total{}} }

func (t *Totals) add(f *Fields) {
	t.Total = t.plus(f)
	t.Results[f.Result] = t.Results[f.Result].plus(f)
	t.Flows[f.Flow] = t.Flows[f.Flow].plus(f)
}

func (t Total) plus(f *Fields) Total { return Total{t.Count + 1, t.Duration + f.Duration} }

// CallTotals adds up the calls that List would find without Skip, Limit and
// After. It reads a record for each.
func (h *History) CallTotals(q Query) (Totals, error) {
	t := newTotals()
	q.Skip, q.Limit, q.After = 0, 0, ""
	_, err := h.eachCall(q, func(rec *Record) { t.add(&rec.Fields) })
	return t, err
}

// LegTotals adds up the legs that Legs would find without Skip, Limit and After.
func (h *History) LegTotals(q Query) (Totals, error) {
	t := newTotals()
	q.Skip, q.Limit, q.After = 0, 0, ""
	_, err := h.eachLeg(q, func(leg *Leg) { t.add(&leg.Fields) })
	return t, err
}

// Get returns the record of a call that has ended, or store.ErrNotFound.
func (h *History) Get(id call.ID) (Record, error) {
	rec, err := h.calls.Get(key(id))
	if err != nil {
		return Record{}, fmt.Errorf("history: call %s: %w", id, err)
	}
	return rec, nil
}

// GetOf is Get for a client: the call of another one is not found.
func (h *History) GetOf(client int64, id call.ID) (Record, error) {
	rec, err := h.Get(id)
	if err == nil && rec.Client != client {
		return Record{}, fmt.Errorf("history: call %s: %w", id, store.ErrNotFound)
	}
	return rec, err
}

// Running returns what is known of a call that has no durable record yet: as of
// now, without an end if it goes on, with its decisions and messages so far. The
// call notices nothing of it.
func (h *History) Running(id call.ID) (Record, bool) {
	rec, ok := h.picture(id)
	if ok && h.opts.Messages != nil {
		rec = rec.withMessages(h.opts.Messages)
	}
	return rec, ok
}

func (h *History) picture(id call.ID) (Record, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var rec Record
	r := h.closing[id]
	switch {
	case r != nil && r.row != nil:
		err := rec.ParseRow(recordVersion, r.row)
		return rec, err == nil
	case r != nil:
		rec = r.record(r.over, h.opts.Extension)
	case h.open[id] != nil:
		r = h.open[id]
		rec = r.alive(time.Now(), h.opts.Extension)
	default:
		return rec, false
	}
	r.remember(&rec)
	return rec, true
}

// Find returns a call of a client, running or ended, or store.ErrNotFound.
func (h *History) Find(client int64, id call.ID) (rec Record, running bool, err error) {
	if rec, ok := h.Running(id); ok && rec.Client == client {
		return rec, rec.HangupTime.IsZero(), nil
	}
	rec, err = h.GetOf(client, id)
	return rec, false, err
}
