package wire

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/sip/escape"
)

// with is a request that has the given header lines.
func with(t testing.TB, start string, more ...string) *Message {
	t.Helper()
	return mustParse(t, request(start, more...))
}

func TestSessionExpires(t *testing.T) {
	for s, want := range map[string]SessionExpires{
		"1800":                      {1800 * time.Second, ""},
		"1800;refresher=uac":        {1800 * time.Second, RefresherUAC},
		"90 ; Refresher = UAS; x=y": {90 * time.Second, RefresherUAS},
		"90;refresher=somebody":     {90 * time.Second, ""},
		"99999999999999":            {(1<<32 - 1) * time.Second, ""},
	} {
		got, ok := ParseSessionExpires(s)
		if !ok || got != want {
			t.Errorf("%q: %+v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "x", "-1", "90;", "90;=", ";refresher=uac"} {
		if got, ok := ParseSessionExpires(s); ok {
			t.Errorf("%q: %+v", s, got)
		}
	}
}

func TestSecondsHeaders(t *testing.T) {
	m := with(t, invite, "Min-SE: 120;a=b", "Retry-After: 18 (in a meeting);duration=3")
	if d, ok := m.MinSE(); !ok || d != 2*time.Minute {
		t.Error("Min-SE", d, ok)
	}
	if d, ok := m.RetryAfter(); !ok || d != 18*time.Second {
		t.Error("Retry-After", d, ok)
	}
}

func TestReliableProvisionals(t *testing.T) {
	m := with(t, invite, "RSeq: 4294967295", "RAck: 1 314159\tINVITE")
	if n, ok := m.RSeq(); !ok || n != 1<<32-1 {
		t.Error("RSeq", n, ok)
	}
	if r, ok := m.RAck(); !ok || r != (RAck{1, 314159, "INVITE"}) || r.String() != "1 314159 INVITE" {
		t.Error("RAck", r, ok)
	}
	for _, s := range []string{"", "0 1 INVITE", "1 2", "1 2 INVITE x", "1 2147483648 INVITE", "4294967296 1 INVITE", "1 2 IN(VITE"} {
		if r, ok := ParseRAck(s); ok {
			t.Errorf("%q: %+v", s, r)
		}
	}
}

func TestReplaces(t *testing.T) {
	for s, want := range map[string]Replaces{
		"425928@bobster.example.org;to-tag=7743;from-tag=6472": {"425928@bobster.example.org", "7743", "6472", false},
		"12adf2f34456gs5;from-tag=b;To-Tag=a;early-only":       {"12adf2f34456gs5", "a", "b", true},
		"87134@171.161.34.23;to-tag=24796;from-tag=0":          {"87134@171.161.34.23", "24796", "0", false},
		"a ; to-tag = 1 ; from-tag = 2 ; x=y":                  {"a", "1", "2", false},
	} {
		if got, ok := ParseReplaces(s); !ok || got != want {
			t.Errorf("%q: %+v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "a", "a;to-tag=1", "a;from-tag=1", ";to-tag=1;from-tag=2", "a;to-tag=1;to-tag=3;from-tag=2",
		"a;to-tag=;from-tag=2", "a b;to-tag=1;from-tag=2", "a;to-tag=1;from-tag=2, b;to-tag=1;from-tag=2"} {
		if got, ok := ParseReplaces(s); ok {
			t.Errorf("%q: %+v", s, got)
		}
	}
}

func TestReferTo(t *testing.T) {
	attended := "<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>"
	for _, c := range []struct {
		in       string
		target   string
		method   string
		replaces *Replaces
		headers  []Field
	}{
		{"sip:alice@atlanta.example.com", "sip:alice@atlanta.example.com", "INVITE", nil, nil},
		{attended, "sip:dave@denver.example.org", "INVITE", &Replaces{"12345@192.168.118.3", "12345", "5FFE-3994", false}, nil},
		{"<sip:dave@denver.example.org;method=SUBSCRIBE;transport=tcp>", "sip:dave@denver.example.org;transport=tcp", "SUBSCRIBE", nil, nil},
		{"\"x\" <sip:carol@c.example?Call-ID=55432%40a.example&Subject=a%0d%0ab&=z>", "sip:carol@c.example", "INVITE", nil,
			[]Field{{"Call-ID", "55432@a.example"}, {"Subject", "a  b"}}},
		{"tel:+15550100", "tel:+15550100", "INVITE", nil, nil},
	} {
		r, ok := ParseReferTo(c.in)
		if !ok || r.Target != c.target || r.Method != c.method || !reflect.DeepEqual(r.Replaces, c.replaces) || !reflect.DeepEqual(r.Headers, c.headers) {
			t.Errorf("%s: %+v %v", c.in, r, ok)
		}
	}
	for _, s := range []string{"", "<>", "alice", "<sip:a@b?Replaces=x>", "<sip:a@b;method=>", "<sip:a@b?" + strings.Repeat("a=b&", 40) + ">",
		"<sip:a@b?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>"} {
		if r, ok := ParseReferTo(s); ok {
			t.Errorf("%q: %+v", s, r)
		}
	}
	want := Replaces{"12345@192.168.118.3", "12345", "5FFE-3994", false}
	if again := "<sip:dave@denver.example.org?Replaces=" + escape.Header(want.String()) + ">"; again != attended {
		t.Errorf("escaped to %s", again)
	}
}

func TestReferHeaders(t *testing.T) {
	m := with(t, "REFER sip:a@b SIP/2.0", "b: \"Bob\" <sip:bob@b.example>;cid=\"20398823@b.example\"", "Refer-Sub: False ;x=y", "r: <sip:x@y>")
	if a, ok := m.ReferredBy(); !ok || a.Display != "Bob" || a.URI.User != "bob" {
		t.Errorf("%+v", a)
	}
	if m.ReferSub() || !with(t, invite).ReferSub() {
		t.Error("Refer-Sub")
	}
	if r, ok := m.ReferTo(); !ok || r.Target != "sip:x@y" {
		t.Errorf("%+v", r)
	}
}

func TestEvent(t *testing.T) {
	m := with(t, "SUBSCRIBE sip:a@b SIP/2.0", "o: Dialog;ID=5;sla;call-id=\"a b\"")
	e, ok := m.Event()
	if !ok || e.Package != "Dialog" || e.ID != "5" || len(e.Params) != 2 || e.String() != "Dialog;id=5;sla;call-id=\"a b\"" {
		t.Errorf("%+v %v", e, ok)
	}
	for _, s := range []string{"", "a b", "x;id=", "x;id=1;id=2", ";id=1"} {
		if e, ok := ParseEvent(s); ok {
			t.Errorf("%q: %+v", s, e)
		}
	}
}

func TestSubscriptionState(t *testing.T) {
	for s, want := range map[string]SubscriptionState{
		"active;expires=600":                          {"active", "", 600 * time.Second, -1},
		"Terminated;reason=NoResource;retry-after=10": {"terminated", "noresource", -1, 10 * time.Second},
		"pending":             {"pending", "", -1, -1},
		"active;expires=soon": {"active", "", -1, -1},
	} {
		if got, ok := ParseSubscriptionState(s); !ok || got != want {
			t.Errorf("%q: %+v", s, got)
		}
	}
}

func TestPublishTags(t *testing.T) {
	m := with(t, "PUBLISH sip:a@b SIP/2.0", "SIP-If-Match: dx200xyz")
	if tag, ok := m.IfMatch(); !ok || tag != "dx200xyz" {
		t.Error(tag, ok)
	}
	m = with(t, "PUBLISH sip:a@b SIP/2.0", "SIP-If-Match: a b")
	if tag, ok := m.IfMatch(); ok {
		t.Error(tag)
	}
}

func TestAccepts(t *testing.T) {
	for _, c := range []struct {
		accept string
		q      int
	}{
		{"application/sdp", 1000}, {"*/*;q=0.2", 200}, {"application/*;q=0.5, application/sdp;q=0", 0},
		{"text/plain", 0}, {"", 0}, {"*/*, Application/SDP;level=1;q=0.3", 300},
	} {
		if q, ok := with(t, invite, "Accept: "+c.accept).Accepts("application/sdp"); !ok || q != c.q {
			t.Errorf("%q: %d %v", c.accept, q, ok)
		}
	}
	if _, ok := with(t, invite).Accepts("application/sdp"); ok {
		t.Error("no Accept")
	}
}

func TestIdentity(t *testing.T) {
	m := with(t, invite, `P-Asserted-Identity: "Cullen, J" <sip:fluffy@example.com>, <tel:+14085264000>, nonsense`,
		"P-Preferred-Identity: sip:a@b", "Privacy: ID; user,critical", "Privacy: mine")
	list := m.AssertedIdentities()
	if len(list) != 2 || list[0].Display != "Cullen, J" || list[0].URI.User != "fluffy" || list[1].URI.Scheme != "tel" {
		t.Errorf("%+v", list)
	}
	if list := m.PreferredIdentities(); len(list) != 1 || list[0].String() != "<sip:a@b>" {
		t.Errorf("%+v", list)
	}
	if p := m.Privacy(); p != PrivacyID|PrivacyUser|PrivacyCritical || p.String() != "user;id;critical" || p&Anonymous == 0 {
		t.Error(p)
	}
}

func TestDiversion(t *testing.T) {
	m := with(t, invite, `Diversion: "B" <sip:b@p.example>;reason=User-Busy;counter=2;privacy=full, <tel:+1>;privacy=off`,
		"Diversion: <sip:c@p>;counter=999")
	list := m.Diversions()
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	if d := list[0]; d.Reason != "user-busy" || d.Counter != 2 || !d.Private || d.URI.User != "b" || d.Display != "B" {
		t.Errorf("%+v", d)
	}
	if d := list[1]; d.Reason != "unknown" || d.Counter != 1 || d.Private {
		t.Errorf("%+v", d)
	}
	if d := list[2]; d.Counter != 255 {
		t.Errorf("%+v", d)
	}
}

func TestHistory(t *testing.T) {
	m := with(t, invite, "History-Info: <sip:bob@b.example?Reason=SIP%3Bcause%3D302%2CQ.850%3Bcause%3D17&Privacy=history>;index=1",
		"History-Info: <sip:carol@c.example;cause=302>;index=1.1;mp=1, <sip:carol@192.0.2.4>;index=1.1.1;rc=1.1, x")
	list := m.History()
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	want := []Reason{{"SIP", 302, ""}, {"Q.850", 17, ""}}
	if h := list[0]; h.Index != "1" || !reflect.DeepEqual(h.Reasons, want) || h.Privacy != PrivacyHistory || h.URI.String() != "sip:bob@b.example" {
		t.Errorf("%+v", h)
	}
	if h := list[1]; h.Index != "1.1" || h.From != "1" || !h.Mapped || h.Cause != 302 {
		t.Errorf("%+v", h)
	}
	if h := list[2]; h.From != "1.1" || h.Mapped {
		t.Errorf("%+v", h)
	}
}

// A header that a method needs is refused where it cannot be read, and no
// concern of others.
func TestShapes(t *testing.T) {
	rules := testRules
	rules.Methods = knownMethods
	for method, line := range map[string]string{
		"INVITE": "Replaces: x", "UPDATE": "Session-Expires: soon", "PRACK": "RAck: 1 2", "REFER": "Refer-To: <>",
		"SUBSCRIBE": "Event: ;id=1", "NOTIFY": "Subscription-State: ;", "PUBLISH": "SIP-If-Match: a b",
	} {
		name, _, _ := strings.Cut(line, ":")
		f := rules.Validate(with(t, method+" sip:a@b SIP/2.0", line))
		if f == nil || f.Status != 400 || !strings.Contains(f.Reason, name) {
			t.Errorf("%s with %q: %v", method, line, f)
		}
		if f := rules.Validate(with(t, options, line)); f != nil {
			t.Errorf("OPTIONS with %q: %v", line, f)
		}
	}
}

// FuzzHeaders: a header value that can be read renders to one that reads the
// same.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"1800;refresher=uac", "1 2 INVITE", "a@b;to-tag=1;from-tag=2;early-only", "dialog;id=1;sla",
		"terminated;reason=x;retry-after=1", `"a" <sip:b@c;method=BYE?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=x>;p="q r"`,
		"id;user", "Q.850;cause=16;text=\"a b\"", "<tel:+1>;counter=3;index=1.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = trim(Clean(s))
		again(t, s, ParseSessionExpires, SessionExpires.String)
		again(t, s, ParseRAck, RAck.String)
		again(t, s, ParseReplaces, Replaces.String)
		again(t, s, ParseEvent, Event.String)
		again(t, s, ParseSubscriptionState, SubscriptionState.String)
		again(t, s, ParseReason, Reason.String)
		again(t, s, func(s string) (Privacy, bool) { p := ParsePrivacy(s); return p, p != 0 }, Privacy.String)
		again(t, s, func(s string) (Address, bool) { a, err := ParseAddress(s); return a, err == nil },
			func(a Address) string { return a.String() })
		again(t, s, ParseReferTo, func(r ReferTo) string { return r.String() })
		if r, ok := ParseReplaces(s); ok {
			in, ok := ParseReferTo("<sip:a@b?Replaces=" + escape.Header(r.String()) + ">")
			if !ok || *in.Replaces != r {
				t.Fatalf("%+v embedded is %+v", r, in)
			}
		}
	})
}

func again[T any](t *testing.T, s string, parse func(string) (T, bool), render func(T) string) {
	v, ok := parse(s)
	if !ok {
		return
	}
	text := render(v)
	w, ok := parse(text)
	if !ok || render(w) != text {
		t.Fatalf("%q became %q: %+v, %+v", s, text, v, w)
	}
}
