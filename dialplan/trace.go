package dialplan

import "github.com/cordpair/cordpair/dialplan/call"

// usualEntries is how many entries a call leaves that goes from one extension to
// another: one for each place that was looked at, and what was found there.
const usualEntries = 5

// tracer collects the entries of one Advance. The room is taken at once: an
// entry's conditions are slices of one array.
type tracer struct {
	branch  string
	who     string
	entries []call.TraceEntry
	causes  []call.TraceCause
}

func newTracer(branch, who string, room int) *tracer {
	return &tracer{branch, who, make([]call.TraceEntry, 0, room), make([]call.TraceCause, 0, room)}
}

// looked adds an entry of the given kind that one condition decided.
func (t *tracer) looked(kind, name, verdict string, c call.TraceCause) *call.TraceEntry {
	t.causes = append(t.causes, c)
	n := len(t.causes)
	t.entries = append(t.entries, call.TraceEntry{
		Branch: t.branch, Who: t.who, Kind: kind, Name: name, Verdict: verdict,
		Because: t.causes[n-1 : n : n],
	})
	return &t.entries[len(t.entries)-1]
}

// verdict is taken if the condition held, else skipped.
func verdict(ok bool) string {
	if ok {
		return call.VerdictTaken
	}
	return call.VerdictSkipped
}
