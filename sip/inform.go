package sip

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// informsPerSecond bounds what a phone may send its peer by INFO and MESSAGE.
const informsPerSecond = 10

// informRate counts the INFOs of the present second.
type informRate struct {
	second time.Time
	n      int
}

// allows tells whether one more may pass.
func (r *informRate) allows(now time.Time) bool {
	if now.Sub(r.second) >= time.Second {
		*r = informRate{second: now}
	}
	r.n++
	return r.n <= informsPerSecond
}

// relayInfo takes an INFO that is no key press for the peer of the party (RFC 6086,
// and RFC 2976 before it). Packages are negotiated, and we speak none.
func (l *leg) relayInfo(m *wire.Message, f flow) {
	switch _, packaged := m.Line("Info-Package", 0); {
	case packaged:
		l.w.answer(m, f, 469, "Bad Info Package", wire.Field{Name: "Recv-Info", Value: " "})
	case m.BodySize() > call.MaxInformation:
		l.w.answer(m, f, 413, "Request Entity Too Large")
	case m.MediaType() == "" || strings.HasPrefix(m.MediaType(), "multipart/") || !l.session.Joined():
		l.w.answer(m, f, 415, "Unsupported Media Type",
			wire.Field{Name: "Accept", Value: "application/dtmf-relay, application/dtmf"})
	case !l.informs.allows(l.w.now):
		l.w.server.metrics.refused("info_rate")
		l.w.answer(m, f, 500, "Server Internal Error", wire.Field{Name: "Retry-After", Value: "1"})
	default:
		l.w.answer(m, f, 200, "OK")
		l.Emit(call.LegEvent{Leg: l.id, Kind: call.LegInform, Information: &call.Information{
			Type: strings.Clone(m.MediaType()), Body: bytes.Clone(m.Body()),
		}})
	}
}

// text takes a MESSAGE inside a call (RFC 3428) for the peer of the party. That it
// was passed on is all that is known when it is answered: 202.
func (l *leg) text(m *wire.Message, f flow) {
	kind, _ := m.Header("Content-Type")
	switch {
	case m.BodySize() > call.MaxInformation:
		l.w.answer(m, f, 413, "Request Entity Too Large")
	case len(kind) > longestType:
		l.w.answer(m, f, 415, "Unsupported Media Type", wire.Field{Name: "Accept", Value: "text/plain"})
	case l.state != legUp || !l.session.Joined():
		l.w.answer(m, f, 480, "Temporarily Unavailable")
	case !l.informs.allows(l.w.now):
		l.w.server.metrics.refused("info_rate")
		l.w.answer(m, f, 500, "Server Internal Error", wire.Field{Name: "Retry-After", Value: "1"})
	default:
		l.w.answer(m, f, 202, "Accepted")
		l.Emit(call.LegEvent{Leg: l.id, Kind: call.LegInform, Information: &call.Information{
			Type: strings.Clone(cmp.Or(kind, "text/plain")), Body: bytes.Clone(m.Body()), Text: true,
		}})
	}
}

// inform passes on what the peer sent.
func (l *leg) inform(i call.Information) {
	if l.state != legUp {
		return
	}
	l.follow()
	method := methodInfo
	if i.Text {
		method = methodMessage
	}
	r := l.dialog.request(method)
	r.bodyType, r.body = i.Type, i.Body
	l.w.tell(&r, l.dialog.flow)
}
