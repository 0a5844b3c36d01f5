package sip

import "github.com/cordpair/cordpair/sip/wire"

// openOptions makes what an OPTIONS is answered with: what we can do, and nothing
// about who we are (A2).
func (s *Server) openOptions() {
	s.options = []wire.Field{
		{Name: "Allow", Value: allowHeader},
		{Name: "Supported", Value: supportedHeader},
		{Name: "Allow-Events", Value: s.events.allow},
		{Name: "Accept", Value: typeSDP},
		{Name: "Accept-Encoding", Value: "identity"},
		{Name: "Accept-Language", Value: "en"},
	}
	s.plainOK = wire.AppendFields(nil, s.options...)
}

// plainOptions answers an OPTIONS that was written as nearly everybody does from the
// bytes it came in, as incoming would, or reports that it has to be read. Phones keep
// their bindings open with them and trunks and proxies watch us by them, so that most
// of what comes in while nobody calls is this. Nothing is kept of one (RFC 3261 8.2.7):
// a repetition gets the same again.
func (w *worker) plainOptions(p packet) bool {
	m, ok := w.server.rules.Plain(p.data)
	if !ok {
		return false
	}
	var room [16]byte
	b, to := m.AppendOK(w.buf[:0], p.from, refusedTag(room[:0], m.CallID()), w.server.plainOK)
	w.buf = b
	f := p.answerFlow(to)
	if !f.reliable() && len(b) > amplification*len(p.data) {
		return false
	}
	w.transmit(f, b)
	return true
}
