package wire

import (
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"
)

var (
	errAddress   = errors.New("malformed address")
	errDuplicate = errors.New("repeated parameter")
	errValue     = errors.New("malformed value")
)

// address is a party in sipgo's form. display is the inside of a quoted-string,
// cleaned.
type address struct {
	display string
	uri     sip.Uri
	params  sip.HeaderParams
}

// parse reads one name-addr or addr-spec with its header parameters.
func (a *address) parse(s string) error {
	var p Party
	if err := p.scan(s); err != nil {
		return err
	}
	return a.take(&p)
}

func (a *address) take(p *Party) error {
	a.display, a.uri = p.name(), p.URI.build()
	return parseParams(p.params, &a.params)
}

// hop is one Via value, cut up (RFC 3261 section 20.42).
type hop struct {
	head      string // protocol, transport and sent-by as they stand
	transport string
	host      string
	port      int // 0 when absent
	params    string
	branch    string
	rport     bool
	lenient   bool // what is broken among params is to be left out
}

// scan reads a Via value. With lenient set a broken parameter does no harm: an
// answer needs no more than the first hop.
func (h *hop) scan(s string, lenient bool) error {
	s = trim(s)
	*h = hop{head: s, lenient: lenient}
	if i := strings.IndexByte(s, ';'); i >= 0 {
		h.head, h.params = trim(s[:i]), s[i:]
	}
	name, rest, ok1 := strings.Cut(h.head, "/")
	version, rest, ok2 := strings.Cut(rest, "/")
	rest = skip(rest)
	n := span(rest, inToken)
	h.transport = rest[:n]
	if !ok1 || !ok2 || !isToken(trim(name)) || !isToken(trim(version)) || n == 0 || n == len(rest) || !isBlank(rest[n]) {
		return errValue
	}
	var err error
	if h.host, h.port, err = parseHostPort(trim(rest[n:])); err != nil {
		return err
	}
	list, more, ok := afterSemi(h.params)
	branched := false
	for more && (ok || lenient) {
		var name, value string
		name, value, list, more, ok = h.param(list)
		switch {
		case isNamed(name, "rport"):
			h.rport = true
		case isNamed(name, "branch"):
			if branched && !lenient {
				return errDuplicate
			}
			h.branch, branched = value, true
		}
	}
	if !ok && !lenient {
		return errParam
	}
	return nil
}

// param is nextParam for this hop.
func (h *hop) param(list string) (name, value, rest string, more, ok bool) {
	if !h.lenient {
		return nextParam(list)
	}
	piece, rest, more := strings.Cut(list, ";")
	name, value, _, _, ok = nextParam(piece)
	return name, value, rest, more, ok
}

// build gives the sipgo header of a value that was read.
func (h *hop) build() *sip.ViaHeader {
	name, rest, _ := strings.Cut(h.head, "/")
	version, _, _ := strings.Cut(rest, "/")
	v := &sip.ViaHeader{
		ProtocolName: trim(name), ProtocolVersion: trim(version), Transport: h.transport, Host: h.host, Port: h.port,
	}
	_ = parseParams(h.params, &v.Params) // read before
	return v
}

// once fails when a parameter that identifies something occurs twice.
func once(p sip.HeaderParams, name string) error {
	seen := false
	for _, kv := range p {
		if kv.K == name {
			if seen {
				return errDuplicate
			}
			seen = true
		}
	}
	return nil
}
