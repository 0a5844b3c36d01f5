package store

// slab is memory for the keys and rows that a commit writes. Once the commit is done
// and the watchers have heard of it, the next one writes there.
type slab struct{ b []byte }

const (
	slabSize = 64 << 10
	slabMost = 256 << 10 // that is held on to
)

// room is an empty slice to which n bytes can be appended without growing.
func (s *slab) room(n int) []byte {
	if cap(s.b)-len(s.b) < n {
		s.b = make([]byte, 0, max(n, slabSize)) // what lies in the old one stays there
	}
	return s.b[len(s.b):]
}

// keep takes what was appended to room, unless that has grown out of it.
func (s *slab) keep(b []byte) []byte {
	if n := len(s.b) + len(b); cap(s.b)-len(s.b) == cap(b) && n <= cap(s.b) {
		s.b = s.b[:n]
	}
	return b[:len(b):len(b)]
}

// reset forgets everything.
func (s *slab) reset() {
	if cap(s.b) > slabMost {
		s.b = nil
	}
	s.b = s.b[:0]
}
