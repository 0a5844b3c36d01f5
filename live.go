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
	infos := slices.DeleteFunc(l.s.calls.Calls(), func(i *call.Info) bool { return i.Client != client })
	slices.SortFunc(infos, func(a, b *call.Info) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Ref.ID, b.Ref.ID))
	})
	return infos
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
