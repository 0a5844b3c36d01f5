package sip_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/sip/siptest"
	"github.com/cordpair/cordpair/sip/wire"
)

// got is one message a rawUA received.
type got struct {
	*wire.Message
	at  time.Time
	raw string
}

// rawUA speaks SIP word by word: it does nothing by itself.
type rawUA struct {
	e    *edge
	udp  siptest.PacketConn // or
	tcp  net.Conn
	addr netip.AddrPort

	mu   sync.Mutex
	got  []got
	next int
}

// rawUDP makes a user agent with a socket of its own.
func (e *edge) rawUDP(addr string) *rawUA {
	e.t.Helper()
	conn, err := e.net.ListenPacket(netip.MustParseAddrPort(addr))
	e.must(err)
	u := &rawUA{e: e, udp: conn, addr: netip.MustParseAddrPort(addr)}
	go u.readPackets() // ends when the network closes
	return u
}

// rawTCP makes a user agent with a connection to the switch.
func (e *edge) rawTCP(addr string) *rawUA {
	e.t.Helper()
	local := netip.MustParseAddrPort(addr)
	conn, err := e.net.Dial(context.Background(), local, e.net.Switch)
	e.must(err)
	u := &rawUA{e: e, tcp: conn, addr: local}
	go u.readStream() // ends when the connection does
	return u
}

func (u *rawUA) readPackets() {
	buf := make([]byte, 65536)
	for {
		n, _, err := u.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		u.keep(buf[:n])
	}
}

func (u *rawUA) readStream() {
	var framer wire.Framer
	for {
		frame, err := framer.Next()
		switch {
		case err == nil && !frame.Ping:
			u.keep(frame.Data)
		case err != nil && framer.Fill(u.tcp) != nil:
			u.keep(nil) // closed
			return
		}
	}
}

func (u *rawUA) keep(b []byte) {
	m, err := wire.Parse(b)
	if err != nil {
		m = nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.got = append(u.got, got{m, time.Now(), string(b)})
}

// send sends raw text and lets the switch react.
func (u *rawUA) send(text string) {
	u.e.t.Helper()
	var err error
	if u.udp != nil {
		_, err = u.udp.WriteToUDPAddrPort([]byte(text), u.e.net.Switch)
	} else {
		_, err = u.tcp.Write([]byte(text))
	}
	u.e.must(err)
	synctest.Wait()
}

// heard returns what has come since the last look.
func (u *rawUA) heard() []got {
	synctest.Wait()
	u.mu.Lock()
	defer u.mu.Unlock()
	list := slices.Clone(u.got[u.next:])
	u.next = len(u.got)
	return list
}

// one returns the only message that has come since the last look.
func (u *rawUA) one() got {
	u.e.t.Helper()
	list := u.heard()
	if len(list) != 1 || list[0].Message == nil {
		u.e.t.Fatalf("%d messages came, want one: %v", len(list), starts(list))
	}
	return list[0]
}

// starts are the first lines of messages.
func starts(list []got) []string {
	var lines []string
	for _, g := range list {
		line, _, _ := strings.Cut(g.raw, "\r\n")
		lines = append(lines, line)
	}
	return lines
}

// statuses are the codes of responses, 0 for requests.
func statuses(list []got) []int {
	var codes []int
	for _, g := range list {
		codes = append(codes, g.Status())
	}
	return codes
}

// expect checks the codes of what has come since the last look and returns the
// last message.
func (u *rawUA) expect(codes ...int) got {
	u.e.t.Helper()
	list := u.heard()
	if !slices.Equal(statuses(list), codes) {
		u.e.t.Fatalf("got %v, want %v", starts(list), codes)
	}
	if len(list) == 0 {
		return got{}
	}
	return list[len(list)-1]
}

// request is a request of a rawUA.
type request struct {
	method, uri    string
	user           string // of From, "101" when empty
	from, to       string // whole values without tags, made of user and uri when empty
	fromTag, toTag string
	callID         string
	cseq           int
	branch         string
	via            string // parameters behind the sent-by, ";rport" when empty
	sentBy         string // own address when empty
	head           []string
	contentType    string
	body           string
	noContact      bool
}

// branches numbers what must differ; nothing in a bubble depends on the number.
var branches = struct {
	sync.Mutex
	n int
}{}

func fresh(what string) string {
	branches.Lock()
	defer branches.Unlock()
	branches.n++
	return fmt.Sprintf("%s%d", what, branches.n)
}

// fill gives a request what it does not say itself.
func (u *rawUA) fill(r *request) {
	def := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	def(&r.user, "101")
	def(&r.uri, "sip:"+domain)
	def(&r.from, "<sip:"+r.user+"@"+domain+">")
	def(&r.to, "<"+r.uri+">")
	def(&r.fromTag, "fromtag")
	def(&r.callID, fresh("call"))
	def(&r.branch, fresh("z9hG4bKraw"))
	def(&r.via, ";rport")
	def(&r.sentBy, u.addr.String())
	if r.cseq == 0 {
		r.cseq = 1
	}
}

// text renders a request.
func (u *rawUA) text(r request) string {
	u.fill(&r)
	transport := "UDP"
	if u.tcp != nil {
		transport = "TCP"
	}
	lines := []string{
		r.method + " " + r.uri + " SIP/2.0",
		"Via: SIP/2.0/" + transport + " " + r.sentBy + ";branch=" + r.branch + r.via,
		"Max-Forwards: 70",
		"From: " + r.from + ";tag=" + r.fromTag,
		"To: " + r.to + tagParam(r.toTag),
		"Call-ID: " + r.callID,
		fmt.Sprintf("CSeq: %d %s", r.cseq, r.method),
	}
	if !r.noContact {
		lines = append(lines, "Contact: <sip:"+r.user+"@"+u.addr.String()+">")
	}
	lines = append(lines, r.head...)
	if r.body != "" && r.contentType == "" {
		r.contentType = "application/sdp"
	}
	if r.body != "" {
		lines = append(lines, "Content-Type: "+r.contentType)
	}
	lines = append(lines, fmt.Sprintf("Content-Length: %d", len(r.body)), "", r.body)
	return strings.Join(lines, "\r\n")
}

func tagParam(tag string) string {
	if tag == "" {
		return ""
	}
	return ";tag=" + tag
}

// signed sends a request without credentials and returns the same with them:
// new branch, next CSeq.
func (u *rawUA) signed(r request) request {
	u.e.t.Helper()
	u.fill(&r)
	u.send(u.text(r))
	answer := u.one()
	header, reply := "WWW-Authenticate", "Authorization"
	if answer.Status() == 407 {
		header, reply = "Proxy-Authenticate", "Proxy-Authorization"
	}
	value, ok := answer.Header(header)
	if !ok {
		u.e.t.Fatalf("%s without credentials: %q", r.method, answer.raw)
	}
	if r.method == "INVITE" {
		u.send(u.ackOf(r, answer))
	}
	return u.withCredentials(r, value, reply)
}

func (u *rawUA) withCredentials(r request, challenge, header string) request {
	u.e.t.Helper()
	c, err := digest.ParseChallenge(challenge)
	u.e.must(err)
	value := c.Respond(digest.Answer{
		User: r.user, Password: password, Method: r.method, URI: r.uri, NC: 1, CNonce: digest.NewCNonce(),
	})
	r.head = append(slices.Clone(r.head), header+": "+value)
	r.branch = fresh("z9hG4bKraw")
	r.cseq++
	return r
}

// ackOf is the ACK of a refused INVITE.
func (u *rawUA) ackOf(r request, answer got) string {
	r.method, r.toTag, r.body, r.head = "ACK", answer.ToTag(), "", nil
	return u.text(r)
}

// inDialog is the next request of the dialog that r began and answer accepted.
func inDialog(r request, answer got, method string) request {
	uri := "sip:" + domain
	if c := answer.Contacts(); len(c) > 0 {
		uri = c[0].URI.Text
	}
	next := request{
		method: method, uri: uri, user: r.user, from: r.from, to: r.to, fromTag: r.fromTag, toTag: answer.ToTag(),
		callID: r.callID, cseq: r.cseq + 1, branch: fresh("z9hG4bKraw"),
	}
	if method == "ACK" {
		next.cseq = r.cseq
	}
	return next
}

// sdp is an offer or answer with PCMU at the user agent's address.
func (u *rawUA) sdp() string {
	family := "IP4"
	if u.addr.Addr().Is6() {
		family = "IP6"
	}
	a := family + " " + u.addr.Addr().String()
	return "v=0\r\no=- 1 1 IN " + a + "\r\ns=-\r\nc=IN " + a + "\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
}

// call sends an INVITE with credentials to a number and returns it.
func (u *rawUA) call(number string) request {
	u.e.t.Helper()
	r := u.signed(request{method: "INVITE", uri: "sip:" + number + "@" + domain, body: u.sdp()})
	u.send(u.text(r))
	return r
}

// talk has an echo test answered and acknowledged.
func (u *rawUA) talk() (request, got) {
	u.e.t.Helper()
	r := u.call("*43")
	ok := u.lastOf(200)
	u.send(u.text(inDialog(r, ok, "ACK")))
	return r, ok
}

// lastOf finds a response among what has come since the last look.
func (u *rawUA) lastOf(status int) got {
	u.e.t.Helper()
	list := u.heard()
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Message != nil && list[i].Status() == status {
			return list[i]
		}
	}
	u.e.t.Fatalf("no %d in %v", status, starts(list))
	return got{}
}

// register binds the user agent's address.
func (u *rawUA) register(user string) {
	u.e.t.Helper()
	u.send(u.text(u.signed(request{method: "REGISTER", user: user, to: "<sip:" + user + "@" + domain + ">"})))
	u.expect(200)
}

// reply renders a response to a request that came; nothing is added to To but
// the tag.
func reply(m got, status int, tag string, head []string, body string) string {
	lines := []string{fmt.Sprintf("SIP/2.0 %d Whatever", status)}
	for line := range strings.SplitSeq(m.raw, "\r\n") {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via", "From", "Call-ID", "CSeq":
			lines = append(lines, line)
		case "To":
			if m.ToTag() == "" {
				line += tagParam(tag)
			}
			lines = append(lines, line)
		}
	}
	lines = append(lines, head...)
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	return strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body), "\r\n")
}
