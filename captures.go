package cordpair

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cordpair/cordpair/api"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/store"
)

// How many captures there may be at once, and how often one looks for legs that its
// call has got since.
const (
	capturesMost      = 8
	capturesPerClient = 2
	captureLook       = 200 * time.Millisecond
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

// captured is what the audit log has of a capture.
type captured struct {
	CallUUID call.ID `json:"call_uuid"`
}

// Capture implements api.Captures. That it was asked for is in the audit log first.
func (x *captures) Capture(ctx context.Context, client int64, id call.ID) (*media.Capture, error) {
	if x.info(client, id) == nil {
		return nil, fmt.Errorf("call %s: %w", id, store.ErrNotFound)
	}
	if !x.enter(client) {
		return nil, fmt.Errorf("captures: %w", api.ErrInUse)
	}
	err := x.s.db.Config().Update(func(tx *store.Tx) error {
		return x.s.audit.Append(ctx, tx, audit.Write{Client: client, What: "pcap", ID: string(id), After: captured{id}})
	})
	if err != nil {
		x.leave(client)
		return nil, err
	}
	c := media.NewCapture()
	go x.follow(ctx, c, client, id) // ends with ctx, which the request ends, or with the call
	return c, nil
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

// follow taps every leg of the call, those that come later included, until it ends.
func (x *captures) follow(ctx context.Context, c *media.Capture, client int64, id call.ID) {
	defer x.leave(client)
	defer x.s.edge.Untap(c)
	defer c.End()
	tapped := map[call.LegID]bool{}
	tick := time.NewTicker(captureLook)
	defer tick.Stop()
	for rest := captureRest; rest > 0; {
		if info := x.info(client, id); info != nil {
			for i := range info.Legs {
				if leg := info.Legs[i].ID; !tapped[leg] {
					tapped[leg] = true
					x.s.edge.Tap(leg, c)
				}
			}
		} else {
			rest -= captureLook
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
