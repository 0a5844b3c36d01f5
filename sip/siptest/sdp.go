package siptest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Directions of a stream (RFC 8866 section 6.7).
const (
	sendrecv = "sendrecv"
	sendonly = "sendonly"
	recvonly = "recvonly"
	inactive = "inactive"
)

// ErrNoCommonCodec is returned for a session description this phone cannot
// talk over.
var ErrNoCommonCodec = errors.New("siptest: no common codec")

// description is what the phone reads from a session description (RFC 8866):
// its first audio stream.
type description struct {
	rtp, rtcp netip.AddrPort
	codecs    []Codec // PCMU and PCMA in the order of the m-line
	event     int     // payload type of telephone-event, 0 for none
	direction string
	medias    []string // every m-line, without "m="
	audio     int      // index of the stream in medias
}

// readSDP reads a session description. Other streams than the first usable audio
// one are only kept to be refused.
func readSDP(body []byte) (description, error) {
	d := description{direction: sendrecv, audio: -1}
	var session, media netip.Addr
	rtcpPort := 0
	for line := range strings.Lines(string(body)) {
		kind, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		here := d.audio >= 0 && d.audio == len(d.medias)-1
		switch {
		case kind == "m":
			d.medias = append(d.medias, value)
			if d.audio < 0 {
				d.readMedia(value)
			}
		case kind == "c" && len(d.medias) == 0:
			session = connection(value)
		case kind == "c" && here:
			media = connection(value)
		case kind == "a" && (here || len(d.medias) == 0):
			name, rest, _ := strings.Cut(value, ":")
			switch name {
			case sendrecv, sendonly, recvonly, inactive:
				d.direction = name
			case "rtcp":
				port, _, _ := strings.Cut(rest, " ")
				rtcpPort, _ = strconv.Atoi(port) // 0 stands for the usual port
			case "rtpmap":
				d.readMap(rest)
			}
		}
	}
	if d.audio < 0 {
		return d, fmt.Errorf("%w: no audio stream", ErrNoCommonCodec)
	}
	if !media.IsValid() {
		media = session
	}
	if !media.IsValid() {
		return d, fmt.Errorf("%w: no connection address", ErrNoCommonCodec)
	}
	d.rtp = netip.AddrPortFrom(media, d.rtp.Port())
	if rtcpPort == 0 {
		rtcpPort = int(d.rtp.Port()) + 1
	}
	d.rtcp = netip.AddrPortFrom(media, uint16(rtcpPort))
	if media.IsUnspecified() {
		d.direction = inactive // hold as in RFC 2543
	}
	return d, nil
}

func (d *description) readMedia(value string) {
	fields := strings.Fields(value)
	if len(fields) < 4 || fields[0] != "audio" || !strings.HasPrefix(fields[2], "RTP/AVP") {
		return
	}
	port, err := strconv.ParseUint(fields[1], 10, 16)
	if err != nil || port == 0 {
		return
	}
	d.audio = len(d.medias) - 1
	d.rtp = netip.AddrPortFrom(netip.Addr{}, uint16(port))
	for _, f := range fields[3:] {
		if f == "0" || f == "8" {
			d.codecs = append(d.codecs, Codec(f[0]-'0'))
		}
	}
}

func (d *description) readMap(value string) {
	pt, format, _ := strings.Cut(value, " ")
	n, err := strconv.Atoi(pt)
	if err == nil && n > 0 && n < 128 && strings.EqualFold(strings.TrimSpace(format), "telephone-event/8000") {
		d.event = n
	}
}

// connection reads "IN IP4 10.0.0.1".
func connection(value string) netip.Addr {
	fields := strings.Fields(value)
	if len(fields) < 3 {
		return netip.Addr{}
	}
	host, _, _ := strings.Cut(fields[2], "/")
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{} // a name; the phone asks no DNS
	}
	return addr.Unmap()
}

// writeSDP renders our side: the audio stream in its place among the streams of
// the offer, all others refused with port 0 (RFC 3264 section 6).
func writeSDP(local netip.AddrPort, session uint64, version int, codecs []Codec, event int, direction string, medias []string, audio int) []byte {
	family := "IP4"
	if local.Addr().Is6() {
		family = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", session, version, family, local.Addr(), family, local.Addr())
	for i, m := range medias {
		if i == audio {
			writeAudio(&b, local.Port(), codecs, event, direction)
			continue
		}
		fields := strings.Fields(m)
		if len(fields) > 3 {
			fields[1] = "0"
			fmt.Fprintf(&b, "m=%s\r\n", strings.Join(fields, " "))
		}
	}
	return []byte(b.String())
}

func writeAudio(b *strings.Builder, port uint16, codecs []Codec, event int, direction string) {
	fmt.Fprintf(b, "m=audio %d RTP/AVP", port)
	for _, c := range codecs {
		fmt.Fprintf(b, " %d", c)
	}
	if event != 0 {
		fmt.Fprintf(b, " %d", event)
	}
	b.WriteString("\r\n")
	for _, c := range codecs {
		name := "PCMU"
		if c == PCMA {
			name = "PCMA"
		}
		fmt.Fprintf(b, "a=rtpmap:%d %s/8000\r\n", c, name)
	}
	if event != 0 {
		fmt.Fprintf(b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-16\r\n", event, event)
	}
	fmt.Fprintf(b, "a=ptime:20\r\na=%s\r\n", direction)
}

// common returns the codecs both have, in the order of the first list.
func common(first, second []Codec) []Codec {
	var out []Codec
	for _, c := range first {
		if slices.Contains(second, c) {
			out = append(out, c)
		}
	}
	return out
}

// answerDirection is ours when the far end offers theirs and we want to send as
// well as receive, or, when holding, only to send (RFC 3264 section 6.1).
func answerDirection(theirs string, holding bool) string {
	hears := (theirs == sendonly || theirs == sendrecv) && !holding
	speaks := theirs == recvonly || theirs == sendrecv
	switch {
	case hears && speaks:
		return sendrecv
	case hears:
		return recvonly
	case speaks:
		return sendonly
	default:
		return inactive
	}
}
