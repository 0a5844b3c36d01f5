package call

import (
	"fmt"
	"net"
	"time"
)

// EventFinding says what is wrong with the audio of a leg.
const EventFinding EventKind = "media.finding"

// Finding is one thing that is wrong with the audio of a leg, or worth knowing
// to whoever looks for a fault.
type Finding struct {
	// Code names the finding for programs: "no_media", "late_media",
	// "other_source", "loss", "jitter", "strangers"; "killed" of a call that the
	// switch did not live to see the end of.
	Code string `json:"code"`
	// Text says it to people, with the figures.
	Text string `json:"text"`
}

// What a finding has to exceed.
const (
	silence     = 2 * time.Second // after the answer without a packet
	lossLimit   = 0.01            // of the packets the party sent
	lossSample  = 100             // packets; fewer make no rate
	jitterLimit = 30              // ms
	strangers   = 10              // packets; fewer are a phone's first STUN or its last report
)

// findings judges the audio of a leg that was answered (zero: never) and ended:
// nothing but what its counters say.
func findings(m *MediaStats, answered, ended time.Time) []Finding {
	var found []Finding
	if m == nil {
		m = &MediaStats{}
	}
	add := func(code, text string, args ...any) { found = append(found, Finding{code, fmt.Sprintf(text, args...)}) }
	if !answered.IsZero() {
		late := m.FirstAt.Sub(answered)
		switch talked := ended.Sub(answered); {
		case m.PacketsReceived == 0 && talked > silence:
			add("no_media", "nothing was received in %v after the answer", talked.Round(time.Second))
		case m.PacketsReceived > 0 && !m.FirstAt.IsZero() && late > silence:
			add("late_media", "the first packet came %v after the answer", late.Round(100*time.Millisecond))
		}
	}
	if a, b := host(m.Signalled), host(m.Source); a != "" && b != "" && a != b {
		add("other_source", "audio comes from %s, not from %s as signalled: an address translator is between", m.Source, m.Signalled)
	}
	if sent := m.PacketsReceived + m.Lost; sent >= lossSample && float64(m.Lost) > lossLimit*float64(sent) {
		add("loss", "%d of %d packets were lost (%.1f %%)", m.Lost, sent, 100*float64(m.Lost)/float64(sent))
	}
	if m.JitterMS > jitterLimit {
		add("jitter", "the packets came with a jitter of %.0f ms", m.JitterMS)
	}
	if m.Dropped >= strangers {
		add("strangers", "%d packets were dropped: malformed, from a stranger or of an unknown type", m.Dropped)
	}
	return found
}

// host is the host of an address, empty without one.
func host(addr string) string {
	if addr == "" {
		return "" // and no error to be made of it
	}
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	return h
}
