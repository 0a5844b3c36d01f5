package sip_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip"
	"github.com/cordpair/cordpair/sip/digest"
)

// corpus is what becomes of the messages of RFC 4475 and RFC 5118 at a running
// edge: -1 means no answer. What validation lets pass is then asked for its
// credentials, as nobody of the corpus has any (A1).
var corpus = map[string]int{
	"rfc4475/wsinv": 481, "rfc4475/intmeth": 501, "rfc4475/esc01": 407, "rfc4475/escnull": 401,
	"rfc4475/esc02": 501, "rfc4475/lwsdisp": 200, "rfc4475/longreq": 407, "rfc4475/dblreq": 401,
	"rfc4475/semiuri": 200, "rfc4475/transports": 200, "rfc4475/mpart01": 407, "rfc4475/unreason": -1,
	"rfc4475/noreason": -1, "rfc4475/badinv01": 400, "rfc4475/clerr": 400, "rfc4475/ncl": 400,
	"rfc4475/scalar02": 400, "rfc4475/scalarlg": -1, "rfc4475/quotbal": 400, "rfc4475/ltgtruri": 400,
	"rfc4475/lwsruri": 400, "rfc4475/lwsstart": 400, "rfc4475/trws": 400, "rfc4475/escruri": 400,
	"rfc4475/baddate": 400, "rfc4475/regbadct": 400, "rfc4475/badaspec": 400, "rfc4475/baddn": 400,
	"rfc4475/badvers": 505, "rfc4475/mismatch01": 400, "rfc4475/mismatch02": 501, "rfc4475/bigcode": -1,
	"rfc4475/badbranch": 400, "rfc4475/insuf": 400, "rfc4475/unkscm": 416, "rfc4475/novelsc": 416,
	"rfc4475/unksm2": 401, "rfc4475/bext01": 420, "rfc4475/invut": 415, "rfc4475/regaut01": 401,
	"rfc4475/multi01": 400, "rfc4475/mcl01": 400, "rfc4475/bcast": -1, "rfc4475/zeromf": 483,
	"rfc4475/cparam01": 401, "rfc4475/cparam02": 401, "rfc4475/regescrt": 401, "rfc4475/sdp01": 406,
	"rfc4475/inv2543": 407,

	"rfc5118/ipv6-good": 401, "rfc5118/ipv6-bad": 400, "rfc5118/port-ambiguous": 401,
	"rfc5118/port-unambiguous": 401, "rfc5118/via-received-param-with-delim": 481,
	"rfc5118/via-received-param-no-delim": 200, "rfc5118/ipv6-in-sdp": 407, "rfc5118/mult-ip-in-header": 481,
	"rfc5118/mult-ip-in-sdp": 407, "rfc5118/ipv4-mapped-ipv6": 407,
	"rfc5118/ipv6-bug-abnf-3-colons": 200, "rfc5118/ipv6-correct-abnf-2-colons": 200,
}

func corpusFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, dir := range []string{"rfc4475", "rfc5118"} {
		names, err := filepath.Glob("wire/testdata/" + dir + "/*.dat")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[dir+"/"+strings.TrimSuffix(filepath.Base(name), ".dat")] = string(b)
		}
	}
	if len(files) != 61 {
		t.Fatalf("%d messages", len(files))
	}
	return files
}

// TestCorpus throws every message of the two RFCs at the running edge (S1 to
// S4): the right answer, no fault, and phones go on working.
func TestCorpus(t *testing.T) {
	files := corpusFiles(t)
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				host := 0
				for _, file := range sortedKeys(files) {
					host++
					u := open(e, fmt.Sprintf("10.0.8.%d:5060", host))
					u.send(files[file])
					if u.tcp != nil {
						wait(3 * time.Second) // what cannot be framed ends the connection
					}
					list := slices.DeleteFunc(u.heard(), func(g got) bool { return g.raw == "" || g.raw[:4] != "SIP/" })
					codes := []int{-1}
					for i, g := range list { // an answer may echo what nobody can read
						codes = append(codes[:i], 0)
						_, err := fmt.Sscanf(g.raw, "SIP/2.0 %d", &codes[i])
						e.must(err)
					}
					want := corpus[file]
					if u.tcp != nil && unframed[file] != 0 {
						want = unframed[file]
					}
					// On a stream dblreq is two requests.
					if !slices.Contains(codes, want) || len(codes) > 1 && file != "rfc4475/dblreq" {
						t.Errorf("%s: %v, want %d", file, codes, want)
					}
				}
				out, _ := e.talk(e.phone("101"), e.phone("102"))
				e.must(out.Hangup(e.ctx))
				if n := e.met.Value("cordpair_sip_panics_total"); n != 0 {
					t.Errorf("%v panics", n)
				}
			})
		})
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// unframed are the messages that mean something else on a stream: its end is
// awaited, or it has no Content-Length, without which nobody knows where it is
// (S7).
var unframed = map[string]int{
	"rfc4475/clerr": -1, "rfc4475/inv2543": 400, "rfc5118/ipv6-bug-abnf-3-colons": -1, "rfc5118/ipv6-correct-abnf-2-colons": -1,
}

// unserved are all methods with a meaning outside a dialog, and what a request
// without credentials gets (A1).
func TestNobodyWithoutCredentials(t *testing.T) {
	inEdge(t, func(e *edge) {
		e.phone("102")
		u := e.rawUDP("10.0.9.1:5060")
		for method, codes := range map[string][]int{
			"INVITE": {407}, "REGISTER": {401}, "SUBSCRIBE": {401}, "MESSAGE": {407}, "REFER": {407}, "PUBLISH": {401},
			"NOTIFY": {407}, "INFO": {407}, "UPDATE": {407}, "PRACK": {407}, "BYE": {481}, "CANCEL": {481}, "ACK": nil,
			"OPTIONS": {200},
		} {
			for _, from := range []string{"101", "999", "anonymous"} {
				r := request{method: method, uri: "sip:102@" + domain, user: from}
				u.send(u.text(r))
				if list := u.heard(); !slices.Equal(statuses(list), codes) {
					t.Errorf("%s from %s: %v, want %v", method, from, starts(list), codes)
				}
				r.toTag = "unknown"
				u.send(u.text(r))
				if list := u.heard(); method != "ACK" && method != "CANCEL" && !slices.Equal(statuses(list), []int{481}) {
					t.Errorf("%s in no dialog: %v", method, starts(list))
				}
			}
		}
		if n := len(e.happened(call.EventStarted)); n != 0 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestOptionsSaysNothingOfUs (A2): neither name nor version, in any answer.
func TestOptionsSaysNothingOfUs(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		u.send(u.text(request{method: "OPTIONS", uri: "sip:" + domain}))
		if value, _ := u.expect(200).Header("Allow-Events"); !strings.HasPrefix(value, "reg, message-summary") {
			t.Errorf("Allow-Events: %q", value)
		}
		u.register("101")
		r, ok := u.talk()
		e.registry.EndAll(call.CauseShutdown)
		u.send(reply(u.one(), 200, "", nil, ""))
		u.send(u.text(inDialog(r, ok, "OPTIONS")))
		u.send("garbage SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.9.1;branch=z9hG4bKx\r\n\r\n")
		for _, g := range u.got {
			for _, word := range []string{"Server:", "User-Agent:", "ordpair", "sipgo", "1.7"} {
				if strings.Contains(g.raw, word) {
					t.Errorf("%q in\n%s", word, g.raw)
				}
			}
		}
	})
}

// TestNoEnumeration (A3): who does not exist looks like who used a wrong
// password, in status, headers and length.
func TestNoEnumeration(t *testing.T) {
	varying := regexp.MustCompile(`nonce="[^"]*"|tag=[0-9a-f]{16}`)
	for _, method := range []string{"REGISTER", "INVITE", "MESSAGE"} {
		inEdge(t, func(e *edge) {
			e.dir.mu.Lock()
			delete(e.dir.accounts, "103") // blocked: the directory does not show it
			e.dir.mu.Unlock()
			u := e.rawUDP("10.0.9.1:5060")
			seen := map[string][]string{}
			for _, user := range []string{"101", "103", "999"} {
				r := request{
					method: method, uri: "sip:102@" + domain, user: user, callID: "call-" + user, fromTag: "f", branch: "z9hG4bK" + user,
				}
				u.fill(&r)
				u.send(u.text(r))
				first := u.one()
				header, answer := "Proxy-Authenticate", "Proxy-Authorization"
				if method == "REGISTER" {
					header, answer = "WWW-Authenticate", "Authorization"
				}
				value, _ := first.Header(header)
				c, err := digest.ParseChallenge(value)
				e.must(err)
				r.head = []string{answer + ": " + c.Respond(digest.Answer{
					User: user, Password: "wrong", Method: method, URI: r.uri, NC: 1, CNonce: strings.Repeat("0", 32),
				})}
				r.branch += "b"
				u.send(u.text(r))
				for _, g := range []got{first, u.one()} {
					text := strings.ReplaceAll(varying.ReplaceAllString(g.raw, "*"), user, "USER")
					seen[user] = append(seen[user], fmt.Sprint(len(g.raw), text))
				}
			}
			for _, user := range []string{"103", "999"} {
				if !slices.Equal(seen[user], seen["101"]) {
					t.Errorf("%s %s looks different:\n%s\n%s", method, user, seen[user], seen["101"])
				}
			}
		})
	}
}

// TestNonces (A4): 60 s, one use of each count, one address.
func TestNonces(t *testing.T) {
	inEdge(t, func(e *edge) {
		u := e.rawUDP("10.0.9.1:5060")
		stale := func(from *rawUA, r request) {
			t.Helper()
			r.branch, r.cseq = fresh("z9hG4bKraw"), r.cseq+1
			from.send(from.text(r))
			value, _ := from.expect(401).Header("WWW-Authenticate")
			if !strings.Contains(value, "stale=true") {
				t.Errorf("challenge is %q", value)
			}
		}
		r := u.signed(request{method: "REGISTER", to: "<sip:101@" + domain + ">"})
		stale(e.rawUDP("10.0.9.66:5060"), r) // stolen
		u.send(u.text(r))
		u.expect(200)
		stale(u, r) // replayed
		old := u.signed(request{method: "REGISTER", to: "<sip:101@" + domain + ">"})
		wait(61 * time.Second)
		stale(u, old)
	})
}

// TestIdentity (A5): whatever a request shows as its sender must be the one who
// authenticated; hiding it is no refusal.
func TestIdentity(t *testing.T) {
	self, other := "<sip:101@"+domain+">", "<sip:103@"+domain+">"
	for name, tc := range map[string]struct {
		r    request
		edit func(*request)
		code int
		name string // the caller as the callee sees it
	}{
		"itself":            {r: request{}, name: `"Phone 101" <sip:101@acme.example>`},
		"another From":      {r: request{from: other}, code: 403},
		"a stranger's From": {r: request{from: "<sip:+491@" + domain + ">"}, code: 403},
		"asserts itself":    {r: request{head: []string{"P-Asserted-Identity: " + self}}, name: "101"},
		"asserts another":   {r: request{head: []string{"P-Asserted-Identity: " + other}}, code: 403},
		"asserts by tel":    {r: request{head: []string{"P-Asserted-Identity: <tel:+49123>"}}, code: 403},
		"asserts two":       {r: request{head: []string{"P-Asserted-Identity: " + self + ", " + other}}, code: 403},
		"hides it in a name": {
			r: request{head: []string{`P-Preferred-Identity: "<sip:101@acme.example>" ` + other}}, code: 403,
		},
		"anonymous":         {r: request{from: `"Anonymous" <sip:anonymous@anonymous.invalid>`}, name: "anonymous@anonymous.invalid"},
		"privacy":           {r: request{head: []string{"Privacy: id"}}, name: "anonymous@anonymous.invalid"},
		"another uri":       {r: request{}, edit: func(r *request) { r.uri = "sip:103@" + domain }, code: 403},
		"another uri host":  {r: request{}, edit: func(r *request) { r.uri = "sip:102@elsewhere.example" }, code: 403},
		"another method":    {r: request{}, edit: func(r *request) { r.method = "MESSAGE" }, code: 407},
		"Diversion is lost": {r: request{head: []string{"Diversion: " + other, "X-Foo: bar", "Remote-Party-ID: " + other}}, name: "101"},
	} {
		t.Run(name, func(t *testing.T) {
			inEdge(t, func(e *edge) {
				callee, u := e.rawUDP("10.0.9.2:5060"), e.rawUDP("10.0.9.1:5060")
				callee.register("102")
				tc.r.method, tc.r.uri, tc.r.body = "INVITE", "sip:102@"+domain, u.sdp()
				r := u.signed(tc.r)
				if tc.edit != nil {
					tc.edit(&r)
				}
				u.send(u.text(r))
				if tc.code != 0 {
					u.expect(tc.code)
					callee.expect()
					return
				}
				invite := callee.one()
				if from, _ := invite.Header("From"); !strings.Contains(from, tc.name) {
					t.Errorf("callee sees %q, want %q", from, tc.name)
				}
				wantID, wantPrivacy := `"Phone 101" <sip:101@acme.example>`, ""
				if strings.HasPrefix(tc.name, "anonymous") {
					wantID, wantPrivacy = "", "id"
				}
				id, _ := invite.Header("P-Asserted-Identity")
				privacy, _ := invite.Header("Privacy")
				if id != wantID || privacy != wantPrivacy { // RFC 3325, 3323: ours, never the caller's
					t.Errorf("P-Asserted-Identity %q, Privacy %q", id, privacy)
				}
				for _, name := range []string{"Diversion", "X-Foo", "Remote-Party-ID"} {
					if v, ok := invite.Header(name); ok { // F5
						t.Errorf("%s: %s reached the callee", name, v)
					}
				}
				if tc.name == "anonymous@anonymous.invalid" && (strings.Contains(invite.raw, "sip:101@") || strings.Contains(invite.raw, "Phone 101")) {
					t.Errorf("a hidden number shows in\n%s", invite.raw)
				}
			})
		})
	}
}

// TestRegisterOnlyOneself (A5).
func TestRegisterOnlyOneself(t *testing.T) {
	for _, to := range []string{"103", "anonymous", "999"} {
		inEdge(t, func(e *edge) {
			u := e.rawUDP("10.0.9.1:5060")
			u.send(u.text(u.signed(request{method: "REGISTER", to: "<sip:" + to + "@" + domain + ">"})))
			u.expect(403)
			if n := e.srv.Bindings().Len(); n != 0 {
				t.Errorf("%d bindings", n)
			}
		})
	}
}

// TestDigestPolicies (A6).
func TestDigestPolicies(t *testing.T) {
	for policy, algorithms := range map[digest.Policy][]string{
		"": {"MD5"}, digest.PolicyMD5: {"MD5"}, digest.PolicySHA256: {"SHA-256"}, digest.PolicyBoth: {"SHA-256", "MD5"},
	} {
		inEdge(t, func(e *edge) {
			e.dir.set("101", func(a *sip.Account) { a.Policy = policy })
			u := e.rawUDP("10.0.9.1:5060")
			for i := range algorithms {
				r := request{method: "REGISTER", to: "<sip:101@" + domain + ">"}
				u.fill(&r)
				u.send(u.text(r))
				challenges := slices.Collect(u.expect(401).Lines("WWW-Authenticate"))
				if len(challenges) != len(algorithms) || !strings.Contains(challenges[i], "algorithm="+algorithms[i]+",") {
					t.Fatalf("policy %q: %q", policy, challenges)
				}
				u.send(u.text(u.withCredentials(r, challenges[i], "Authorization")))
				u.expect(200)
			}
			for head, code := range map[string]int{
				"Authorization: Basic Zm9vOmJhcg==":      401,
				"Authorization: NoOne uses=\"this\"":     401,
				"Authorization: Digest username=\"101":   400,
				"Authorization: Digest username=\"101\"": 400,
				"Authorization: Digest":                  400,
				`Authorization: Digest username="101", realm="` + domain + `", nonce="", uri="sip:x", response=""`:                        401,
				`Authorization: Digest username="101", realm="other", nonce="x", uri="sip:x", response="` + strings.Repeat("0", 32) + `"`: 401,
			} {
				u.send(u.text(request{method: "REGISTER", to: "<sip:101@" + domain + ">", head: []string{head}}))
				if g := u.one(); g.Status() != code {
					t.Errorf("%s: %d, want %d", head, g.Status(), code)
				}
			}
		})
	}
}

// TestUnpredictable (A12): tags, branches, Call-IDs and nonces of ours never
// repeat and are long.
func TestUnpredictable(t *testing.T) {
	long := regexp.MustCompile(`^(z9hG4bK)?[0-9a-f]{16,}$`)
	inEdge(t, func(e *edge) {
		callee := e.rawUDP("10.0.9.2:5060")
		callee.register("102")
		caller := e.rawUDP("10.0.9.1:5060")
		seen := map[string]bool{}
		for range 20 {
			caller.call("102")
			invite := callee.one()
			callee.send(reply(invite, 486, "far", nil, ""))
			callee.heard()
			refused := caller.lastOf(486)
			for _, s := range []string{invite.CallID(), invite.FromTag(), invite.Branch(), refused.ToTag()} {
				if seen[s] || !long.MatchString(s) {
					t.Errorf("%q is short or came before", s)
				}
				seen[s] = true
			}
		}
	})
}
