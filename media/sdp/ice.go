package sdp

import (
	"net/netip"
	"strconv"
	"strings"
)

// MaxCandidates is how many ICE candidates of one m= line are read; the others are
// passed over.
const MaxCandidates = 32

// ICE is what one side says about ICE for one m= line (RFC 8839).
type ICE struct {
	// Ufrag and Pwd are the credentials, from the line or the session; both empty
	// when either is missing or is not what RFC 8839 section 5.4 allows.
	Ufrag, Pwd string
	// Lite is set for a side that only answers checks.
	Lite bool
	// Options are the words of a=ice-options, such as "trickle" and "ice2".
	Options []string
	// Candidates are those of the line, at most MaxCandidates.
	Candidates []Candidate
	// End says that no more candidates come (RFC 8840).
	End bool
}

// Used tells whether the side can be checked at all.
func (i *ICE) Used() bool { return i != nil && i.Ufrag != "" }

// Candidate is one a=candidate line (RFC 8839 section 5.1).
type Candidate struct {
	Foundation string
	Component  uint8  // 1 RTP, 2 RTCP
	Transport  string // "udp", "tcp", lower case
	Priority   uint32
	// Address is invalid when Host is a name, as with browsers that hide their
	// address (mDNS).
	Address netip.AddrPort
	Host    string // as written
	Type    string // "host", "srflx", "prflx", "relay"
}

// readCandidate reads the value of an a=candidate line; it is false when something
// is missing.
func readCandidate(value string) (Candidate, bool) {
	var f [8]string
	if firstFields(value, f[:]) < len(f) || !strings.EqualFold(f[6], "typ") {
		return Candidate{}, false
	}
	component, err := readNumber(f[1], 255)
	priority, errPriority := strconv.ParseUint(f[3], 10, 32)
	port, errPort := readNumber(f[5], 65535)
	if err != nil || errPriority != nil || errPort != nil || component == 0 {
		return Candidate{}, false
	}
	c := Candidate{
		Foundation: f[0], Component: uint8(component), Transport: strings.ToLower(f[2]),
		Priority: uint32(priority), Host: f[4], Type: strings.ToLower(f[7]),
	}
	if a := readAddress(f[4]); a.IsValid() {
		c.Address = netip.AddrPortFrom(a, uint16(port))
	}
	return c, true
}

// isCredential tells whether a word is made of at least so many ice-chars.
func isCredential(word string, least int) bool {
	return len(word) >= least && len(word) <= 256 && strings.IndexFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '+' && r != '/'
	}) < 0
}

// settle drops credentials that cannot be used.
func (i *ICE) settle() {
	if !isCredential(i.Ufrag, 4) || !isCredential(i.Pwd, 22) {
		i.Ufrag, i.Pwd = "", ""
	}
}

// appendTo writes the lines of one m= line; a=ice-lite belongs to the session.
func (i *ICE) appendTo(b []byte) []byte {
	b = append(append(append(b, "a=ice-ufrag:"...), i.Ufrag...), "\r\n"...)
	b = append(append(append(b, "a=ice-pwd:"...), i.Pwd...), "\r\n"...)
	if len(i.Options) > 0 {
		b = append(append(append(b, "a=ice-options:"...), strings.Join(i.Options, " ")...), "\r\n"...)
	}
	for _, c := range i.Candidates {
		b = c.appendTo(b)
	}
	if i.End {
		b = append(b, "a=end-of-candidates\r\n"...)
	}
	return b
}

func (c *Candidate) appendTo(b []byte) []byte {
	b = append(append(append(b, "a=candidate:"...), c.Foundation...), ' ')
	b = strconv.AppendUint(b, uint64(c.Component), 10)
	b = append(append(append(b, ' '), c.Transport...), ' ')
	b = strconv.AppendUint(b, uint64(c.Priority), 10)
	b = c.Address.Addr().AppendTo(append(b, ' '))
	b = strconv.AppendUint(append(b, ' '), uint64(c.Address.Port()), 10)
	return append(append(append(b, " typ "...), c.Type...), "\r\n"...)
}
