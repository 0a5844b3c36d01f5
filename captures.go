package cordpair

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cordpair/cordpair/api"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/store"
)

// How many captures there may be at once.
const (
	capturesMost      = 8
	capturesPerClient = 2
	// captureRest is how long the messages that end a call are waited for.
	captureRest = time.Second
)

// captures meets api.Captures.
type captures struct {
	s       *Switch
	mu      sync.Mutex
	running map[int64]int // by client; those of nobody are not in it
	total   int
}

// captured is what the audit log has of a capture: of a call, or of the next one of an
// extension.
type captured struct {
	CallUUID call.ID `json:"call_uuid,omitempty"`
	Next     string  `json:"next,omitempty"`
}

// Capture implements api.Captures. That it was asked for is in the audit log first.
func (x *captures) Capture(ctx context.Context, client int64, id call.ID) (*media.Capture, error) {
	if x.info(client, id) == nil {
		return nil, fmt.Errorf("call %s: %w", id, store.ErrNotFound)
	}
	f := &follower{x: x, capture: media.NewCapture(), client: client, began: make(chan call.ID, 1)}
	f.began <- id
	return f.capture, f.begin(ctx, string(id), captured{CallUUID: id}, func() bool { return x.s.edge.TapCall(id, f.capture) })
}

// CaptureNext implements api.Captures.
func (x *captures) CaptureNext(ctx context.Context, client int64, number string) (*media.Capture, error) {
	rows := x.s.configuration().Extensions(client)
	at := slices.IndexFunc(rows, func(r dialplan.Row) bool {
		return r.Extension.Number() == number && r.Extension.Type == dialplan.TypePhone
	})
	if at < 0 {
		return nil, fmt.Errorf("phone %s: %w", number, store.ErrNotFound)
	}
	f := &follower{x: x, capture: media.NewCapture(), client: client, began: make(chan call.ID, 1)}
	return f.capture, f.begin(ctx, number, captured{Next: number}, func() bool {
		return x.s.edge.TapNext(rows[at].Extension.ID, f.capture, func(id call.ID) { f.began <- id })
	})
}

func (x *captures) enter(client int64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.total >= capturesMost || x.running[client] >= capturesPerClient {
		return false
	}
	if x.running == nil {
		x.running = map[int64]int{}
	}
	x.total++
	x.running[client]++
	return true
}

func (x *captures) leave(client int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.total--
	if x.running[client]--; x.running[client] == 0 {
		delete(x.running, client)
	}
}

// info is a running call of a client, or nil.
func (x *captures) info(client int64, id call.ID) *call.Info {
	calls := x.s.calls.CallsOf(client)
	if i := slices.IndexFunc(calls, func(c *call.Info) bool { return c.Ref.ID == id }); i >= 0 {
		return calls[i]
	}
	return nil
}

// follower sees to it that a capture has all legs of its call.
type follower struct {
	x       *captures
	capture *media.Capture
	client  int64
	began   chan call.ID // one place: which call it is, once
	id      call.ID      // of the call, empty before it is known
	tapped  map[call.LegID]bool
	events  *call.Subscription
}

// begin enters the capture, says so in the audit log, and taps.
func (f *follower) begin(ctx context.Context, what string, after captured, tap func() bool) error {
	x := f.x
	if !x.enter(f.client) {
		return fmt.Errorf("captures: %w", api.ErrInUse)
	}
	err := x.s.db.Config().Update(func(tx *store.Tx) error {
		return x.s.audit.Append(ctx, tx, audit.Write{Client: f.client, What: "pcap", ID: what, After: after})
	})
	if err == nil && !tap() {
		err = fmt.Errorf("%s is captured already: %w", what, api.ErrInUse)
	}
	if err != nil {
		x.leave(f.client)
		return err
	}
	f.tapped, f.events = map[call.LegID]bool{}, x.s.bus.Subscribe("pcap")
	f.up()           // now: what comes after the answer to the request is in the file
	go f.follow(ctx) // ends with ctx, which the request ends, or with the call
	return nil
}

// follow waits for the call and taps its legs until it ends: those it has, and those
// that move into it. Those that are made for it are tapped by the edge.
func (f *follower) follow(ctx context.Context) {
	defer f.x.leave(f.client)
	defer f.x.s.edge.Untap(f.capture)
	defer f.capture.End()
	defer f.events.Close()
	for over := !f.up(); !over; {
		ev, ok := f.events.Next(ctx)
		if !ok {
			return
		}
		over = !f.up() || ev.Call == f.id && ev.Kind == call.EventEnded
	}
	select {
	case <-time.After(captureRest):
	case <-ctx.Done():
	}
}

// up taps the legs there are; false when the call is over.
func (f *follower) up() bool {
	if f.id == "" {
		select {
		case f.id = <-f.began:
		default:
			return true
		}
	}
	info := f.x.info(f.client, f.id)
	if info == nil {
		return false
	}
	for i := range info.Legs {
		if leg := info.Legs[i].ID; !f.tapped[leg] {
			f.tapped[leg] = f.x.s.edge.TapLeg(leg, f.capture)
		}
	}
	return true
}
