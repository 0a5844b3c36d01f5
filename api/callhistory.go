package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/history"
)

// The records of calls (spec/http-api.md 5.5): call_history, calls and cdr.

// CallFilter chooses calls or legs; embed it in a handler's input.
type CallFilter struct {
	Span
	Paging
	Ordering
	Flow   string `query:"flow" enum:"in,out,transfer" doc:"Only this direction"`
	Result string `query:"result" enum:"bridged,answered,not answered,answered elsewhere,busy,rejected,failed,voicemail" doc:"Only this result"`
	From   string `query:"from_username" maxLength:"255" doc:"Only from just this number"`
	To     string `query:"to_username" maxLength:"255" doc:"Only what dialled just this number"`
}

type callsIn struct {
	CallFilter
	Extensions []int64 `query:"extension_id,explode" maxItems:"1000" doc:"Only of these extensions"`
}

// query is what the history is asked, for the extension of the path if there is
// one.
func (in *callsIn) query(ctx context.Context) (history.Query, error) {
	from, to, err := in.times()
	q := history.Query{
		Client: clientOf(ctx).ID, From: from, To: to, Extensions: in.Extensions,
		Flow: in.Flow, Result: in.Result, FromUsername: in.From, ToUsername: in.To,
		OldestFirst: in.Order == "asc", Limit: in.PerPage,
	}
	if in.Page > 1 {
		q.Skip = (in.Page - 1) * in.PerPage
	}
	if id := extensionOf(ctx).Extension.ID; id != 0 {
		q.Extensions = []int64{id}
	}
	return q, err
}

// callHistory is the one list with a head (spec/http-api.md 1.3). Its elements
// come last: see pageHead.
type callHistory struct {
	Page    int         `json:"page" doc:"page of the list, from 1"`
	PerPage *int        `json:"per_page" doc:"elements of a page; null: the list is whole"`
	Order   string      `json:"order" enum:"asc,desc" doc:"by init_time_gmt"`
	Calls   []CallEntry `json:"call_history" nullable:"false"`
}

// OneCall names a call; embed it in a handler's input.
type OneCall struct {
	ID call.ID `path:"call_uuid" doc:"call_uuid of a call that is up or has ended; @last for the call that ended last"`
}

// lastCall stands for the call that ended last.
const lastCall call.ID = "@last"

// find returns the call that is named.
func (s *Server) find(ctx context.Context, id call.ID) (rec history.Record, running bool, err error) {
	client := clientOf(ctx).ID
	if id == lastCall {
		if id, err = s.cfg.History.Last(ctx, client); err != nil {
			return rec, false, err
		}
	}
	return s.cfg.History.Find(client, id)
}

// callRecords are the handlers of the records.
type callRecords struct {
	*Server
	costly oneAtATime
}

const callHistoryTag = "Call history"

func (s *Server) registerCallHistory() {
	c := &callRecords{Server: s, costly: oneAtATime{running: map[asker]bool{}}}
	const about = "By init_time_gmt, newest first. Without per_page the list is whole. "
	const once = about + "A client may ask for one such list or total at a time; another one meanwhile is answered 429."
	const one = "/client/{client_id}/call_history/{call_uuid}"
	register(s, operation{
		ID: "listCallHistory", Method: http.MethodGet, Path: "/client/{client_id}/call_history/", Tag: callHistoryTag,
		Summary: "Calls that have ended, with their legs", Description: once, Document: listsOf[callHistory],
	}, c.history)
	register(s, operation{
		ID: "getCall", Method: http.MethodGet, Path: one, Tag: callHistoryTag, Summary: "One call with its legs, running or ended",
	}, c.call)
	register(s, operation{
		ID: "listCalls", Method: http.MethodGet, Path: "/client/{client_id}/calls/", Tag: callHistoryTag,
		Summary: "Calls that have ended, without their legs", Description: about, Document: listsOf[[]CallSummary],
	}, c.calls)
	register(s, operation{
		ID: "getCallStats", Method: http.MethodGet, Path: "/client/{client_id}/calls/stats/", Tag: callHistoryTag,
		Summary: "Totals of calls", Description: "Of all calls that the filters leave; paging changes nothing.",
	}, c.stats(s.cfg.History.CallTotals))
	for _, level := range []struct{ path, suffix string }{{"/client/{client_id}", "Client"}, {"/extension/{extension_id}", "Extension"}} {
		register(s, operation{
			ID: "list" + level.suffix + "CDR", Method: http.MethodGet, Path: level.path + "/cdr/", Tag: callHistoryTag,
			Summary: "Legs of calls that have ended", Description: about, Document: listsOf[[]callLeg],
		}, c.legs)
		register(s, operation{
			ID: "get" + level.suffix + "CDRStats", Method: http.MethodGet, Path: level.path + "/cdr/stats/", Tag: callHistoryTag,
			Summary: "Totals of legs", Description: "Of all legs that the filters leave; paging changes nothing.",
		}, c.stats(s.cfg.History.LegTotals))
	}
	s.registerTraces()
}

// history sends calls with their legs. Its place is taken while the list is on
// its way, not only while it is found.
func (c *callRecords) history(ctx context.Context, in *callsIn) (*huma.StreamResponse, error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	list := newSequence(q, c.cfg.History.List, entryOf)
	list.head, list.tail = pageHead(in.Paging, in.Order), "]}\n"
	return &huma.StreamResponse{Body: func(h huma.Context) {
		end, err := c.costly.begin(askerOf(ctx))
		if err != nil {
			r, w := humago.Unwrap(h)
			writeProblem(w, r, errConcurrent)
			return
		}
		defer end()
		list.send(c.Server, h)
	}}, nil
}

func (c *callRecords) calls(ctx context.Context, in *callsIn) (*huma.StreamResponse, error) {
	q, err := in.query(ctx)
	list := newSequence(q, c.cfg.History.List, summaryOf)
	return &huma.StreamResponse{Body: func(h huma.Context) { list.send(c.Server, h) }}, err
}

func (c *callRecords) legs(ctx context.Context, in *callsIn) (*huma.StreamResponse, error) {
	q, err := in.query(ctx)
	list := newSequence(q, c.cfg.History.Legs, legOf)
	return &huma.StreamResponse{Body: func(h huma.Context) { list.send(c.Server, h) }}, err
}

type totalsOut struct{ Body history.Totals }

// stats answers with the totals that count finds.
func (c *callRecords) stats(count func(history.Query) (history.Totals, error)) func(context.Context, *callsIn) (*totalsOut, error) {
	return func(ctx context.Context, in *callsIn) (*totalsOut, error) {
		q, err := in.query(ctx)
		if err != nil {
			return nil, err
		}
		end, err := c.costly.begin(askerOf(ctx))
		if err != nil {
			return nil, err
		}
		defer end()
		totals, err := count(q)
		return &totalsOut{totals}, err
	}
}

func (c *callRecords) call(ctx context.Context, in *OneCall) (*struct{ Body callDetail }, error) {
	rec, running, err := c.find(ctx, in.ID)
	return &struct{ Body callDetail }{callDetail{entryOf(rec), running, rec.Left}}, err
}

// schemaOf is the schema of T in the document.
func schemaOf[T any](schemas huma.Registry) *huma.Schema {
	return schemas.Schema(reflect.TypeFor[T](), true, "")
}
