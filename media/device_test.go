package media

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/media/sdp"
)

// device is a party with ports beside that of its audio: a video phone or a fax
// gateway.
type device struct {
	*phone
	*Session
	extra *phone // where video and fax arrive
	rtcp  *phone // reports about it
	asked int    // how often Events.Unmet came
	body  []byte // our last description
	ours  *sdp.Description
}

// device makes one at a host of its own within prefix.
func (r *rig) device(host string) *device { return r.deviceAt(host, 40500) }

// deviceAt makes one whose video or fax arrives at a port.
func (r *rig) deviceAt(host string, port int) *device {
	r.t.Helper()
	d := &device{phone: r.phone(host + ":0"), extra: r.phone(fmt.Sprint(host, ":", port)), rtcp: r.phone(fmt.Sprint(host, ":", port+1))}
	s, err := r.engine.NewSession(SessionConfig{Local: here, SIPSource: d.addr.Addr(), Events: Events{Unmet: func() { d.asked++ }}})
	if err != nil {
		r.t.Fatal(err)
	}
	d.Session = s
	return d
}

// describes gives the description of the device: words of its lines. "audio",
// "video", "image", with a "-" behind for port 0, and with more formats behind a ":".
func (d *device) describes(lines string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\n", d.addr.Addr())
	for word := range strings.FieldsSeq(lines) {
		word, formats, _ := strings.Cut(word, ":")
		kind, off := strings.CutSuffix(word, "-")
		port := d.extra.addr.Port()
		if kind == "audio" {
			port = d.addr.Port()
		}
		if off {
			port = 0
		}
		switch kind {
		case "audio":
			fmt.Fprintf(&b, "m=audio %d RTP/AVP 0\r\n", port)
		case "image":
			fmt.Fprintf(&b, "m=image %d udptl t38\r\na=T38FaxVersion:0\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n", port)
		case "video":
			if formats == "" {
				formats = "97"
			}
			formats = strings.ReplaceAll(formats, ",", " ")
			fmt.Fprintf(&b, "m=video %d RTP/AVPF %s\r\nb=AS:512\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42801F\r\na=rtcp-fb:* nack pli\r\n", port, formats)
			if strings.Contains(formats, "98") {
				b.WriteString("a=rtpmap:98 VP8/90000\r\n")
			}
		}
	}
	return []byte(b.String())
}

// told notes what we told the device, and gives it in the words of describes.
func (d *device) told(t *testing.T, body []byte) string {
	t.Helper()
	parsed, err := sdp.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	d.body, d.ours = body, parsed
	var words []string
	for i := range parsed.Media {
		m := &parsed.Media[i]
		word := m.Kind
		if m.Port == 0 {
			word += "-"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// offers makes an offer of the device and tells what we answer; "wait" for nothing yet.
func (d *device) offers(t *testing.T, lines string) string {
	t.Helper()
	if _, err := d.SetOffer(d.describes(lines)); err != nil {
		return "no"
	}
	return d.isAnswered(t)
}

func (d *device) isAnswered(t *testing.T) string {
	t.Helper()
	body, err := d.Answer()
	switch {
	case errors.Is(err, ErrUndecided):
		return "wait"
	case err != nil:
		return "no"
	}
	return d.told(t, body)
}

// isOffered gives the device our offer.
func (d *device) isOffered(t *testing.T, like *device) string {
	t.Helper()
	var of *Session
	if like != nil {
		of = like.Session
	}
	body, err := d.Offer(of)
	if err != nil {
		t.Fatal(err)
	}
	return d.told(t, body)
}

// answers takes the device's answer to it, "no" for a refusal.
func (d *device) answers(t *testing.T, lines string) {
	t.Helper()
	if lines == "no" {
		d.Refused()
	} else if _, err := d.SetAnswer(d.describes(lines)); err != nil {
		t.Fatal(err)
	}
	d.phone.r.settle()
}

// port is where our description wants the packets of its line of a kind.
func (d *device) port(kind string) netip.AddrPort {
	for i := range d.ours.Media {
		if m := &d.ours.Media[i]; m.Kind == kind && m.Port != 0 {
			return netip.AddrPortFrom(m.Address, m.Port)
		}
	}
	return netip.AddrPort{}
}

// called makes a call of two devices: what the first offers, what the second answers.
func called(t *testing.T, r *rig, offer, answer string) (a, b *device) {
	t.Helper()
	a, b = r.device("2"), r.device("3")
	connects(t, r, a, b, offer, answer)
	return a, b
}

// connects makes a call of the first to the second.
func connects(t *testing.T, r *rig, a, b *device, offer, answer string) {
	t.Helper()
	if _, err := a.SetOffer(a.describes(offer)); err != nil {
		t.Fatal(err)
	}
	b.isOffered(t, a)
	b.answers(t, answer)
	b.Answered()
	if err := Join(a.Session, b.Session); err != nil {
		t.Fatal(err)
	}
	if got := a.isAnswered(t); got == "no" || got == "wait" {
		t.Fatal(got)
	}
	a.Answered()
	r.settle()
}

// passes tells whether packets of a kind pass both ways, unchanged.
func passes(t *testing.T, r *rig, a, b *device, kind string) bool {
	t.Helper()
	across := func(from, to *device, n byte) bool {
		packet := []byte{0, n, 2, 3, 4, 5, 6} // UDPTL
		if kind == "video" {
			packet = []byte{0x80, 97, 0, n, 1, 2, 3, 4, 9, 9, 9, n, 0xca, 0xfe}
		}
		if !from.port(kind).IsValid() {
			return false
		}
		from.extra.raw(from.port(kind), packet)
		r.settle()
		got := to.extra.datagrams()
		return len(got) == 1 && string(got[0]) == string(packet)
	}
	// The first packet of each side confirms it.
	return across(a, b, 1) && across(b, a, 2)
}
