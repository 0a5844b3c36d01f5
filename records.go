package cordpair

import (
	"errors"

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
	h := s.history.Load()
	if h == nil {
		return CallRecord{}, ErrNotRunning
	}
	return h.Get(id)
}

// CallRecords lists the records of a client, newest first, and the cursor of the
// next page.
func (s *Switch) CallRecords(q CallQuery) ([]CallRecord, store.Cursor, error) {
	h := s.history.Load()
	if h == nil {
		return nil, "", ErrNotRunning
	}
	return h.List(q)
}

// recordStats are the counters of the writer; none before Run.
func (s *Switch) recordStats() history.Stats {
	if h := s.history.Load(); h != nil {
		return h.Stats()
	}
	return history.Stats{}
}
