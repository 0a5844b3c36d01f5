//go:build system

package system

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// flow is a SIPp scenario: lines "> METHOD uri" are sent, with what stands behind a
// "|" as further header fields, and lines "< status" are expected. A request
// after a challenge carries credentials.
type flow struct {
	name  string
	lines []string
	calls int
}

// flows are what stands in no other scenario, one row each.
var flows = []flow{
	{"options", []string{"> OPTIONS sip:DOMAIN", "< 200"}, 50},
	{"register, again and away", []string{
		"> REGISTER sip:DOMAIN|Expires: 600", "< 401", "> REGISTER sip:DOMAIN|[field1]|Expires: 600", "< 200",
		"> REGISTER sip:DOMAIN|Expires: 600", "< 401", "> REGISTER sip:DOMAIN|[field1]|Expires: 600", "< 200",
		"> REGISTER sip:DOMAIN|Expires: 0", "< 401", "> REGISTER sip:DOMAIN|[field1]|Expires: 0", "< 200",
	}, 50},
	{"interval too brief", []string{"> REGISTER sip:DOMAIN|Expires: 5", "< 401", "> REGISTER sip:DOMAIN|[field1]|Expires: 5", "< 423"}, 20},
	{"no such number", []string{
		"> INVITE sip:999@DOMAIN", "< 100", "< 407", "> ACK sip:999@DOMAIN", "> INVITE sip:999@DOMAIN|[field1]", "< 100", "< 404", "> ACK sip:999@DOMAIN",
	}, 20},
	{"unknown event", []string{
		"> SUBSCRIBE sip:[field0]@DOMAIN|Event: weather", "< 401", "> SUBSCRIBE sip:[field0]@DOMAIN|Event: weather|[field1]", "< 489",
	}, 20},
	{"nobody's dialog", []string{"> BYE sip:101@DOMAIN", "< 481"}, 20},
}

// xml renders a flow for the demo's domain.
func (f flow) xml(domain string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=%q>\n", f.name)
	seq := 0
	for i, line := range f.lines {
		kind, rest, _ := strings.Cut(strings.ReplaceAll(line, "DOMAIN", domain), " ")
		if kind == "<" {
			auth := ""
			if rest == "100" {
				auth = ` optional="true"`
			}
			if rest == "401" || rest == "407" {
				auth = ` auth="true"`
			}
			fmt.Fprintf(&b, "<recv response=%q%s/>\n", rest, auth)
			continue
		}
		fields := strings.Split(rest, "|")
		method, _, _ := strings.Cut(fields[0], " ")
		if method == "ACK" { // to a refusal: the Via of its INVITE, the To of the refusal
			fmt.Fprintf(&b, "<send><![CDATA[\n%s SIP/2.0\n[last_Via:]\nMax-Forwards: 70\n[last_From:]\n[last_To:]\nCall-ID: [call_id]\nCSeq: %d ACK\nContent-Length: 0\n\n]]></send>\n", fields[0], seq)
			continue
		}
		seq++
		fmt.Fprintf(&b, "<send retrans=\"500\"><![CDATA[\n%s SIP/2.0\n", fields[0])
		fmt.Fprintf(&b, "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport\nMax-Forwards: 70\n")
		fmt.Fprintf(&b, "From: <sip:[field0]@%s>;tag=[pid]f[call_number]\nTo: <sip:[field0]@%s>%s\n", domain, domain, map[bool]string{true: ";tag=none"}[method == "BYE" && i == 0])
		fmt.Fprintf(&b, "Call-ID: [call_id]\nCSeq: %d %s\nContact: <sip:[field0]@[local_ip]:[local_port]>\n", seq, method)
		for _, more := range fields[1:] {
			fmt.Fprintf(&b, "%s\n", more)
		}
		b.WriteString("Content-Length: 0\n\n]]></send>\n")
	}
	b.WriteString("</scenario>\n")
	return b.String()
}

// TestFlows: each flow runs without a failure, a repetition or a surprise.
func TestFlows(t *testing.T) {
	need(t, "sipp")
	d := startDemo(t, 10)
	port := d.sippPort(t)
	for i, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			file := d.path(fmt.Sprintf("flow-%d.xml", i))
			if err := os.WriteFile(file, []byte(f.xml(d.SIP.Domain)), 0o600); err != nil {
				t.Fatal(err)
			}
			s := d.sipp(t, port, "-sf", file, "-inf", d.scenario("users.csv"), "-m", fmt.Sprint(f.calls), "-r", "50")
			s.clean(t, f.calls, time.Minute)
		})
	}
	d.stop(t)
}
