//go:build linux

package load

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// registrar answers on the loopback the way a registrar does: a challenge, then
// 200 to the right digest. It swallows the first swallow requests.
func registrar(t *testing.T, swallow int) (addr string) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() { // until the socket is closed
		buf := make([]byte, 4096)
		var m message
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			if swallow > 0 {
				swallow--
				continue
			}
			if m.scan(buf[:n]) == nil {
				_, _ = conn.WriteToUDP(verdict(&m, buf[:n]), from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

// verdict is the registrar's answer.
func verdict(m *message, request []byte) []byte {
	status := "200 OK"
	ch := challenge{realm: []byte("r"), nonce: []byte("n"), qop: true}
	user := userOf(uriOf(m.from))
	a1 := sum(user, ch.realm, []byte("secret"))
	_, cnonce, _ := strings.Cut(string(request), `cnonce="`)
	cnonce, _, _ = strings.Cut(cnonce, `"`)
	right := ch.response(a1, m.method, []byte("sip:a.test"), []byte(cnonce))
	if string(m.method) == "REGISTER" && !strings.Contains(string(request), `response="`+string(right[:])) {
		status = "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\""
	}
	b := []byte("SIP/2.0 " + status + "\r\n")
	for _, v := range m.vias {
		b = append(append(b, v...), "\r\n"...)
	}
	return append(b, "From: "+string(m.from)+"\r\nTo: "+string(m.to)+";tag=x\r\nCall-ID: "+string(m.callID)+"\r\nCSeq: "+string(m.cseq)+"\r\n\r\n"...)
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name            string
		password        string
		swallow         int
		done, wrong, re int
	}{
		{"all good", "secret", 0, 4, 0, 0},
		{"wrong password", "guess", 0, 0, 4, 0},
		{"the first two are lost", "secret", 2, 4, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := Spec{Target: registrar(t, c.swallow), Domain: "a.test", PIDs: []int{os.Getpid()}}
			for _, user := range []string{"101", "102", "103", "104"} {
				spec.Phones = append(spec.Phones, Phone{User: user, Password: c.password})
			}
			spec.Phases = []Phase{
				{Kind: Register, Rate: 1000},
				{Kind: Options, Rate: 100, Time: 20 * time.Millisecond},
				{Kind: Idle, Time: time.Millisecond},
			}
			rs, err := Run(context.Background(), spec)
			if err != nil {
				t.Fatal(err)
			}
			if r := rs[0]; r.Done != c.done || r.Failed != c.wrong || r.Resent < c.re {
				t.Errorf("%d done, %d failed (%s), %d sent again", r.Done, r.Failed, r.FirstFailure, r.Resent)
			}
			if r := rs[1]; r.Done != 2 || r.Failed != 0 {
				t.Errorf("OPTIONS: %d done, %d failed (%s)", r.Done, r.Failed, r.FirstFailure)
			}
		})
	}
}

// TestRunEnds: a cancelled run stops, and a target elsewhere is refused.
func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Spec{Phases: []Phase{{Kind: Idle, Time: time.Hour}}}); err == nil {
		t.Error("a cancelled run went on")
	}
	for _, addr := range []string{"192.0.2.1:5060", "[::1]:5060", "127.0.0.1"} {
		if _, err := Run(context.Background(), Spec{Target: addr}); err == nil {
			t.Errorf("%s was taken", addr)
		}
	}
}

func TestDoubts(t *testing.T) {
	good := Result{Phase: Phase{Rate: 100}, Done: 500, Took: 5 * time.Second}
	if good.doubt(); len(good.Doubts) > 0 {
		t.Errorf("doubts a good run: %v", good.Doubts)
	}
	for name, spoil := range map[string]func(*Result){
		"busy":    func(r *Result) { r.Loop.Share = 0.95 },
		"late":    func(r *Result) { r.Loop.Late = 0.1 },
		"drops":   func(r *Result) { r.Loop.Drops = 1 },
		"skipped": func(r *Result) { r.Loop.Skipped = 1 },
		"slow":    func(r *Result) { r.Done = 400 },
	} {
		r := Result{Phase: Phase{Rate: 100}, Done: 500, Took: 5 * time.Second}
		spoil(&r)
		if r.doubt(); len(r.Doubts) != 1 {
			t.Errorf("%s: %v", name, r.Doubts)
		}
	}
}
