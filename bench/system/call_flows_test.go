//go:build system

package system

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// callFlow is one call, or what else two phones do with each other: a caller and, if
// anybody is reached, a callee. Lines are "> message" and "< message", "= ms" waits. What
// stands behind a "|" are further header fields, "+sdp" behind a message a session
// description, "+hold" one that only sends. The line "> call" is an INVITE with
// what a challenge asks for.
type callFlow struct {
	name           string
	caller, callee []string
}

var answered = []string{"< INVITE", "> 180", "> 200+sdp", "< ACK"}

// callFlows are the flows of two phones.
var callFlows = []callFlow{
	{"busy", []string{"> call+sdp", "< 486", "> ACK!"}, []string{"< INVITE", "> 486", "< ACK"}},
	{"declined", []string{"> call+sdp", "< 180", "< 603", "> ACK!"}, []string{"< INVITE", "> 180", "> 603", "< ACK"}},
	{"given up", []string{"> call+sdp", "< 180", "= 200", "> CANCEL", "< 200", "< 487", "> ACK!"},
		[]string{"< INVITE", "> 180", "< CANCEL", "> 200", "> 487", "< ACK"}},
	{"hold and resume", []string{"> call+sdp", "< 180", "< 200", "> ACK", "> INVITE+hold", "< 200", "> ACK", "> INVITE+sdp", "< 200", "> ACK", "> BYE", "< 200"},
		append(answered[:4:4], "< BYE", "> 200")},
	{"late offer", []string{"> call", "< 180", "< 200", "> ACK+sdp", "= 100", "> BYE", "< 200"}, append(answered[:4:4], "< BYE", "> 200")},
	{"late ACK", []string{"> call+sdp", "< 180", "< 200", "= 1200", "> ACK", "> BYE", "< 200"}, append(answered[:4:4], "< BYE", "> 200")},
	{"update", []string{"> call+sdp", "< 180", "< 200", "> ACK", "> UPDATE", "< 200", "> BYE", "< 200"}, append(answered[:4:4], "< BYE", "> 200")},
	{"session refresh", []string{"> call+sdp|Supported: timer|Session-Expires: 90;refresher=uac", "< 180", "< 200", "> ACK",
		"> UPDATE|Supported: timer|Session-Expires: 90;refresher=uac", "< 200", "> BYE", "< 200"}, append(answered[:4:4], "< BYE", "> 200")},
	{"text", []string{"> MESSAGE sip:[field2]@DOMAIN|Content-Type: text/plain", "< 407", "> MESSAGE sip:[field2]@DOMAIN|[field1]|Content-Type: text/plain", "< 200"},
		[]string{"< MESSAGE", "> 200"}},
	{"subscription", []string{"> SUBSCRIBE sip:[field0]@DOMAIN|Event: reg|Expires: 600", "< 401", "> SUBSCRIBE sip:[field0]@DOMAIN|[field1]|Event: reg|Expires: 600", "< 200",
		"< NOTIFY", "> 200"}, nil},
	{"publication", []string{"> PUBLISH sip:[field0]@DOMAIN|Event: presence|Expires: 600", "< 401", "> PUBLISH sip:[field0]@DOMAIN|[field1]|Event: presence|Expires: 600", "< 489"}, nil},
}

// script renders one side of a callFlow.
type script struct {
	strings.Builder
	domain string
	seq    int
	caller bool
	asked  string // method of the request that came last
}

const flowSDP = "v=0\no=- 1 %d IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000\n%s"

func render(name, domain string, caller bool, lines []string) string {
	s := &script{domain: domain, caller: caller}
	fmt.Fprintf(s, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=%q>\n", name)
	for _, line := range lines {
		kind, what, _ := strings.Cut(strings.ReplaceAll(line, "DOMAIN", domain), " ")
		switch kind {
		case "=":
			fmt.Fprintf(s, "<pause milliseconds=%q/>\n", what)
		case "<":
			s.recv(what)
		default:
			s.say(what)
		}
	}
	s.WriteString("</scenario>\n")
	return s.String()
}

func (s *script) recv(what string) {
	switch {
	case what[0] < '0' || what[0] > '9':
		s.asked = what
		fmt.Fprintf(s, "<recv request=%q rrs=\"true\"/>\n", what)
	default:
		fmt.Fprintf(s, "<recv response=\"100\" optional=\"true\"/>\n<recv response=%q rrs=\"true\"%s/>\n", what, map[bool]string{true: ` auth="true"`}[what == "401" || what == "407"])
	}
}

func (s *script) say(what string) {
	fields := strings.Split(what, "|")
	first, kind, _ := strings.Cut(fields[0], "+")
	body := ""
	if kind != "" {
		body = fmt.Sprintf(flowSDP, s.seq+1, map[string]string{"hold": "a=sendonly\n"}[kind])
		fields = append(fields, "Content-Type: application/sdp")
	}
	method, uri, outside := strings.Cut(first, " ")
	switch {
	case first[0] >= '0' && first[0] <= '9':
		s.answer(first, body)
	case method == "call":
		to := "sip:[field2]@" + s.domain
		s.request("INVITE", to, "<"+to+">", fields[1:], body)
		s.recv("407")
		s.again("ACK", to)
		s.request("INVITE", to, "<"+to+">", append(fields[1:len(fields):len(fields)], "[field1]"), body)
	case method == "CANCEL" || method == "ACK!":
		s.again(strings.TrimSuffix(method, "!"), "sip:[field2]@"+s.domain)
	case outside:
		if method == "MESSAGE" {
			body = "hello"
		}
		s.request(method, uri, "<"+uri+">", fields[1:], body)
	default:
		s.request(method, "[next_url]", "", fields[1:], body)
	}
}

// request renders a request; an empty to is the one of the dialog.
func (s *script) request(method, uri, to string, fields []string, body string) {
	retrans := ` retrans="500"`
	if method == "ACK" {
		retrans = ""
	} else {
		s.seq++
	}
	from, peer := "From: <sip:[field0]@"+s.domain+">;tag=[pid]c[call_number]", "[last_To:]"
	if to != "" {
		peer = "To: " + to
	}
	fmt.Fprintf(s, "<send%s><![CDATA[\n%s %s SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport\nMax-Forwards: 70\n%s\n%s\n", retrans, method, uri, from, peer)
	fmt.Fprintf(s, "Call-ID: [call_id]\nCSeq: %d %s\nContact: <sip:[local_ip]:[local_port]>\n", s.seq, method)
	for _, f := range fields {
		s.WriteString(f + "\n")
	}
	fmt.Fprintf(s, "Content-Length: [len]\n\n%s]]></send>\n", body)
}

// again renders a CANCEL of the last INVITE, or the ACK of its refusal.
func (s *script) again(method, uri string) {
	to := "[last_To:]"
	if method == "CANCEL" {
		to = "To: <" + uri + ">"
	}
	fmt.Fprintf(s, "<send><![CDATA[\n%s %s SIP/2.0\n[last_Via:]\nMax-Forwards: 70\n[last_From:]\n%s\nCall-ID: [call_id]\nCSeq: %d %s\nContent-Length: 0\n\n]]></send>\n",
		method, uri, to, s.seq, method)
}

// answer renders a response to the last request; 487 is always of an INVITE.
func (s *script) answer(code, body string) {
	seq, tag, kind := "[last_CSeq:]", "", ""
	if code == "487" {
		seq = "CSeq: 1 INVITE"
	}
	if !s.caller && s.asked != "BYE" { // which has one
		tag = ";tag=[pid]a[call_number]"
	}
	if body != "" {
		kind = "Content-Type: application/sdp\n"
	}
	retrans := ""
	if code != "180" && (body != "" || code[0] > '2') {
		retrans = ` retrans="500"`
	}
	fmt.Fprintf(s, "<send%s><![CDATA[\nSIP/2.0 %s Whatever\n[last_Via:]\n[last_From:]\n[last_To:]%s\n[last_Call-ID:]\n%s\nContact: <sip:[local_ip]:[local_port]>\n%sContent-Length: [len]\n\n%s]]></send>\n",
		retrans, code, tag, seq, kind, body)
}

// TestCallFlows: each flow runs without a failure, a repetition or a surprise, at
// both ends.
func TestCallFlows(t *testing.T) {
	need(t, "sipp")
	const calls = 4
	d := startDemo(t, 10)
	callerPort, calleePort := d.sippPort(t), d.sippPort(t)
	d.register(t, calleePort, 50)
	for i, f := range callFlows {
		t.Run(f.name, func(t *testing.T) {
			sides := map[bool]*sipp{}
			for _, caller := range []bool{false, true} {
				lines, port := f.callee, calleePort
				if caller {
					lines, port = f.caller, callerPort
				}
				if lines == nil {
					continue
				}
				file := d.path(fmt.Sprintf("call-%d-%v.xml", i, caller))
				if err := os.WriteFile(file, []byte(render(f.name, d.SIP.Domain, caller, lines)), 0o600); err != nil {
					t.Fatal(err)
				}
				args := []string{"-sf", file, "-m", fmt.Sprint(calls), "-r", "20"}
				if caller {
					args = append(args, "-inf", d.scenario("calls.csv"))
				}
				sides[caller] = d.sipp(t, port, args...)
				until(t, patience, "SIPp", func() bool { return udpBound(t, port) || !sides[caller].running() })
			}
			for _, s := range sides {
				s.clean(t, calls, 20*time.Second)
			}
		})
	}
	d.stop(t)
}
