package sip_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip/siptest"
)

// Ports of a rawUA, as its descriptions name them.
const (
	audioPort = 40000
	linePort  = 40002
)

// Lines of a fax gateway and of a video phone.
const (
	faxLine   = "m=image 40002 udptl t38\r\na=T38FaxVersion:0\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n"
	videoLine = "m=video 40002 RTP/AVP 97\r\nb=AS:512\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42801F\r\n"
)

// with is the description of a user agent with other lines behind its audio.
func with(u *rawUA, lines string) string { return u.sdp() + lines }

// instead is the description of a user agent with other lines in the place of its audio.
func instead(u *rawUA, lines string) string {
	head, _, _ := strings.Cut(u.sdp(), "m=audio")
	return head + lines
}

// silenced is the same, of one that keeps the place of its audio.
func silenced(u *rawUA, lines string) string {
	return strings.Replace(with(u, lines), "m=audio 40000", "m=audio 0", 1)
}

// socket opens a media port of a user agent.
func (u *rawUA) socket(port uint16) siptest.PacketConn {
	u.e.t.Helper()
	conn, err := u.e.net.ListenPacket(netip.AddrPortFrom(u.addr.Addr(), port))
	u.e.must(err)
	return conn
}

// offered is where a description of ours wants the packets of a kind; port 0 for a line
// that is refused, invalid without one.
func (e *edge) offered(body []byte, kind string) netip.AddrPort {
	e.t.Helper()
	_, line, found := strings.Cut(string(body), "m="+kind+" ")
	if !found {
		return netip.AddrPort{}
	}
	var port uint16
	_, err := fmt.Sscan(line, &port)
	e.must(err)
	return netip.AddrPortFrom(e.net.Switch.Addr(), port)
}

// crosses sends a packet to a port of ours and tells whether the other party gets it,
// but for the header that audio has anew.
func (e *edge) crosses(from siptest.PacketConn, at netip.AddrPort, packet []byte, header int, to siptest.PacketConn) bool {
	e.t.Helper()
	_, err := from.WriteToUDPAddrPort(packet, at)
	e.must(err)
	e.must(to.SetReadDeadline(time.Now().Add(time.Second)))
	got := make([]byte, 2000)
	n, _, err := to.ReadFromUDPAddrPort(got)
	return err == nil && n >= header && bytes.Equal(got[header:n], packet[header:])
}

// rtp is a packet of a payload type.
func rtp(pt, seq byte, payload int) []byte {
	return append([]byte{0x80, pt, 0, seq, 0, 0, 0, seq, 7, 7, 7, 7}, bytes.Repeat([]byte{0x55}, payload)...)
}

// TestFaxSwitchesOver: when the called gateway hears a fax it asks for T.38. It is
// answered when the calling one has taken it, and its packets cross as they are; what
// that one refuses it is refused too, and the audio goes on. After the fax the audio comes
// back.
func TestFaxSwitchesOver(t *testing.T) {
	for name, tc := range map[string]struct {
		body func(*rawUA, string) string
		code int
	}{
		"in the place of the audio":          {instead, 200},
		"behind the audio":                   {silenced, 200},
		"in the place of the audio, refused": {instead, 488},
		"behind the audio, refused":          {silenced, 488},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				caller, callee, r, invite := ringing(e)
				callee.accept(invite, "far")
				callee.one()
				ok := caller.lastOf(200)
				caller.send(caller.text(inDialog(r, ok, "ACK")))
				change := fromCallee(invite, "far", "INVITE", 1)
				change.body = tc.body(callee, faxLine)
				callee.send(callee.text(change))
				if first := callee.one(); first.Status() != 100 {
					t.Fatalf("callee got %q before its peer was asked", first.raw)
				}
				ours := caller.one()
				if image := e.offered(ours.Body(), "image"); ours.Method() != "INVITE" || image.Port() == 0 || !strings.Contains(ours.raw, "T38FaxUdpEC:t38UDPRedundancy") {
					t.Fatalf("caller got %q", ours.raw)
				}
				caller.send(reply(ours, tc.code, "", caller.contact(), tc.body(caller, faxLine)))
				if ack := caller.one(); ack.Method() != "ACK" {
					t.Errorf("caller got %q", ack.raw)
				}
				final := callee.lastOf(tc.code)
				callee.acknowledges(change, tc.code)
				if tc.code == 200 {
					e.faxes(caller, callee, ours, final)
					e.returns(caller, callee, invite, tc.body)
				} else {
					e.speaks(caller, callee, ok, invite)
				}
				callee.send(callee.text(fromCallee(invite, "far", "BYE", 3)))
				caller.send(reply(caller.one(), 200, "", nil, ""))
				e.free()
				if n := e.eng.Stats().PortsUsed; n != 0 {
					t.Errorf("%d ports are left", n)
				}
			})
		})
	}
}

// acknowledges sends the ACK of a re-INVITE.
func (u *rawUA) acknowledges(change request, code int) {
	u.e.t.Helper()
	branch := change.branch
	if code == 200 {
		branch = fresh("z9hG4bKraw")
	}
	change.method, change.body, change.branch = "ACK", "", branch
	u.send(u.text(change))
	u.expect()
}

// returns has the callee go back to audio after the fax, and its peer follow.
func (e *edge) returns(a, b *rawUA, invite got, body func(*rawUA, string) string) {
	e.t.Helper()
	describe := func(u *rawUA) string {
		if strings.Contains(body(u, faxLine), "m=audio") {
			return with(u, "m=image 0 udptl t38\r\n")
		}
		return u.sdp()
	}
	change := fromCallee(invite, "far", "INVITE", 2)
	change.body = describe(b)
	b.send(b.text(change))
	final := b.lastOf(200)
	b.acknowledges(change, 200)
	ours := a.one()
	if image := e.offered(ours.Body(), "image"); ours.Method() != "INVITE" || image.Port() != 0 || e.offered(ours.Body(), "audio").Port() == 0 {
		e.t.Fatalf("caller got %q", ours.raw)
	}
	a.send(reply(ours, 200, "", a.contact(), describe(a)))
	if ack := a.one(); ack.Method() != "ACK" {
		e.t.Errorf("caller got %q", ack.raw)
	}
	e.speaks(a, b, ours, final)
}

// faxes checks that fax packets cross both ways.
func (e *edge) faxes(a, b *rawUA, toA, toB got) {
	e.t.Helper()
	one, two := a.socket(linePort), b.socket(linePort)
	for n := range byte(3) {
		packet := []byte{0, n, 6, 1, 2, 3, 4, 5, 6, 0, 0}
		there := e.crosses(one, e.offered(toA.Body(), "image"), packet, 0, two)
		back := e.crosses(two, e.offered(toB.Body(), "image"), packet, 0, one)
		if !there || !back {
			e.t.Errorf("packet %d of the fax: there %v, back %v", n, there, back)
		}
	}
}

// speaks checks that audio crosses both ways.
func (e *edge) speaks(a, b *rawUA, toA, toB got) {
	e.t.Helper()
	one, two := a.socket(audioPort), b.socket(audioPort)
	for n := range byte(3) {
		there := e.crosses(one, e.offered(toA.Body(), "audio"), rtp(0, n, 160), 12, two)
		back := e.crosses(two, e.offered(toB.Body(), "audio"), rtp(0, n, 160), 12, one)
		if !there || !back {
			e.t.Errorf("packet %d of the audio: there %v, back %v", n, there, back)
		}
	}
}

// TestVideoCall: video that both phones take from the start crosses as it is, in the
// words of the far end.
func TestVideoCall(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, callee := e.rawUDP("10.0.9.1:5060"), e.rawUDP("10.0.9.2:5060")
		callee.register("102")
		r := caller.signed(request{method: "INVITE", uri: "sip:102@" + domain, body: with(caller, videoLine)})
		caller.send(caller.text(r))
		invite := callee.one()
		callee.send(reply(invite, 200, "far", callee.contact(), with(callee, videoLine)))
		callee.one()
		ok := caller.lastOf(200)
		caller.send(caller.text(inDialog(r, ok, "ACK")))
		for who, m := range map[string]got{"callee": invite, "caller": ok} {
			if !strings.Contains(m.raw, "a=fmtp:97 profile-level-id=42801F") || strings.Contains(m.raw, "m=video 40002") {
				t.Errorf("%s got %q", who, m.raw)
			}
		}
		one, two := caller.socket(linePort), callee.socket(linePort)
		for n := range byte(3) {
			there := e.crosses(one, e.offered(ok.Body(), "video"), rtp(97, n, 900), 0, two)
			back := e.crosses(two, e.offered(invite.Body(), "video"), rtp(97, n, 900), 0, one)
			if !there || !back {
				t.Errorf("packet %d of the video: there %v, back %v", n, there, back)
			}
		}
		e.speaks(caller, callee, ok, invite)
	})
}

// TestVideoToAPlainPhone: a phone without video refuses the line, and so do we, in its
// place; nothing is kept for it, and the phones talk.
func TestVideoToAPlainPhone(t *testing.T) {
	inEdge(t, func(e *edge) {
		caller, phone := e.rawUDP("10.0.9.1:5060"), e.phone("102")
		r := caller.signed(request{method: "INVITE", uri: "sip:102@" + domain, body: with(caller, videoLine)})
		caller.send(caller.text(r))
		in, err := phone.Incoming(e.ctx)
		e.must(err)
		if !strings.Contains(string(in.Invite().Body), "m=video") {
			t.Errorf("the phone got %q", in.Invite().Body)
		}
		e.must(in.Answer())
		ok := caller.lastOf(200)
		caller.send(caller.text(inDialog(r, ok, "ACK")))
		e.must(in.WaitAnswered(e.ctx))
		body := string(ok.Body())
		if video := strings.Index(body, "m=video 0 RTP/AVP 97"); video < strings.Index(body, "m=audio ") {
			t.Errorf("answered %q", body)
		}
		if n := e.eng.Stats().PortsUsed; n != 2 {
			t.Errorf("%d port pairs are used, want those of the audio", n)
		}
		audio := caller.socket(audioPort)
		e.must(in.SayTone(440))
		e.must(audio.SetReadDeadline(time.Now().Add(time.Second)))
		if n, _, err := audio.ReadFromUDPAddrPort(make([]byte, 2000)); err != nil || n != 172 {
			t.Errorf("%d bytes of audio came, %v", n, err)
		}
	})
}
