package history

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// The indexes of the records: calls by their own beginning, legs by theirs, of a
// client and of an extension. A leg's keys end with its place in its call.
const (
	callsByTime   = "client_time"
	callsOfByTime = "extension_time"
	legsByTime    = "leg_time"
	legsOfByTime  = "extension_leg_time"
)

// tables are the records and the same without what lists do not show.
func tables(sp *store.Space) (*store.Table[Record], *store.Table[brief]) {
	return store.NewTable(sp, store.Calls, recordVersion,
			store.Index[Record]{Name: callsByTime, Keys: func(rec Record) []store.Key { return callKeys(&rec) }},
			store.Index[Record]{Name: callsOfByTime, Keys: func(rec Record) []store.Key { return callOfKeys(&rec) }},
			store.Index[Record]{Name: legsByTime, Keys: func(rec Record) []store.Key { return legKeys(&rec) }},
			store.Index[Record]{Name: legsOfByTime, Keys: func(rec Record) []store.Key { return legOfKeys(&rec) }},
		), store.NewTable(sp, store.Calls, recordVersion,
			store.Index[brief]{Name: callsByTime, Keys: func(rec brief) []store.Key { return callKeys(&rec.Record) }},
			store.Index[brief]{Name: callsOfByTime, Keys: func(rec brief) []store.Key { return callOfKeys(&rec.Record) }},
			store.Index[brief]{Name: legsByTime, Keys: func(rec brief) []store.Key { return legKeys(&rec.Record) }},
			store.Index[brief]{Name: legsOfByTime, Keys: func(rec brief) []store.Key { return legOfKeys(&rec.Record) }},
		)
}

func callKeys(rec *Record) []store.Key {
	return []store.Key{store.Join(store.Int(rec.Client), store.Time(rec.InitTime.Time))}
}

func callOfKeys(rec *Record) []store.Key {
	ids := rec.extensions()
	all := make([]store.Key, len(ids))
	client, at := store.Int(rec.Client), store.Time(rec.InitTime.Time)
	for i, id := range ids {
		all[i] = store.Join(client, store.Int(id), at)
	}
	return all
}

func legKeys(rec *Record) []store.Key {
	all := make([]store.Key, len(rec.CDR))
	client := store.Int(rec.Client)
	for i := range rec.CDR {
		all[i] = store.Join(client, store.Time(rec.CDR[i].InitTime.Time), store.Int(int64(i)))
	}
	return all
}

func legOfKeys(rec *Record) []store.Key {
	all := make([]store.Key, 0, len(rec.CDR))
	client := store.Int(rec.Client)
	for i := range rec.CDR {
		if id := rec.CDR[i].Extension; id != nil {
			all = append(all, store.Join(client, store.Int(*id), store.Time(rec.CDR[i].InitTime.Time), store.Int(int64(i))))
		}
	}
	return all
}

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
	// costs an index entry for each; a record for each if Flow, Result, a username
	// or more than one of Extensions are given.
	Skip int
	// Limit is the most matches on a page; 0 means all.
	Limit int
	// After is the cursor the page before returned, which costs nothing; with it
	// Skip counts from there.
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
	return h.each(q, callsByTime, callsOfByTime, func(row *store.Row[brief]) (*Fields, func()) {
		rec := &row.Value.Record
		if len(q.Extensions) > 1 && !intersect(q.Extensions, rec.extensions()) {
			return nil, nil
		}
		return &rec.Fields, func() { take(rec) }
	})
}

func (h *History) eachLeg(q Query, take func(*Leg)) (store.Cursor, error) {
	return h.each(q, legsByTime, legsOfByTime, func(row *store.Row[brief]) (*Fields, func()) {
		leg := legOf(row)
		if leg == nil || len(q.Extensions) > 1 && (leg.Extension == nil || !slices.Contains(q.Extensions, *leg.Extension)) {
			return nil, nil
		}
		return &leg.Fields, func() { take(leg) }
	})
}

// legOf is the leg whose index entry was found.
func legOf(row *store.Row[brief]) *Leg {
	if len(row.At) < 8 {
		return nil
	}
	i, _, err := row.At[len(row.At)-8:].CutInt()
	if err != nil || i < 0 || i >= int64(len(row.Value.CDR)) {
		return nil
	}
	return &row.Value.CDR[i]
}

func intersect(a, b []int64) bool {
	return slices.ContainsFunc(a, func(n int64) bool { return slices.Contains(b, n) })
}

// errEnough ends a walk; it never leaves the package.
var errEnough = errors.New("enough")

// each walks the matches of a page. look returns what filters look at, nil if it
// does not match, and what to do with a match.
func (h *History) each(q Query, all, ofOne string, look func(*store.Row[brief]) (*Fields, func())) (store.Cursor, error) {
	rg := q.span(all, ofOne)
	skip, found := q.Skip, 0
	if !q.filters() {
		rg.Skip, skip = skip, 0
	}
	var last, next store.Cursor
	err := h.briefs.Each(rg, func(row store.Row[brief]) error {
		f, take := look(&row)
		if f == nil || !q.matches(f) {
			return nil
		}
		if skip > 0 {
			skip--
			return nil
		}
		if q.Limit > 0 && found == q.Limit {
			next = last
			return errEnough
		}
		found++
		last = row.Cursor()
		take()
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return "", fmt.Errorf("history: %w", err)
	}
	return next, nil
}

// span is the part of an index that holds all matches.
func (q *Query) span(all, ofOne string) store.Range {
	rg := store.Range{Index: all, Prefix: store.Int(q.Client), Reverse: !q.OldestFirst, After: q.After}
	if len(q.Extensions) == 1 {
		rg.Index, rg.Prefix = ofOne, store.Join(rg.Prefix, store.Int(q.Extensions[0]))
	}
	if !q.From.IsZero() {
		rg.From = store.Join(rg.Prefix, store.Time(q.From))
	}
	if !q.To.IsZero() {
		rg.To = store.Join(rg.Prefix, store.Time(q.To))
	}
	return rg
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
	if rec := h.closing[id]; rec != nil {
		return *rec, true
	}
	if r := h.open[id]; r != nil {
		rec := r.alive(time.Now(), h.opts.Extension)
		r.remember(&rec)
		return rec, true
	}
	return Record{}, false
}

// Find returns a call of a client, running or ended, or store.ErrNotFound.
func (h *History) Find(client int64, id call.ID) (rec Record, running bool, err error) {
	if rec, ok := h.Running(id); ok && rec.Client == client {
		return rec, rec.HangupTime.IsZero(), nil
	}
	rec, err = h.GetOf(client, id)
	return rec, false, err
}
