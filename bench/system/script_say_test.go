//go:build system

package system

import (
	"fmt"
	"slices"
	"strings"
)

// say renders what the phone sends.
func (s *script) say(what string) {
	for n := 1; n <= 2; n++ {
		what = strings.ReplaceAll(what, fmt.Sprintf("REPLACES%d", n), s.replaces(n, strings.Contains(what, "?Replaces")))
	}
	fields := strings.Split(what, "|")
	first, kind, _ := strings.Cut(fields[0], "+")
	if i := slices.IndexFunc(fields[1:], func(f string) bool { return f[0] == '+' }); i >= 0 {
		kind = fields[i+1][1:]
		fields = slices.Delete(fields, i+1, i+2)
	}
	fields = fields[1:]
	body := bodies[kind]
	if kind != "" {
		fields = append(fields, "Content-Type: "+body[0])
	}
	text := strings.ReplaceAll(body[1], "SEQ", fmt.Sprint(s.dialogs[s.at].seq+1))
	method, uri, _ := strings.Cut(first, " ")
	switch {
	case isStatus(first):
		s.answer(first, text, fields)
	case method == "call":
		user := "[field2]"
		if uri != "" {
			user = strings.TrimPrefix(uri, "to ")
		}
		to := "sip:" + user + "@" + s.domain
		s.request("INVITE", to, fields, text)
		s.recv("407")
		s.again("ACK")
		s.request("INVITE", to, append(slices.Clone(fields), "[field1]"), text)
	case method == "CANCEL" || method == "ACK!":
		s.again(strings.TrimSuffix(method, "!"))
	default:
		s.request(method, uri, fields, text)
	}
}

// callID names the present dialog; SIPp takes what stands behind the slashes for
// its own.
func callID(dialog int) string { return [...]string{1: "[call_id]", 2: "second///[call_id]"}[dialog] }

// replaces names a dialog to the switch, perhaps as a header in a URI.
func (s *script) replaces(dialog int, inURI bool) string {
	value := fmt.Sprintf("%s;to-tag=[$tag%d];from-tag=%s", callID(dialog), dialog, s.dialogs[dialog].tag)
	if inURI {
		value = strings.NewReplacer(";", "%3B", "=", "%3D", "/", "%2F").Replace(value)
	}
	return value
}

// request renders one; without a URI it is one of the dialog.
func (s *script) request(method, uri string, fields []string, body string) {
	d := &s.dialogs[s.at]
	d.sent = method
	retrans := ` retrans="500"`
	if method == "ACK" {
		retrans = ""
	} else {
		d.seq++
	}
	seq := d.seq
	switch {
	case method == "INVITE":
		d.invite = d.seq
	case method == "ACK":
		seq = d.invite
	}
	from, to := "<sip:[field0]@"+s.domain+">;tag="+d.tag, "[$"+s.my("far")+"]"
	switch {
	case uri != "":
		d.tag = fmt.Sprintf("[pid]c%d[call_number]", s.at)
		from, to = "<sip:[field0]@"+s.domain+">;tag="+d.tag, "<"+uri+">"
		if method == "REGISTER" {
			to = "<sip:[field0]@" + s.domain + ">"
		}
	case d.called:
		from = "[$" + s.my("near") + "];tag=" + d.tag
	}
	if uri == "" {
		uri = "[$" + s.my("target") + "]"
	}
	if i := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, "To: ") }); i >= 0 {
		to, fields = fields[i][4:], slices.Delete(slices.Clone(fields), i, i+1)
	}
	fmt.Fprintf(s, "<send%s><![CDATA[\n%s %s SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport\nMax-Forwards: 70\n", retrans, method, uri)
	fmt.Fprintf(s, "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %d %s\nContact: <sip:[field0]@[local_ip]:[local_port]>\n", from, to, callID(s.at), seq, method)
	for _, f := range fields {
		s.WriteString(f + "\n")
	}
	fmt.Fprintf(s, "Content-Length: [len]\n\n%s]]></send>\n", body)
}

// again renders a CANCEL of the last INVITE, or the ACK of its refusal: its
// Request-URI and its Via.
func (s *script) again(method string) {
	d := &s.dialogs[s.at]
	d.sent = method
	uri, to := "sip:[field2]@"+s.domain, "[$"+s.my("far")+"]"
	if method == "CANCEL" {
		to = "<" + uri + ">"
	}
	fmt.Fprintf(s, "<send><![CDATA[\n%s %s SIP/2.0\n[last_Via:]\nMax-Forwards: 70\n[last_From:]\nTo: %s\nCall-ID: %s\nCSeq: %d %s\nContent-Length: 0\n\n]]></send>\n",
		method, uri, to, callID(s.at), d.invite, method)
}

// answer renders a response to the last request, or to the last INVITE.
func (s *script) answer(what, body string, fields []string) {
	code, invite := strings.CutSuffix(what, " INVITE")
	d := &s.dialogs[s.at]
	tag := d.tag
	if other, second := strings.CutSuffix(code, "'"); second {
		code, tag = other, "[pid]b[call_number]"
	}
	d.tag = tag
	head := "[last_Via:]\n[last_From:]\n[last_To:]"
	if d.called && (d.asked == 1 || s.asked == "CANCEL") { // which has none yet
		head += ";tag=" + tag
	}
	head += "\n[last_Call-ID:]\n[last_CSeq:]"
	if invite {
		near := "<sip:[field0]@" + s.domain + ">"
		if d.called {
			near = "[$" + s.my("near") + "]"
		}
		head = fmt.Sprintf("Via: [$%s]\nFrom: [$%s]\nTo: %s;tag=%s\nCall-ID: %s\nCSeq: [$%s]", s.my("via"), s.my("far"), near, tag, callID(s.at), s.my("cseq"))
	}
	retrans := ""
	if code[0] > '1' && (invite || s.asked == "INVITE") {
		retrans = ` retrans="500"`
	}
	if code[0] != '3' {
		fields = append(fields, "Contact: <sip:[local_ip]:[local_port]>")
	}
	fmt.Fprintf(s, "<send%s><![CDATA[\nSIP/2.0 %s Whatever\n%s\n%s\nContent-Length: [len]\n\n%s]]></send>\n", retrans, code, head, strings.Join(fields, "\n"), body)
}
