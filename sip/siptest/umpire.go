package siptest

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// mostFaults bounds what an Umpire keeps.
const mostFaults = 50

// Umpire watches a network and checks every message a switch sends against the
// rules of RFC 3261, and of RFC 3262, 3264, 3515, 3581, 4320, 6026 and 6665 where
// they speak of the same: what a good phone would take anyhow is a fault all the same. It takes no
// part, and it knows of the switch only what passes on the wire, lost datagrams
// included.
type Umpire struct {
	hosts []netip.AddrPort // of the switch

	mu     sync.Mutex
	asked  map[txKey]*asking   // requests of the switch
	heard  map[txKey]*hearing  // requests of phones
	dialog map[dialogKey]*side // the switch's side of dialogs: Call-ID and its own tag
	bodies map[string]*session // the switch's session descriptions, by Call-ID
	terms  map[termKey]*term   // what the switch notifies of
	frames map[flowKey][]byte  // begun messages of connections
	faults []string
}

// asking is a request of the switch.
type asking struct {
	m           *Message
	raw         []byte
	stream      bool
	count       int
	provisional bool
	finals      []*Message // of the phone, one for each To tag
}

// hearing is a request of a phone.
type hearing struct {
	m        *Message
	from     netip.AddrPort
	at       time.Time
	trying   bool
	tag      string
	final    *Message
	raw      []byte // the final response
	finalAt  time.Time
	repeated int
	acked    bool
	rseq     uint32 // of the last reliable provisional response, 0 without one
	reliable []byte // that response
	pracked  bool
	settled  bool // the offer was answered reliably
}

// side is what is known of the switch's part in a dialog.
type side struct {
	seq      uint32
	bye      bool
	contacts []string // targets the phone has given
	invite   *asking  // the latest INVITE of the switch in it
	durable  bool     // a subscription: the switch knows it when it comes back
}

// NewUmpire sets an umpire over what is sent from these addresses of a network,
// from now on. It is the network's one watcher.
func NewUmpire(n *Net, hosts ...netip.AddrPort) *Umpire {
	u := &Umpire{hosts: hosts, asked: map[txKey]*asking{}, heard: map[txKey]*hearing{}, dialog: map[dialogKey]*side{}}
	u.Restarted()
	n.Watch(u.see)
	return u
}

// Restarted tells that the switch has lost its memory: it no longer owes answers,
// numbers nor tags to what came before.
func (u *Umpire) Restarted() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for key, h := range u.heard {
		u.heard[key] = &hearing{m: h.m, from: h.from, at: h.at} // it may still be under way
	}
	maps.DeleteFunc(u.dialog, func(_ dialogKey, d *side) bool { return !d.durable })
	u.terms = map[termKey]*term{}
	u.bodies = map[string]*session{}
	u.frames = map[flowKey][]byte{}
}

// Faults are the breaches so far, fifty at most.
func (u *Umpire) Faults() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.faults)
}

// Taken are the INVITEs of phones that began a call since the switch started: those
// it answered with anything other than 100, a challenge or a request to come
// again. Of each the From and the Request-URI are of use.
func (u *Umpire) Taken() []*Message {
	u.mu.Lock()
	defer u.mu.Unlock()
	var list []*Message
	for _, h := range u.heard {
		if h.m.Method == "INVITE" && h.m.toTag() == "" && (h.final == nil && h.tag != "" || h.final != nil && begins(h.final.Code)) {
			list = append(list, h.m)
		}
	}
	return list
}

// begins: a final response that ends a call that was begun.
func begins(code int) bool {
	switch code {
	case 400, 401, 403, 407, 481, 482, 484, 503:
		return false
	}
	return true
}

// Unanswered are the requests of phones of which the switch has said that it has
// them, without answering them.
func (u *Umpire) Unanswered() []*Message {
	u.mu.Lock()
	defer u.mu.Unlock()
	var list []*Message
	for _, h := range u.heard {
		if h.trying && h.final == nil {
			list = append(list, h.m)
		}
	}
	return list
}

func (u *Umpire) see(s Sighting) {
	ours, theirs := slices.Contains(u.hosts, s.From), slices.Contains(u.hosts, s.To)
	if ours == theirs || len(bytes.Trim(s.Data, "\r\n\x00")) == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !s.Stream {
		u.message(s, s.Data, ours)
		return
	}
	key := flowKey{s.From, s.To}
	held := append(u.frames[key], s.Data...)
	for {
		frame, rest, ok := nextFrame(held)
		if held = rest; !ok {
			break
		}
		u.message(s, frame, ours)
	}
	u.frames[key] = held
}

// message judges one message of the switch, or learns from one of a phone. u.mu
// is held.
func (u *Umpire) message(s Sighting, raw []byte, ours bool) {
	m, err := parse(raw)
	switch {
	case err != nil && ours:
		u.fault(s, nil, "cannot be read: %v: %.200q", err, raw)
	case err != nil: // of a phone that says what it likes
	case !ours && m.IsRequest():
		u.hear(s, m)
	case !ours:
		u.learn(m)
	default:
		u.form(s, m, raw)
		if m.IsRequest() {
			u.ask(s, m, raw)
		} else {
			u.answer(s, m, raw)
		}
	}
}

func (u *Umpire) fault(s Sighting, m *Message, format string, args ...any) {
	if len(u.faults) >= mostFaults {
		return
	}
	what := ""
	if m != nil {
		what = fmt.Sprintf("%s (%s, Call-ID %s) ", m.startLine(), m.Header("CSeq"), m.callID())
	}
	u.faults = append(u.faults, s.At.Format("15:04:05.000 ")+what+"to "+s.To.String()+": "+fmt.Sprintf(format, args...))
}

// once are fields of which a message has one at most.
var once = []string{"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type", "Expires", "Event", "Subscription-State", "Refer-To"}

// form checks what holds for any message (RFC 3261 section 7 and 20).
func (u *Umpire) form(s Sighting, m *Message, raw []byte) {
	count := map[string]int{}
	for _, h := range m.Headers {
		count[strings.ToLower(h.Name)]++
		if strings.ContainsFunc(h.Value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			u.fault(s, m, "control characters in %s %q", h.Name, h.Value)
		}
	}
	for _, name := range once {
		if n := count[strings.ToLower(name)]; n > 1 {
			u.fault(s, m, "%s stands there %d times", name, n)
		}
	}
	_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	if length := m.Header("Content-Length"); length != fmt.Sprint(len(body)) {
		u.fault(s, m, "Content-Length %q before %d bytes", length, len(body))
	}
	if len(body) > 0 && m.Header("Content-Type") == "" {
		u.fault(s, m, "a body without Content-Type")
	}
	if m.fromTag() == "" && m.IsRequest() {
		u.fault(s, m, "no From tag")
	}
	if _, method := m.cseq(); m.IsRequest() && method != m.Method {
		u.fault(s, m, "CSeq of another method")
	}
	if m.hasSDP() {
		u.describe(s, m)
	}
}

// hear notes a request of a phone. u.mu is held.
func (u *Umpire) hear(s Sighting, m *Message) {
	if m.Method == "ACK" {
		for _, h := range u.heard {
			if h.m.Method == "INVITE" && h.m.callID() == m.callID() && h.final != nil && h.final.toTag() == m.toTag() {
				h.acked = true
			}
		}
	} else if key := serverKey(m); u.heard[key] == nil {
		u.heard[key] = &hearing{m: m, from: s.From, at: s.At}
	}
	if contact := m.Values("Contact"); len(contact) > 0 && m.toTag() != "" {
		u.target(dialogKey{m.callID(), m.toTag()}, contact[0])
	}
	if m.Method == "PRACK" {
		u.prack(m)
	}
}

// learn notes a response of a phone. u.mu is held.
func (u *Umpire) learn(m *Message) {
	_, method := m.cseq()
	a := u.asked[txKey{branch: m.branch(), method: method}]
	if a == nil {
		return
	}
	if m.Code < 200 {
		a.provisional = true
	} else if !slices.ContainsFunc(a.finals, func(o *Message) bool { return o.toTag() == m.toTag() }) {
		a.finals = append(a.finals, m)
	}
	if contact := m.Values("Contact"); len(contact) > 0 && m.Code < 300 {
		u.target(dialogKey{m.callID(), a.m.fromTag()}, contact[0])
	}
}

// target adds a place where requests of a dialog may go.
func (u *Umpire) target(key dialogKey, contact string) {
	uri, _ := splitAddress(contact)
	if d := u.side(key); !slices.Contains(d.contacts, uri) {
		d.contacts = append(d.contacts, uri)
	}
}

func (u *Umpire) side(key dialogKey) *side {
	d := u.dialog[key]
	if d == nil {
		d = &side{}
		u.dialog[key] = d
	}
	return d
}
