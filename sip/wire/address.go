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

// address is what From, To, Contact, Route and their kin have in common
// (RFC 3261 section 20.10). display is the inside of a quoted-string, cleaned.
type address struct {
	display string
	text    string // the URI as spelled
	uri     sip.Uri
	params  sip.HeaderParams
}

// parse reads one name-addr or addr-spec with its header parameters.
func (a *address) parse(s string) error {
	s = trim(s)
	spec := s
	var rest string
	switch i := strings.IndexAny(s, "<;\""); {
	case i == 0 && s[0] == '"':
		n := quotedEnd(s)
		if n < 0 {
			return errAddress
		}
		a.display = Clean(s[1 : n-1])
		s = trim(s[n:])
		if s == "" || s[0] != '<' {
			return errAddress
		}
		spec, rest = bracketed(s)
	case i >= 0 && s[i] == '<':
		name := trim(s[:i])
		if strings.ContainsAny(name, ",") {
			return errAddress // RFC 4475 baddn: where would the list end?
		}
		a.display = Escape(name)
		spec, rest = bracketed(s[i:])
	case i >= 0 && s[i] == '"':
		return errAddress
	default:
		// Without brackets what follows a semicolon belongs to the header,
		// and a URI with a question mark or comma is not allowed.
		if i >= 0 {
			spec, rest = trim(s[:i]), s[i:]
		}
		if strings.ContainsAny(spec, "?,") {
			return errAddress
		}
	}
	a.text = spec
	if err := parseURI(spec, &a.uri); err != nil {
		return err
	}
	return parseParams(rest, &a.params)
}

// bracketed splits "<uri>rest"; without the closing bracket the URI is empty,
// which no URI may be.
func bracketed(s string) (uri, rest string) {
	i := strings.IndexByte(s, '>')
	if i < 0 {
		return "", ""
	}
	return s[1:i], s[i+1:]
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

// tagged reads a From or To value.
func (m *Message) tagged(s string) (*address, error) {
	a := m.scratch(s)
	if err := a.parse(s); err != nil {
		return a, err
	}
	return a, once(a.params, "tag")
}

// parseVia is readVia into a new one.
func parseVia(s string, lenient bool) (*sip.ViaHeader, error) {
	v := &sip.ViaHeader{}
	if err := readVia(v, s, lenient); err != nil {
		return nil, err
	}
	return v, nil
}

// readVia reads one Via value (RFC 3261 section 20.42). With lenient set a
// broken parameter is skipped: an answer needs no more than the first hop.
func readVia(v *sip.ViaHeader, s string, lenient bool) error {
	name, s, ok1 := strings.Cut(trim(s), "/")
	version, s, ok2 := strings.Cut(s, "/")
	s = trim(s)
	i := strings.IndexAny(s, " \t")
	if !ok1 || !ok2 || i < 0 {
		return errValue
	}
	v.ProtocolName, v.ProtocolVersion, v.Transport = trim(name), trim(version), s[:i]
	if !isToken(v.ProtocolName) || !isToken(v.ProtocolVersion) || !isToken(v.Transport) {
		return errValue
	}
	sentBy, params := trim(s[i:]), ""
	if i := strings.IndexByte(sentBy, ';'); i >= 0 {
		sentBy, params = trim(sentBy[:i]), sentBy[i:]
	}
	var err error
	if v.Host, v.Port, err = parseHostPort(sentBy); err != nil {
		return err
	}
	if lenient {
		for piece := range strings.SplitSeq(params, ";") {
			if kv, ok := parseParam(piece); ok && !v.Params.Has(kv.K) {
				v.Params = append(v.Params, kv)
			}
		}
		return nil
	}
	if err := parseParams(params, &v.Params); err != nil {
		return err
	}
	return once(v.Params, "branch")
}
