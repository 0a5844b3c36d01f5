package siptest

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// said is a message of a conversation: ">" is said by the switch, "<" by the phone.
// Its lines are separated by "|"; what a line names replaces that field.
type said string

const umpireSDP = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n"

func (s said) bytes() (ours bool, raw []byte) {
	lines := strings.Split(string(s[2:]), "|")
	sdp := strings.HasSuffix(lines[0], "+sdp")
	lines[0] = strings.TrimSuffix(lines[0], "+sdp")
	m := &Message{Method: strings.Fields(lines[0])[0], URI: "sip:101@10.0.1.1:5060"}
	response := strings.HasPrefix(lines[0], "SIP/2.0")
	m.add("Via", "SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKone", "From", "<sip:a@x>;tag=a", "To", "<sip:b@x>", "Call-ID", "c", "Max-Forwards", "70", "Contact", "<sip:101@10.0.1.1:5060>")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		m.set(name, value)
	}
	if m.Header("CSeq") == "" {
		m.add("CSeq", "1 INVITE")
	}
	if sdp {
		m.body("application/sdp", []byte(umpireSDP))
	}
	text := m.String()
	if response {
		_, rest, _ := strings.Cut(text, "\r\n")
		text = lines[0] + "\r\n" + rest
	}
	return s[0] == '>', []byte(text)
}

// TestUmpire: every rule finds its breach, and a good conversation has none.
func TestUmpire(t *testing.T) {
	const ringing, ok, ack = "< SIP/2.0 180 Ringing|To: <sip:b@x>;tag=b", "< SIP/2.0 200 OK|To: <sip:b@x>;tag=b",
		"> ACK|Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKack|To: <sip:b@x>;tag=b|CSeq: 1 ACK"
	// Of extensions: a reliable provisional response, and NOTIFYs in a dialog.
	const relInvite, rel, prack = said("< INVITE|Supported: 100rel"), said("> SIP/2.0 180 R|To: <sip:b@x>;tag=b|Require: 100rel|RSeq: "),
		said("< PRACK|Via: SIP/2.0/UDP 10.0.1.1;branch=z9hG4bKprack|To: <sip:b@x>;tag=b|CSeq: 2 PRACK|RAck: 1 1 INVITE")
	notify, told := func(n int, more string) said {
		return said(fmt.Sprintf("> NOTIFY|Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKn%d|CSeq: %d NOTIFY%s", n, n, more))
	}, func(n int) said {
		return said(fmt.Sprintf("< SIP/2.0 200 OK|Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKn%d|To: <sip:b@x>;tag=b|CSeq: %d NOTIFY", n, n))
	}
	rows := []struct {
		name string
		talk []said
		want string // part of the one fault; "" for none
	}{
		{"good call", []said{"> INVITE+sdp", "> INVITE+sdp", ringing, ok, ack, ack,
			"> BYE|Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKbye|To: <sip:b@x>;tag=b|CSeq: 2 BYE"}, ""},
		{"good answers", []said{"< INVITE", "> SIP/2.0 100 Trying", "> SIP/2.0 180 Ringing|To: <sip:b@x>;tag=b", "> SIP/2.0 486 Busy|To: <sip:b@x>;tag=b",
			"> SIP/2.0 486 Busy|To: <sip:b@x>;tag=b"}, ""},
		{"nonsense", []said{"> INVITE|Call-ID: "}, "cannot be read"},
		{"two Contacts", []said{"> INVITE|Contact: <sip:a@b>, <sip:c@d>"}, "2 Contacts"},
		{"no cookie", []said{"> INVITE|Via: SIP/2.0/UDP 10.0.1.1;branch=one"}, "Via"},
		{"spent hops", []said{"> INVITE|Max-Forwards: 0"}, "Max-Forwards"},
		{"CSeq of another", []said{"> INVITE|CSeq: 1 BYE"}, "CSeq of another method"},
		{"no From tag", []said{"> INVITE|From: <sip:a@x>"}, "no From tag"},
		{"changed repetition", []said{"> INVITE", "> INVITE|Subject: new"}, "another text"},
		{"branch used twice", []said{"> INVITE", "> OPTIONS|CSeq: 2 OPTIONS"}, "has the branch"},
		{"early CANCEL", []said{"> INVITE", "> CANCEL|CSeq: 1 CANCEL"}, "before any provisional"},
		{"other CANCEL", []said{"> INVITE", ringing, "> CANCEL|CSeq: 2 CANCEL"}, "does not name its INVITE"},
		{"CANCEL of nothing", []said{"> CANCEL|CSeq: 1 CANCEL"}, "CANCEL of no INVITE"},
		{"ACK of nothing", []said{"> INVITE", ringing, ack}, "ACK of nothing"},
		{"unfit ACK", []said{"> INVITE", "< SIP/2.0 486 Busy|To: <sip:b@x>;tag=b", "> ACK|CSeq: 1 ACK"}, "does not fit"},
		{"falling CSeq", []said{"> INVITE|CSeq: 5 INVITE", ok + "|CSeq: 5 INVITE",
			"> BYE|Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKbye|To: <sip:b@x>;tag=b|CSeq: 5 BYE"}, "CSeq 5 after 5"},
		{"unknown target", []said{"> INVITE", ok + "|Contact: <sip:other@x>",
			"> BYE|Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKbye|To: <sip:b@x>;tag=b|CSeq: 2 BYE"}, "none of the phone's Contacts"},
		{"BYE of no dialog", []said{"> BYE|CSeq: 1 BYE"}, "outside any dialog"},
		{"hasty BYE", []said{"< INVITE", "> SIP/2.0 200 OK|To: <sip:b@x>;tag=b",
			"> BYE|Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKbye|From: <sip:b@x>;tag=b|To: <sip:a@x>;tag=a|CSeq: 1 BYE"}, "BYE before the ACK"},
		{"unasked answer", []said{"> SIP/2.0 200 OK|To: <sip:b@x>;tag=b"}, "nothing that was asked"},
		{"changed From", []said{"< INVITE", "> SIP/2.0 180 R|To: <sip:b@x>;tag=b|From: <sip:z@x>;tag=a"}, "From"},
		{"changed Via", []said{"< INVITE", "> SIP/2.0 180 R|To: <sip:b@x>;tag=b|Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKone;x=y"}, "Via"},
		{"no rport", []said{"< INVITE|Via: SIP/2.0/UDP 10.0.1.1:5060;rport;branch=z9hG4bKone",
			"> SIP/2.0 180 R|To: <sip:b@x>;tag=b|Via: SIP/2.0/UDP 10.0.1.1:5060;rport;branch=z9hG4bKone"}, "where the request came from"},
		{"two tags", []said{"< INVITE", "> SIP/2.0 180 R|To: <sip:b@x>;tag=b", "> SIP/2.0 200 OK|To: <sip:b@x>;tag=c"}, "To tag"},
		{"no tag", []said{"< INVITE", "> SIP/2.0 180 R"}, "no To tag"},
		{"late provisional", []said{"< INVITE", "> SIP/2.0 486 B|To: <sip:b@x>;tag=b", "> SIP/2.0 180 R|To: <sip:b@x>;tag=b"}, "after the final"},
		{"two finals", []said{"< INVITE", "> SIP/2.0 486 B|To: <sip:b@x>;tag=b", "> SIP/2.0 200 OK|To: <sip:b@x>;tag=b"}, "the final response was 486"},
		{"bare 405", []said{"< INVITE", "> SIP/2.0 405 M|To: <sip:b@x>;tag=b"}, "no Allow"},
		{"408 to OPTIONS", []said{"< OPTIONS|CSeq: 1 OPTIONS", "> SIP/2.0 408 T|To: <sip:b@x>;tag=b|CSeq: 1 OPTIONS"}, "RFC 4320"},
		{"hasty 100", []said{"< OPTIONS|CSeq: 1 OPTIONS", "> SIP/2.0 100 T|CSeq: 1 OPTIONS"}, "RFC 4320"},
		{"good progress", []said{relInvite, rel + "1", rel + "1", prack, rel + "2", "> SIP/2.0 200 OK|To: <sip:b@x>;tag=b"}, ""},
		{"unasked reliability", []said{"< INVITE", rel + "1"}, "which the phone does not know"},
		{"half reliable", []said{relInvite, "> SIP/2.0 180 R|To: <sip:b@x>;tag=b|RSeq: 1"}, "Require"},
		{"reliable 100", []said{relInvite, "> SIP/2.0 100 T|Require: 100rel|RSeq: 1"}, "reliable 100"},
		{"changed reliable", []said{relInvite, rel + "1", rel + "1|Subject: new"}, "another text"},
		{"gap of RSeq", []said{relInvite, rel + "1", prack, rel + "3"}, "RSeq 3 after 1"},
		{"hasty RSeq", []said{relInvite, rel + "1", rel + "2"}, "before the PRACK"},
		{"good events", []said{notify(2, "|Event: reg|Subscription-State: active;expires=9"), told(2),
			notify(3, "|Event: reg|Subscription-State: terminated;reason=timeout")}, ""},
		{"nameless event", []said{notify(2, "|Subscription-State: active;expires=9")}, "no Event"},
		{"no state", []said{notify(2, "|Event: reg")}, "Subscription-State"},
		{"endless state", []said{notify(2, "|Event: reg|Subscription-State: active")}, "for how long"},
		{"after the end", []said{notify(2, "|Event: reg|Subscription-State: terminated"), told(2),
			notify(3, "|Event: reg|Subscription-State: terminated")}, "after the last NOTIFY"},
		{"two at once", []said{notify(2, "|Event: reg|Subscription-State: active;expires=9"),
			notify(3, "|Event: reg|Subscription-State: active;expires=9")}, "is not answered"},
		{"transfer without a word", []said{notify(2, "|Event: refer|Subscription-State: active;expires=9")}, "of a REFER's NOTIFY"},
		{"offer unanswered", []said{"< INVITE+sdp", "> SIP/2.0 200 OK|To: <sip:b@x>;tag=b"}, "offer without an answer"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			n := NewNet(t)
			u := NewUmpire(n, n.Switch)
			here, there := socket(t, n, n.Switch), socket(t, n, netip.MustParseAddrPort("10.0.1.1:5060"))
			for _, s := range row.talk {
				from, to := there, n.Switch
				ours, raw := s.bytes()
				if ours {
					from, to = here, netip.MustParseAddrPort("10.0.1.1:5060")
				}
				_, err := from.WriteToUDPAddrPort(raw, to)
				must(t, err)
			}
			faults := u.Faults()
			if row.want == "" && len(faults) == 0 || row.want != "" && len(faults) > 0 && strings.Contains(fmt.Sprint(faults), row.want) {
				return
			}
			t.Errorf("faults %q, want %q", faults, row.want)
		})
	}
}

// TestUmpireReadsDescriptions: what a session description of the switch must be.
func TestUmpireReadsDescriptions(t *testing.T) {
	change := func(old, text string) string { return strings.Replace(umpireSDP, old, text, 1) }
	for name, row := range map[string]struct{ first, second, want string }{
		"same again":       {umpireSDP, umpireSDP, ""},
		"next version":     {umpireSDP, strings.Replace(change("20000", "20002"), "- 1 1", "- 1 2", 1), ""},
		"silent change":    {umpireSDP, change("20000", "20002"), "version 1 after 1"},
		"another session":  {umpireSDP, change("- 1 1", "- 2 1"), "session 2 after 1"},
		"odd port":         {change("20000", "20001"), "", "RTP to port 20001"},
		"line ends":        {strings.ReplaceAll(umpireSDP, "\r\n", "\n"), "", "with the line"},
		"no session name":  {change("s=-\r\n", ""), "", "with the lines"},
		"nothing to hear":  {change("m=audio", "m=video"), "", "nobody can use"},
		"broken version":   {change("- 1 1", "- 1 x"), "", "version"},
		"origin cut short": {change("- 1 1 IN IP4 10.0.0.1", "- 1"), "", "origin"},
	} {
		t.Run(name, func(t *testing.T) {
			n := NewNet(t)
			u := NewUmpire(n, n.Switch)
			here := socket(t, n, n.Switch)
			for i, body := range []string{row.first, row.second} {
				if body == "" {
					continue
				}
				_, raw := said(fmt.Sprintf("> INVITE|Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK%d|From: <sip:a@x>;tag=%d", i, i)).bytes()
				m, err := parse(raw)
				must(t, err)
				m.body("application/sdp", []byte(body))
				_, err = here.WriteToUDPAddrPort([]byte(m.String()), netip.MustParseAddrPort("10.0.1.1:5060"))
				must(t, err)
			}
			faults := u.Faults()
			if row.want == "" && len(faults) > 0 || row.want != "" && !strings.Contains(fmt.Sprint(faults), row.want) {
				t.Errorf("faults %q, want %q", faults, row.want)
			}
		})
	}
}

// TestSever: a host that is off the network is neither heard nor reached, its
// connections break, and a successor can take its addresses.
func TestSever(t *testing.T) {
	n := NewNet(t)
	at, far := netip.MustParseAddrPort("10.0.0.9:5060"), netip.MustParseAddrPort("10.0.1.1:5060")
	old, phone := socket(t, n, at), socket(t, n, far)
	ln, err := n.Listen(at)
	must(t, err)
	conn, err := n.Dial(t.Context(), netip.AddrPort{}, at)
	must(t, err)
	n.Sever(at.Addr())
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("its connection goes on")
	}
	if _, err := ln.Accept(); err == nil {
		t.Error("its listener goes on")
	}
	_, err = old.WriteToUDPAddrPort([]byte("lost"), far)
	must(t, err)
	next := socket(t, n, at)
	_, err = next.WriteToUDPAddrPort([]byte("heard"), far)
	must(t, err)
	buf := make([]byte, 10)
	if k, _, err := phone.ReadFromUDPAddrPort(buf); err != nil || string(buf[:k]) != "heard" {
		t.Errorf("the phone got %q, %v", buf[:k], err)
	}
	must(t, old.Close()) // and leaves the successor alone
	if _, err := n.ListenPacket(at); err == nil {
		t.Error("the successor lost its address")
	}
}
