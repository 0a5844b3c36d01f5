package wire

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// room is what an ordinary message needs, so that it is allocated as one piece.
// What does not fit is allocated as it comes.
type room struct {
	fields   [16]field
	vias     [1]*sip.ViaHeader
	via      sip.ViaHeader
	from     sip.FromHeader
	to       sip.ToHeader
	contacts [1]Contact
	contact  sip.ContactHeader
	params   [10]sip.HeaderKV
	taken    int // of params
	address  address
}

// paramsOf has room for the parameters of a value, or is nil.
func (m *Message) paramsOf(value string) sip.HeaderParams {
	n := strings.Count(value, ";")
	from := m.room.taken
	if n == 0 || from+n > len(m.room.params) {
		return nil
	}
	m.room.taken += n
	return m.room.params[from : from : from+n]
}

// scratch is an empty address to read value into; there is only one.
func (m *Message) scratch(value string) *address {
	m.room.address = address{params: m.paramsOf(value)}
	return &m.room.address
}

func (m *Message) nextVia(value string) *sip.ViaHeader {
	if len(m.vias) > 0 {
		return &sip.ViaHeader{}
	}
	m.vias = m.room.vias[:0]
	m.room.via.Params = m.paramsOf(value)
	return &m.room.via
}

func (m *Message) nextContact() Contact {
	if len(m.contacts) > 0 {
		return Contact{&sip.ContactHeader{}}
	}
	m.contacts = m.room.contacts[:0]
	return Contact{&m.room.contact}
}
