package sip

const (
	// copiesSpare bounds the buffers that wait to be used again, copySpare the size of
	// one (O5).
	copiesSpare = 256
	copySpare   = 4096
)

// copies are buffers for what a worker has sent and may have to send again, used
// over and over.
type copies struct{ spare [][]byte }

// copyOf returns a copy of b, which is the caller's until it is given back.
func (t *copies) copyOf(b []byte) []byte {
	var room []byte
	if last := len(t.spare) - 1; last >= 0 {
		room, t.spare = t.spare[last][:0], t.spare[:last]
	}
	return append(room, b...)
}

// giveBack takes a copy back; nobody may look at it any more.
func (t *copies) giveBack(b []byte) {
	if cap(b) > 0 && cap(b) <= copySpare && len(t.spare) < copiesSpare {
		t.spare = append(t.spare, b)
	}
}
