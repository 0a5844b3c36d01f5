package sip

import (
	"slices"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// info takes digits sent by INFO; anything else is for the peer.
func (l *leg) info(m *wire.Message, f flow) {
	digit, known := infoDigit(m.MediaType(), string(m.Body()))
	switch {
	case digit != 0:
		l.w.answer(m, f, 200, "OK")
		l.digit(digit, digitINFO)
	case known || m.BodySize() == 0:
		l.w.answer(m, f, 200, "OK")
	default:
		l.relayInfo(m, f)
	}
}

// infoDigit reads "Signal=5" (application/dtmf-relay) or a bare "5"
// (application/dtmf). known says that the type is one of the two.
func infoDigit(mediaType, body string) (digit byte, known bool) {
	switch mediaType {
	case "application/dtmf-relay":
		for line := range strings.Lines(body) {
			name, value, _ := strings.Cut(line, "=")
			if strings.EqualFold(strings.TrimSpace(name), "signal") {
				return digitOf(strings.TrimSpace(value)), true
			}
		}
		return 0, true
	case "application/dtmf":
		return digitOf(strings.TrimSpace(body)), true
	}
	return 0, false
}

func digitOf(s string) byte {
	if len(s) == 1 && strings.Contains("0123456789*#ABCD", s) {
		return s[0]
	}
	return 0
}

// digitSource is how a digit reached us.
type digitSource int

const (
	digitRTP digitSource = iota + 1
	digitINFO
)

// digitTwin is how far apart the two reports of one press may be when a phone
// sends RFC 4733 and INFO alike: RTP tells when the key goes down, INFO often
// when it comes up.
const digitTwin = 2 * time.Second

// maxPresses bounds what the filter remembers; 20 a second is the most there is.
const maxPresses = 40

// digitFilter counts one press once (M7). It remembers the presses of which the
// other report may still come. A phone that reports in one way only never meets
// its own presses there.
type digitFilter struct{ presses []press }

type press struct {
	digit byte
	by    digitSource
	at    time.Time
}

// twin reports whether this is the second report of a press.
func (f *digitFilter) twin(d byte, by digitSource, now time.Time) bool {
	f.presses = slices.DeleteFunc(f.presses, func(p press) bool { return now.Sub(p.at) >= digitTwin })
	i := slices.IndexFunc(f.presses, func(p press) bool { return p.digit == d && p.by != by })
	if i >= 0 {
		f.presses = slices.Delete(f.presses, i, i+1)
		return true
	}
	if len(f.presses) < maxPresses {
		f.presses = append(f.presses, press{d, by, now})
	}
	return false
}

func (l *leg) digit(d byte, by digitSource) {
	if l.state == legEnding || l.state == legGone || l.digits.twin(d, by, l.w.now) {
		return
	}
	l.Emit(call.LegEvent{Leg: l.id, Kind: call.LegDigit, Digit: d})
}
