package cordpair

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// live meets api.Calls over the calls that are up.
type live struct{ s *Switch }

// Calls implements api.Calls.
func (l live) Calls(client int64) []*call.Info {
	infos := l.s.calls.CallsOf(client)
	slices.SortFunc(infos, func(a, b *call.Info) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Ref.ID, b.Ref.ID))
	})
	return infos
}

// CallOf implements api.Calls.
func (l live) CallOf(leg call.LegID) (*call.Info, bool) {
	c, ok := l.s.calls.CallOf(leg)
	if !ok {
		return nil, false
	}
	return c.Info(), true
}

// HangupLeg implements api.Calls.
func (l live) HangupLeg(_ context.Context, leg call.LegID) error {
	c, ok := l.s.calls.CallOf(leg)
	if !ok {
		return fmt.Errorf("call %s: %w", leg, store.ErrNotFound)
	}
	c.HangupLeg(leg, call.CauseNormal)
	return nil
}
