package siptest

import (
	"strconv"
	"strings"
)

// session is the latest description of the switch in one call.
type session struct {
	id      string
	version uint64
	text    string
}

// describe judges a session description of the switch (RFC 8866 section 5, RFC
// 3264 section 5 and 8).
func (u *Umpire) describe(s Sighting, m *Message) {
	text := string(m.Body)
	kinds := ""
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\r\n") || len(line) < 4 || line[1] != '=' {
			u.fault(s, m, "session description with the line %q", line)
			return
		}
		kinds += line[:1]
	}
	if !strings.HasPrefix(kinds, "vos") || !strings.Contains(kinds, "t") || !strings.Contains(kinds, "c") {
		u.fault(s, m, "session description with the lines %q", kinds)
		return
	}
	d, err := readSDP(m.Body)
	if err != nil {
		u.fault(s, m, "session description nobody can use: %v", err)
	} else if d.rtp.Port()%2 != 0 || d.rtp.Port() == 0 {
		u.fault(s, m, "RTP to port %d", d.rtp.Port())
	}
	u.versioned(s, m, text)
}

// versioned: the version rises by one when the description changes, and only
// then (RFC 3264 section 8).
func (u *Umpire) versioned(s Sighting, m *Message, text string) {
	_, origin, _ := strings.Cut(text, "o=")
	origin, _, _ = strings.Cut(origin, "\r\n")
	fields := strings.Fields(origin)
	if len(fields) < 6 {
		u.fault(s, m, "session description without an origin")
		return
	}
	version, err := strconv.ParseUint(fields[2], 10, 63)
	if err != nil {
		u.fault(s, m, "version %q", fields[2])
	}
	last := u.bodies[m.callID()]
	now := &session{id: fields[1], version: version, text: text}
	u.bodies[m.callID()] = now
	switch {
	case last == nil:
	case last.id != now.id:
		u.fault(s, m, "session %s after %s", now.id, last.id)
	case last.text == text:
	case version != last.version+1:
		u.fault(s, m, "version %d after %d:\n%s\n%s", version, last.version, last.text, text)
	}
}

// complements says what may answer a direction (RFC 3264 section 6.1).
var complements = map[string]string{
	sendrecv: sendrecv + sendonly + recvonly + inactive,
	sendonly: recvonly + inactive,
	recvonly: sendonly + inactive,
	inactive: inactive,
}

// agree judges an answer against its offer.
func (u *Umpire) agree(s Sighting, m, offer *Message) {
	if !offer.hasSDP() {
		return
	}
	theirs, err := readSDP(offer.Body)
	if err != nil {
		return // of a phone that says what it likes
	}
	ours, err := readSDP(m.Body)
	if err != nil {
		return // said already
	}
	if len(ours.medias) != len(theirs.medias) {
		u.fault(s, m, "%d media lines for %d", len(ours.medias), len(theirs.medias))
	}
	if !strings.Contains(complements[theirs.direction], ours.direction) {
		u.fault(s, m, "%s for %s", ours.direction, theirs.direction)
	}
}
