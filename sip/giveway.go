package sip

import "runtime"

// GiveWay is for those with long work to do beside the edge, a tenth of a millisecond
// after the other: it reads what has come in, and lets it be handled. Go looks at the
// network once nobody wants the core, so with few cores a call would wait for the whole
// of their work. It is for anybody but the edge itself, after Start.
func (s *Server) GiveWay() {
	for _, l := range s.udp {
		if !l.look() {
			break // somebody is at it
		}
	}
	runtime.Gosched()
}
