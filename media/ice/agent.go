package ice

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"

	"github.com/pion/stun/v4"
)

// Credentials are what one side's checks are made with (RFC 8445 section 5.3).
type Credentials struct{ Ufrag, Pwd string }

// NewCredentials draws credentials of 48 and 144 random bits.
func NewCredentials() Credentials {
	const chars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	for i, x := range b {
		b[i] = chars[x&63]
	}
	return Credentials{Ufrag: string(b[:8]), Pwd: string(b[8:])}
}

// Verdict is what a datagram was worth.
type Verdict uint8

// The verdicts.
const (
	Refused   Verdict = iota // no check of the far end: no effect, no reply
	Conflict                 // it shall take the other role; there is a reply
	Checked                  // its source is the far end's
	Nominated                // and is where the far end wants us to send
)

const (
	// maxPaths bounds the addresses of the far end that are known at once.
	maxPaths = 8
	// consent is how long one check lets us send (RFC 7675 section 5.1), in ns.
	consent = 30e9
	// settled is how long a nominated path must have been quiet before one of lower
	// priority takes its place, in ns: agents that nominate every check they make
	// (RFC 5245 section 8.1.1.2) mean the best of them.
	settled = 3e9
)

// path is an address the far end has proven to hold.
type path struct {
	from netip.AddrPort
	at   int64 // of its last check
}

// Agent answers the checks of one far end on one port.
type Agent struct {
	local     Credentials
	remote    string // its ufrag
	integrity stun.MessageIntegrity
	paths     [maxPaths]path
	// Of the path that was nominated.
	chosen   netip.AddrPort
	chosenAt int64
	priority uint32

	request stun.Message // kept for its slices
	reply   stun.Message
}

// NewAgent makes the agent of a port with our credentials. remote is the far
// end's ufrag, without which nothing of it is taken.
func NewAgent(local Credentials, remote string) *Agent {
	return &Agent{local: local, remote: remote, integrity: stun.NewShortTermIntegrity(local.Pwd)}
}

// Restart makes the agent that goes on under other credentials (RFC 8445 section
// 9): what was proven and chosen holds until the far end chooses anew.
func (a *Agent) Restart(local Credentials, remote string) *Agent {
	next := NewAgent(local, remote)
	next.paths, next.chosen, next.chosenAt = a.paths, a.chosen, a.chosenAt
	return next
}

// Is tells whether the agent was made for these credentials: others mean a restart.
func (a *Agent) Is(local Credentials, remote string) bool {
	return a.local == local && a.remote == remote
}

// Answer judges a datagram that claims to be STUN. The reply, which is to go back
// to from, is nil when there is none; it is valid until the next call. now is in
// ns, of any clock that does not jump.
func (a *Agent) Answer(b []byte, from netip.AddrPort, now int64) (reply []byte, v Verdict) {
	m := &a.request
	m.Raw = append(m.Raw[:0], b...)
	if m.Decode() != nil || m.Type != stun.BindingRequest || !a.genuine(m) {
		return nil, Refused
	}
	signed := covered(m)
	if unknown := foreign(signed); len(unknown) > 0 {
		return a.refuse(stun.CodeUnknownAttribute, unknown), Refused
	}
	if has(signed, stun.AttrICEControlled) {
		return a.refuse(stun.CodeRoleConflict, nil), Conflict // a lite agent is the controlled one (RFC 8445 section 6.1.1)
	}
	a.learn(from, now)
	v = Checked
	if has(signed, stun.AttrUseCandidate) && a.nominate(from, priorityOf(signed), now) {
		v = Nominated
	}
	return a.accept(from), v
}

// genuine tells whether the request was made with our credentials. The name is
// looked at first: it costs less than the code.
func (a *Agent) genuine(m *stun.Message) bool {
	if !stun.IsMessage(m.Raw) {
		return false
	}
	name, err := m.Get(stun.AttrUsername)
	n := len(a.local.Ufrag)
	if err != nil || len(name) <= n || string(name[:n]) != a.local.Ufrag || name[n] != ':' {
		return false
	}
	if a.remote == "" || string(name[n+1:]) != a.remote {
		return false
	}
	if a.integrity.Check(m) != nil {
		return false
	}
	// A check without it is one of an old agent (RFC 8445 section 7.1.1 wants it).
	err = stun.Fingerprint.Check(m)
	return err == nil || errors.Is(err, stun.ErrAttributeNotFound)
}

// covered are the attributes that the integrity vouches for: what stands behind it
// may be anybody's (RFC 8489 section 14.5).
func covered(m *stun.Message) stun.Attributes {
	for i, x := range m.Attributes {
		if x.Type == stun.AttrMessageIntegrity {
			return m.Attributes[:i]
		}
	}
	return nil
}

func has(list stun.Attributes, t stun.AttrType) bool {
	_, ok := list.Get(t)
	return ok
}

// priorityOf is the priority the far end gives to the path.
func priorityOf(list stun.Attributes) uint32 {
	if x, ok := list.Get(stun.AttrPriority); ok && len(x.Value) == 4 {
		return binary.BigEndian.Uint32(x.Value)
	}
	return 0
}

// foreign lists attributes that must be understood and are not (RFC 8489 section
// 6.3.1).
func foreign(list stun.Attributes) (out []byte) {
	for _, x := range list {
		switch x.Type {
		case stun.AttrUsername, stun.AttrPriority, stun.AttrUseCandidate:
		default:
			if x.Type < 0x8000 {
				out = binary.BigEndian.AppendUint16(out, uint16(x.Type))
			}
		}
	}
	return out
}

// learn notes that the far end holds an address. The one that was silent longest
// makes room.
func (a *Agent) learn(from netip.AddrPort, now int64) {
	oldest := 0
	for i := range a.paths {
		if a.paths[i].from == from {
			a.paths[i].at = now
			return
		}
		if a.paths[i].from != a.chosen && (a.paths[i].at < a.paths[oldest].at || a.paths[oldest].from == a.chosen) {
			oldest = i
		}
	}
	a.paths[oldest] = path{from, now}
}

// nominate tells whether the far end's choice makes from the path we send on.
func (a *Agent) nominate(from netip.AddrPort, priority uint32, now int64) bool {
	if a.chosen.IsValid() && from != a.chosen && priority < a.priority && now-a.chosenAt < settled {
		return false
	}
	a.chosen, a.chosenAt, a.priority = from, now, priority
	return true
}

// Knows tells whether the far end has proven to hold an address, and not too long
// ago.
func (a *Agent) Knows(from netip.AddrPort, now int64) bool {
	for i := range a.paths {
		if p := &a.paths[i]; p.from == from {
			return now-p.at < consent
		}
	}
	return false
}

// Chosen is where the far end wants us to send; invalid before it said so, and when
// it has not renewed its consent for half a minute (RFC 7675).
func (a *Agent) Chosen(now int64) netip.AddrPort {
	if !a.chosen.IsValid() || !a.Knows(a.chosen, now) {
		return netip.AddrPort{}
	}
	return a.chosen
}

// accept writes the success response.
func (a *Agent) accept(from netip.AddrPort) []byte {
	seen := stun.XORMappedAddress{IP: net.IP(from.Addr().AsSlice()), Port: int(from.Port())}
	return a.write(stun.BindingSuccess, &seen)
}

// refuse writes an error response.
func (a *Agent) refuse(code stun.ErrorCode, unknown []byte) []byte {
	if len(unknown) > 0 {
		return a.write(stun.BindingError, code, stun.RawAttribute{Type: stun.AttrUnknownAttributes, Value: unknown})
	}
	return a.write(stun.BindingError, code)
}

// write builds a response to the request at hand.
func (a *Agent) write(kind stun.MessageType, parts ...stun.Setter) []byte {
	r := &a.reply
	r.TransactionID = a.request.TransactionID
	all := append([]stun.Setter{kind}, parts...)
	if r.Build(append(all, a.integrity, stun.Fingerprint)...) != nil {
		return nil // only an address of neither family cannot be written
	}
	return r.Raw
}
