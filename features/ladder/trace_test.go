package ladder

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

func TestWriteTrace(t *testing.T) {
	forked := append(decided(t, "102", 1, 0, map[string]string{"102": "no_answer"}),
		call.TraceEntry{At: after(60_000), Branch: "1.2", Who: "extension 103", Kind: call.TraceRule, Name: "after \u202ehours", Verdict: call.VerdictTaken,
			Because: []call.TraceCause{{Condition: "interval", Want: "open 5", Got: "open 5", OK: true}, {Condition: "caller", Want: "anybody", Got: "101", OK: true}},
			Step:    &call.Step{Name: "ring", Branch: "1.2", Args: map[string]any{"extension_id": 3}}},
		call.TraceEntry{At: after(61_000), Kind: call.TraceLimit, Name: "longest call", Verdict: call.VerdictTaken,
			Outcome: &call.Outcome{Kind: call.OutcomeFailed, Cause: call.CauseDuration}})
	for name, trace := range map[string][]call.TraceEntry{"forked": forked, "unknown": decided(t, "199", 1, 0, nil), "nothing": nil} {
		golden(t, "trace-"+name+".txt", func(w io.Writer) error { return WriteTrace(w, trace) })
	}
}

// TestStepText: what is no text is shown as the API has it, not as Go would.
func TestStepText(t *testing.T) {
	step := call.Step{Name: "ring", Args: map[string]any{
		"extension_id": 2, "from": "Phone \"1\"", "diverted": []any{map[string]any{"by": map[string]any{"number": "103"}, "why": "deflection"}}, "caller": nil,
	}}
	const want = `ring caller=null diverted=[{"by":{"number":"103"},"why":"deflection"}] extension_id=2 from=Phone "1"`
	if got := stepText(&step); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestMediaText: a leg that went on in another call was heard there.
func TestMediaText(t *testing.T) {
	for _, c := range []struct {
		col  Column
		want string
	}{
		{Column{Media: &call.MediaStats{}}, "none"},
		{Column{Killed: true}, "not known, the switch was killed"},
		{Column{Media: &call.MediaStats{}, Moved: "FF"}, "counted in call FF, where it went on"},
		{Column{Media: &call.MediaStats{PacketsReceived: 1, FarLost: 2, FarJitterMS: 3, RoundTripMS: 40}},
			"1 packets received, 0 sent, 0 lost, jitter 0.0 ms, far end: 2 lost, jitter 3.0 ms, round trip 40.0 ms"},
		{Column{Media: &call.MediaStats{PacketsReceived: 1}, Moved: "FF"}, "1 packets received, 0 sent, 0 lost, jitter 0.0 ms"},
	} {
		if got := mediaText(c.col); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestOrder holds what the package comment says about equal times.
func TestOrder(t *testing.T) {
	same := began
	l := New(Call{
		Legs: []Leg{
			{ID: legA, Direction: call.Inbound, Messages: []call.Message{{At: same, Line: "INVITE x"}, {At: same, Sent: true, Line: "100 Trying"}}},
			{ID: legB, Direction: call.Outbound, Messages: []call.Message{{At: same, Sent: true, Line: "INVITE y"}, {At: same, Line: "180 Ringing"}}},
		},
		Trace:  []call.TraceEntry{{Seq: 2, At: same, Name: "decided"}, {Seq: 4, At: same.Add(time.Millisecond), Name: "later"}},
		Events: []Event{{Seq: 1, At: same, Kind: call.EventStarted}, {Seq: 3, At: same, Kind: call.EventLegStarted}},
	})
	want := []string{"INVITE", "call accepted", "decided ", "leg begins", "100 Trying", "INVITE", "180 Ringing", "later "}
	for i, r := range l.Rows {
		if i >= len(want) || r.Text != want[i] {
			t.Errorf("row %d is %q", i, r.Text)
		}
	}
	if len(l.Rows) != len(want) || !l.Started.Equal(same) || l.Rows[7].OffsetMS != 1 {
		t.Errorf("%d rows from %v", len(l.Rows), l.Started)
	}
}

// broken is a writer that fails.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWritersTellErrors(t *testing.T) {
	l := New(answered(t))
	for _, err := range []error{l.WriteText(broken{}), l.WriteSVG(broken{}), WriteTrace(broken{}, decided(t, "102", 1, 0, nil))} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%v", err)
		}
	}
}

func FuzzVisible(f *testing.F) {
	for _, s := range []string{"", "101 Reception", "\u202ea\x00", "日本語 x", "\xff\xfe", "e\u0301"} {
		f.Add(s, 5)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = min(max(n, 2), 200)
		v := visible(s)
		for _, r := range v {
			if hidden(r) {
				t.Fatalf("%q shows %q", s, r)
			}
		}
		if w := width(cut(v, n)); w > n {
			t.Fatalf("cut to %d is %d", n, w)
		}
		for _, line := range wrap(v, n) {
			if width(line) > n {
				t.Fatalf("%q does not fit into %d", line, n)
			}
		}
	})
}

func BenchmarkNewAndText(b *testing.B) {
	c := answered(b)
	for b.Loop() {
		if err := New(c).WriteText(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
