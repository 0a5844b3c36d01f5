//go:build system

package system

import (
	"fmt"
	"slices"
	"strings"
)

// script renders what one phone of a flow does as a scenario of SIPp. Its lines stand
// between slashes. A number in front is the dialog, 1 unless given; what stands
// behind a "|" are further header fields or checks.
//
//	> METHOD          a request in the dialog
//	> METHOD uri      one outside
//	> call            an INVITE of the next phone, with what its challenge asks for
//	> call to user    the same of another
//	> CANCEL, > ACK!  of the last INVITE: the end of it, and the ACK of its refusal
//	> 200             answers the last request, "> 200 INVITE" the last INVITE
//	> 200'            answers as a second phone behind the same contact
//	< 200, < METHOD   is expected now
//	? < METHOD, > 200 comes at any time from here to the end, or a ".", and is
//	                  dealt with so
//	= 100             nothing for so many milliseconds
//
// A message may carry a body: "+sdp", "+hold", "+silent", "+text", "+dtmf", "+summary". What is
// received may have to match "~a regular expression", and "$name=Header:" keeps a
// header for "[$name]". REPLACES2 names dialog 2 to the switch.
type script struct {
	strings.Builder
	domain   string
	dialogs  [3]dialog // the first is nobody's
	at       int       // the present one
	asked    string    // method of the request that came last
	labels   int
	optional int      // label to go to, if what is expected may come or not
	kept     []string // variables
}

type dialog struct {
	seq, invite int // CSeq of the last request, of the last INVITE
	asked       int // requests that came
	called      bool
	sent        string // method of the request sent last
	tag         string // ours
}

// bodies by name: type and text.
var bodies = map[string][2]string{
	"sdp":     {"application/sdp", flowSDP},
	"hold":    {"application/sdp", flowSDP + "a=sendonly\n"},
	"silent":  {"application/sdp", flowSDP + "a=inactive\n"},
	"text":    {"text/plain", "hello"},
	"dtmf":    {"application/dtmf-relay", "Signal=5\nDuration=160\n"},
	"summary": {"application/simple-message-summary", "Messages-Waiting: yes\nVoice-Message: 1/0 (0/0)\n"},
}

const flowSDP = "v=0\no=- 1 SEQ IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000\n"

func render(name, domain, lines string) string {
	s := &script{domain: domain}
	fmt.Fprintf(s, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=%q>\n", name)
	var list []string
	for line := range strings.SplitSeq(strings.ReplaceAll(lines, "DOMAIN", domain), "/") {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	s.steps(list)
	if len(s.kept) > 0 { // SIPp wants every variable used
		fmt.Fprintf(s, "<Reference variables=%q/>\n", strings.Join(s.kept, ","))
	}
	s.WriteString("</scenario>\n")
	return s.String()
}

func (s *script) steps(list []string) {
	for i, line := range list {
		if what, ok := strings.CutPrefix(line, "? "); ok {
			during, after := list[i+1:], []string(nil)
			if n := slices.Index(during, "."); n >= 0 {
				during, after = during[:n], during[n+1:]
			}
			s.aside(strings.Split(what, ","), during)
			s.steps(after)
			return
		}
		s.step(line)
	}
}

// step renders one line.
func (s *script) step(line string) {
	s.at = 1
	if line = strings.TrimSpace(line); line[0] == '2' {
		s.at, line = 2, line[1:]
	}
	switch kind, what, _ := strings.Cut(line, " "); kind {
	case "=":
		fmt.Fprintf(s, "<pause milliseconds=%q/>\n", what)
	case "<":
		s.recv(what)
	default:
		s.say(what)
	}
}

// my is a variable of the present dialog.
func (s *script) my(name string) string { return fmt.Sprintf("%s%d", name, s.at) }

// find renders an action that looks for a pattern; where is a header with its colon, or
// empty for the message. The last of the names is that of what stands in brackets.
func (s *script) find(where, pattern string, names ...string) string {
	for _, name := range names {
		if !slices.Contains(s.kept, name) {
			s.kept = append(s.kept, name)
		}
	}
	in := `search_in="msg"`
	if where != "" {
		in = fmt.Sprintf("search_in=\"hdr\" header=%q", where)
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;")
	return fmt.Sprintf("<ereg regexp=\"%s\" %s check_it=\"true\" assign_to=%q/>", escape.Replace(pattern), in, strings.Join(names, ","))
}

// whole is a header without the space before it.
const (
	whole    = "[^ ].*"
	tagOf    = ";tag=([^;> ]+)"
	targetOf = "<([^>]+)>"
)

func (s *script) recv(what string) {
	fields := strings.Split(what, "|")
	d, what := &s.dialogs[s.at], fields[0]
	var actions []string
	for _, f := range fields[1:] {
		if pattern, ok := strings.CutPrefix(f, "~"); ok {
			actions = append(actions, s.find("", pattern, "found"))
		} else {
			name, header, _ := strings.Cut(f[1:], "=")
			actions = append(actions, s.find(strings.TrimSpace(header), whole, name))
		}
	}
	options := ""
	if s.optional > 0 {
		options = fmt.Sprintf(" optional=\"true\" next=\"%d\"", s.optional)
	}
	if isStatus(what) {
		actions = append(actions, s.established(what)...)
		if s.optional == 0 {
			s.WriteString("<recv response=\"100\" optional=\"true\"/>\n")
		}
		if what == "401" || what == "407" {
			options += ` auth="true"`
		}
		fmt.Fprintf(s, "<recv response=%q%s>", what, options)
	} else {
		s.asked, d.asked = what, d.asked+1
		if d.seq == 0 && d.asked == 1 {
			d.called, d.tag = true, "[pid]a[call_number]"
			actions = append(actions, s.find("From:", whole, s.my("far")), s.find("From:", tagOf, "found", s.my("tag")),
				s.find("To:", whole, s.my("near")))
			if what == "INVITE" {
				actions = append(actions, s.find("Contact:", targetOf, "found", s.my("target")))
			}
		}
		if what == "INVITE" {
			actions = append(actions, s.find("Via:", whole, s.my("via")), s.find("CSeq:", whole, s.my("cseq")))
		}
		fmt.Fprintf(s, "<recv request=%q%s>", what, options)
	}
	if len(actions) > 0 {
		fmt.Fprintf(s, "<action>%s</action>", strings.Join(actions, ""))
	}
	s.WriteString("</recv>\n")
}

func isStatus(what string) bool { return what[0] >= '1' && what[0] <= '6' }

// established keeps what a response says of its dialog.
func (s *script) established(status string) (actions []string) {
	d := &s.dialogs[s.at]
	if d.sent != "INVITE" && d.sent != "SUBSCRIBE" {
		return nil
	}
	if !d.called {
		actions = append(actions, s.find("To:", whole, s.my("far")))
	}
	if status < "300" && status != "181" {
		actions = append(actions, s.find("To:", tagOf, "found", s.my("tag")), s.find("Contact:", targetOf, "found", s.my("target")))
	}
	return actions
}

// aside renders steps during which something else comes at any time, and how that is
// answered. SIPp can only branch, so the steps stand there once for each moment.
func (s *script) aside(what, during []string) {
	type moment struct {
		label   int
		dialogs [3]dialog
		left    []string
	}
	var moments []moment
	for i, line := range during {
		if kind, _, _ := strings.Cut(line, " "); strings.HasSuffix(kind, "<") {
			s.labels++
			moments = append(moments, moment{s.labels, s.dialogs, during[i:]})
			s.optional = s.labels
			s.step(what[0])
			s.optional = 0
		}
		s.step(line)
	}
	s.steps(what) // comes last
	s.labels++
	dialogs, end := s.dialogs, s.labels
	method := strings.Fields(what[0])[1]
	for _, m := range moments {
		fmt.Fprintf(s, "<nop next=\"%d\"/>\n<label id=\"%d\"/>\n", end, m.label)
		s.dialogs, s.asked = m.dialogs, method
		s.steps(what[1:])
		s.steps(m.left)
	}
	s.dialogs = dialogs
	fmt.Fprintf(s, "<label id=\"%d\"/>\n<nop/>\n", end)
}
