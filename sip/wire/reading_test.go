package wire

import (
	"strconv"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/sip/escape"
)

// readings is what has to be read in the messages that are valid, beyond that
// they are: what RFC 4475 section 3.1.1 and RFC 5118 section 4 call attention to.
var readings = []struct {
	dir, file string
	got       func(m *Message) []string
	want      []string
}{
	{"rfc4475", "wsinv", func(m *Message) []string {
		c := &m.Contacts()[0]
		return []string{m.Method(), m.from.Display(), m.FromTag(), m.ToTag(), m.Branch(), c.Display(), m.MediaType()}
	}, []string{"INVITE", `J Rosenberg \"`, "98asjd8", "1918181833n", "390skdjuw", `Quoted string ""`, "application/sdp"}},
	{"rfc4475", "intmeth", func(m *Message) []string {
		return []string{m.Method(), m.TargetURI().Host, m.from.Display(), m.FromTag(), m.FromURI().User, m.Branch()}
	}, []string{"!interesting-Method0123456789_*+`.%indeed'~", "example.com", "token1~` token2'+_ token3*%!.-", "_token~1'+`*%!-.",
		"mundane", "z9hG4bK-.!%66*_+`'~"}},
	{"rfc4475", "esc01", func(m *Message) []string {
		to, from := m.ToURI(), m.FromURI()
		return []string{m.TargetURI().User, m.TargetURI().Host, escape.Decode(to.User), escape.Decode(from.User)}
	}, []string{"sips%3Auser%40example.com", "example.net", "user", "I have spaces"}},
	{"rfc4475", "escnull", func(m *Message) []string {
		return []string{m.ToURI().User, m.Contacts()[0].URI.User, m.Contacts()[1].URI.User}
	}, []string{"null-%00-null", "%00", "%00%00"}},
	{"rfc4475", "esc02", func(m *Message) []string { return []string{m.Method()} }, []string{"RE%47IST%45R"}},
	{"rfc4475", "lwsdisp", func(m *Message) []string {
		return []string{m.from.Display(), m.FromURI().User, m.FromTag()}
	}, []string{"caller", "caller", "323"}},
	{"rfc4475", "longreq", func(m *Message) []string {
		return []string{m.ToURI().User, strconv.Itoa(m.ToURI().Port), strconv.Itoa(m.Vias()), strconv.Itoa(len(m.Contacts()))}
	}, []string{"user", "6000", "34", "1"}},
	{"rfc4475", "dblreq", func(m *Message) []string {
		return []string{m.Method(), m.ToURI().User, strconv.Itoa(m.BodySize())}
	}, []string{"REGISTER", "j.user", "0"}},
	{"rfc4475", "semiuri", func(m *Message) []string {
		return []string{m.TargetURI().User, m.TargetURI().Host}
	}, []string{"user;par=u%40example.net", "example.com"}},
	{"rfc4475", "transports", func(m *Message) []string {
		var list []string
		for value := range m.Values("Via") {
			_, value, _ = strings.Cut(value, "2.0/")
			value, _, _ = strings.Cut(value, " ")
			list = append(list, value)
		}
		return list
	}, []string{"UDP", "SCTP", "TLS", "UNKNOWN", "TCP"}},
	{"rfc4475", "mpart01", func(m *Message) []string {
		return []string{m.MediaType(), strings.TrimSpace(string(m.Part("text/plain"))), strconv.FormatBool(m.Part("application/octet-stream") != nil)}
	}, []string{"multipart/mixed", "Hello", "true"}},
	{"rfc4475", "unreason", func(m *Message) []string {
		return []string{strconv.Itoa(m.Status()), m.Reason()}
	}, []string{"200", "= 2**3 * 5**2 но сто девяносто девять - простое"}},
	{"rfc4475", "noreason", func(m *Message) []string {
		return []string{strconv.Itoa(m.Status()), m.Reason()}
	}, []string{"100", ""}},
	{"rfc4475", "cparam01", func(m *Message) []string {
		_, ok := m.Contacts()[0].Param("unknownparam")
		return []string{m.Contacts()[0].URI.Text, strconv.FormatBool(ok)}
	}, []string{"sip:+19725552222@gw1.example.net", "true"}},
	{"rfc4475", "cparam02", func(m *Message) []string {
		_, ok := m.Contacts()[0].Param("unknownparam")
		return []string{m.Contacts()[0].URI.Text, strconv.FormatBool(ok)}
	}, []string{"sip:+19725552222@gw1.example.net;unknownparam", "false"}},
	{"rfc4475", "regescrt", func(m *Message) []string {
		return []string{m.Contacts()[0].URI.Text}
	}, []string{"sip:user@example.com?Route=%3Csip:sip.example.com%3E"}},
	{"rfc4475", "unksm2", func(m *Message) []string {
		return []string{m.ToURI().Scheme, m.ToURI().User, m.FromURI().Scheme, m.Contacts()[0].URI.Scheme}
	}, []string{"isbn", "", "http", "name"}},
	{"rfc4475", "inv2543", func(m *Message) []string {
		return []string{m.Branch(), m.FromTag(), m.ToTag()}
	}, []string{"", "", ""}},

	{"rfc5118", "ipv6-good", func(m *Message) []string {
		return []string{m.TargetURI().Host, m.Contacts()[0].URI.Host, m.Contacts()[0].Display()}
	}, []string{"[2001:db8::10]", "[2001:db8::1]", "Caller"}},
	{"rfc5118", "port-ambiguous", func(m *Message) []string {
		return []string{m.TargetURI().Host, strconv.Itoa(m.TargetURI().Port)}
	}, []string{"[2001:db8::10:5070]", "0"}},
	{"rfc5118", "port-unambiguous", func(m *Message) []string {
		return []string{m.TargetURI().Host, strconv.Itoa(m.TargetURI().Port)}
	}, []string{"[2001:db8::10]", "5070"}},
	{"rfc5118", "via-received-param-with-delim", received, []string{"[2001:db8::9:255]"}},
	{"rfc5118", "via-received-param-no-delim", received, []string{"2001:db8::9:255"}},
	{"rfc5118", "mult-ip-in-header", func(m *Message) []string {
		host, port := m.SentBy()
		return []string{host, strconv.Itoa(port), strconv.Itoa(m.Vias())}
	}, []string{"[2001:db8::9:1]", "6050", "3"}},
	{"rfc5118", "ipv6-in-sdp", sdpOnly, []string{"true"}},
	{"rfc5118", "mult-ip-in-sdp", sdpOnly, []string{"true"}},
	{"rfc5118", "ipv4-mapped-ipv6", func(m *Message) []string {
		ip, _ := HostAddr(m.Contacts()[0].URI.Host)
		return []string{ip.String(), m.Contacts()[0].URI.Host}
	}, []string{"192.0.2.2", "[::ffff:192.0.2.2]"}},
	{"rfc5118", "ipv6-bug-abnf-3-colons", mappedTarget, []string{"2001:db8::c000:201"}},
	{"rfc5118", "ipv6-correct-abnf-2-colons", mappedTarget, []string{"2001:db8::c000:201"}},
}

func received(m *Message) []string {
	v, _ := m.Via().Params.Get("received")
	return []string{v}
}

func sdpOnly(m *Message) []string {
	return []string{strconv.FormatBool(strings.HasPrefix(string(m.Part("application/sdp")), "v=0"))}
}

func mappedTarget(m *Message) []string {
	ip, _ := HostAddr(m.TargetURI().Host)
	return []string{ip.String()}
}

func TestCorpusReadings(t *testing.T) {
	for _, r := range readings {
		t.Run(r.file, func(t *testing.T) {
			m, err := Parse(readCorpus(t, r.dir, r.file))
			if err != nil {
				t.Fatal(err)
			}
			got := r.got(m)
			if strings.Join(got, "\n") != strings.Join(r.want, "\n") {
				t.Errorf("read %q, want %q", got, r.want)
			}
		})
	}
}
