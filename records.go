package cordpair

import (
	"errors"
	"fmt"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/store"
)

// CallRecord is a call that has ended.
type CallRecord = history.Record

// CallQuery says which records to list.
type CallQuery = history.Query

// ErrNotRunning says that a switch answers this only while it runs.
var ErrNotRunning = errors.New("the switch is not running")

// CallRecord returns the record of a call that has ended. It is durable within a
// second of the end. The error wraps store.ErrNotFound if there is none.
func (s *Switch) CallRecord(id call.ID) (CallRecord, error) {
	rec, err := s.history.Get(id)
	return rec, whileRunning(err)
}

// CallRecords lists the records of a client without their events, decisions and
// messages, newest first, and the cursor of the next page.
func (s *Switch) CallRecords(q CallQuery) ([]CallRecord, store.Cursor, error) {
	list, next, err := s.history.List(q)
	return list, next, whileRunning(err)
}

// whileRunning tells a switch that does not run from a damaged one.
func whileRunning(err error) error {
	if errors.Is(err, store.ErrClosed) {
		return fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	return err
}

// admission lets calls in unless their records could not be written (O5). What an
// emergency call adds to that is bounded by call.EmergencyCalls, so it may (F8).
type admission struct {
	calls     *call.Registry
	history   *history.History
	emergency func(client int64, number string) bool
}

// Start implements sip.Calls.
func (a admission) Start(leg call.Leg, inv call.Invite) (*call.Call, error) {
	if a.history.Full() && !a.emergency(inv.Client, inv.Dialled) {
		return nil, call.ErrOverload
	}
	return a.calls.Start(leg, inv)
}
