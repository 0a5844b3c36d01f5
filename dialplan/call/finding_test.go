package call_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
)

// TestFindings: each finding at its limit and just beyond.
func TestFindings(t *testing.T) {
	answer := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(d time.Duration) time.Time { return answer.Add(d) }
	for _, tt := range []struct {
		name     string
		m        call.MediaStats
		answered time.Time
		ended    time.Time
		want     string
	}{
		{"a good talk", call.MediaStats{PacketsReceived: 3000, FirstAt: at(20 * time.Millisecond), Signalled: "192.0.2.7:4000", Source: "192.0.2.7:4002"}, answer, at(time.Minute), ""},
		{"never answered", call.MediaStats{}, time.Time{}, at(time.Minute), ""},
		{"too short to say", call.MediaStats{}, answer, at(2 * time.Second), ""},
		{"silent", call.MediaStats{}, answer, at(2100 * time.Millisecond), "no_media: sent nothing in 2s after the answer"},
		{"all of it dropped", call.MediaStats{Dropped: 30}, answer, at(time.Minute), "strangers: had 30 packets dropped: malformed, from a stranger or of an unknown type"},
		{"in time", call.MediaStats{PacketsReceived: 1, FirstAt: at(2 * time.Second)}, answer, at(time.Minute), ""},
		{"late", call.MediaStats{PacketsReceived: 1, FirstAt: at(3140 * time.Millisecond)}, answer, at(time.Minute), "late_media: sent its first packet 3.1s after the answer"},
		{"early media", call.MediaStats{PacketsReceived: 1, FirstAt: at(-time.Second)}, answer, at(time.Minute), ""},
		{"first packet unknown", call.MediaStats{PacketsReceived: 1}, answer, at(time.Minute), ""},
		{"translated", call.MediaStats{PacketsReceived: 1, Signalled: "10.0.0.7:4000", Source: "192.0.2.7:61000"}, answer, at(time.Minute),
			"other_source: sent audio from 192.0.2.7:61000, not from 10.0.0.7:4000 as signalled: an address translator is between"},
		{"source unknown", call.MediaStats{PacketsReceived: 1, Signalled: "10.0.0.7:4000"}, answer, at(time.Minute), ""},
		{"one in a hundred", call.MediaStats{PacketsReceived: 99, Lost: 1}, answer, at(time.Minute), ""},
		{"two in a hundred", call.MediaStats{PacketsReceived: 98, Lost: 2}, answer, at(time.Minute), "loss: lost 2 of 100 packets on the way to us (2.0 %)"},
		{"two in few", call.MediaStats{PacketsReceived: 50, Lost: 2}, answer, at(time.Minute), ""},
		{"steady", call.MediaStats{PacketsReceived: 1, JitterMS: 30}, answer, at(time.Minute), ""},
		{"shaken", call.MediaStats{PacketsReceived: 1, JitterMS: 30.6}, answer, at(time.Minute), "jitter: sent packets that came with a jitter of 31 ms"},
		{"strangers", call.MediaStats{PacketsReceived: 1, Dropped: 30}, answer, at(time.Minute),
			"strangers: had 30 packets dropped: malformed, from a stranger or of an unknown type"},
	} {
		var got []string
		for _, f := range call.Findings(&tt.m, tt.answered, tt.ended) {
			got = append(got, string(f.Code)+": "+f.Text)
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, s, tt.want)
		}
	}
}

// TestFindingsOnce: whatever the counters say, no code comes twice, and more
// trouble never means fewer findings.
func TestFindingsOnce(t *testing.T) {
	base := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.Uint64Range(0, 300)
		m := call.MediaStats{
			PacketsReceived: small.Draw(t, "received"), Lost: small.Draw(t, "lost"), Dropped: small.Draw(t, "dropped"),
			JitterMS: rapid.Float64Range(0, 60).Draw(t, "jitter"),
		}
		ended := base.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
		found := call.Findings(&m, base, ended)
		codes := map[call.FindingCode]bool{}
		for _, f := range found {
			if codes[f.Code] || f.Text == "" {
				t.Fatalf("%+v", found)
			}
			codes[f.Code] = true
		}
		m.Lost += 10
		m.Dropped++
		m.JitterMS += 31
		if worse := call.Findings(&m, base, ended); len(worse) < len(found) {
			t.Fatalf("%+v, worse %+v", found, worse)
		}
	})
}

// TestFindingEvents: findings stand in the sequence before the end of their leg,
// and not for a leg without trouble.
func TestFindingEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sw := calltest.New(t, effects(), calltest.Steps(step("ring")))
		caller, callee, c := talking(t, sw)
		callee.SetStats(call.MediaStats{Dropped: 10, JitterMS: 40})
		pass(time.Minute)
		caller.HangUp()
		pass(0)
		wantStory(t, sw, c, "started leg-started leg-started ringing answered answered leg-ended(normal) finding finding leg-ended(normal) ended(normal)")
		for i, code := range []call.FindingCode{call.FindingJitter, call.FindingStrangers} {
			if ev := sw.Events(c.ID())[7+i]; ev.Leg != callee.ID() || ev.Finding == nil || ev.Finding.Code != code || ev.Party.Extension != 2 {
				t.Errorf("%+v", ev)
			}
		}
	})
}
