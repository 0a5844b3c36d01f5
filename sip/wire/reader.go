package wire

// Reader reads message after message into the same memory, for one goroutine at
// a time.
//
// What Parse returns is the caller's until the next Parse of the same Reader.
// Strings it gave out stay as they are for ever, and so do headers in sipgo's form
// (From, To …) and the body; the Message itself is used again, and with it
// what is documented as part of it (Contacts). Who needs the Message
// longer, a transaction that answers later, calls Keep before the turn ends: the
// Reader then leaves it alone and takes a new one.
type Reader struct{ m *Message }

// Parse is the function Parse into the Reader's message.
func (r *Reader) Parse(b []byte) (*Message, error) {
	if r.m == nil || r.m.kept {
		r.m = new(Message)
	}
	if err := r.m.read(b); err != nil {
		return nil, err
	}
	return r.m, nil
}

// Keep makes m last: the Reader it came from does not use it again. It returns m
// and may be called any number of times; a message of the function Parse is kept
// anyway.
func (m *Message) Keep() *Message {
	m.kept = true
	return m
}
