package sip_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip"
)

// TestTap: the messages of a tapped dialog are in the capture after the descriptions in
// force, those after it are not.
func TestTap(t *testing.T) {
	inEdge(t, func(e *edge) {
		first, err := e.phone("101").Call(e.ctx, "*43")
		e.must(err)
		e.must(first.WaitAnswered(e.ctx))
		wait(time.Second)
		c := media.NewCapture()
		e.srv.TapLeg(e.happened(call.EventAnswered)[0].Leg, c)
		wait(0)
		e.must(first.Press(e.ctx, "1"))
		e.must(first.PressInfo(e.ctx, "2"))
		e.must(first.Hangup(e.ctx))
		wait(time.Second)
		e.srv.Untap(c)
		second, err := e.phone("101").Call(e.ctx, "*43")
		e.must(err)
		e.must(second.WaitAnswered(e.ctx))
		e.must(second.Hangup(e.ctx))
		c.End()
		var file bytes.Buffer
		e.must(c.Stream(context.Background(), &file, 1<<20, func() error { return nil }))
		text := file.String()
		for what, want := range map[string]int{"INFO sip:": 1, "BYE sip:": 1, "SIP/2.0 200 OK": 2, "INVITE sip:": 1, "SIP/2.0 200 In force": 1} {
			if n := strings.Count(text, what); n != want {
				t.Errorf("%q is there %d times, want %d", what, n, want)
			}
		}
	})
}

// TestMasked: no credential and no key is in what a capture gets, and nothing moves.
func TestMasked(t *testing.T) {
	for in, want := range map[string]string{
		`Authorization: Digest username="101", response="0123abcd", nc=1`: `Authorization: Digest username="101", response="********", nc=1`,
		"Proxy-Authorization: Digest Response=0123, uri=\"sip:x\"":        "Proxy-Authorization: Digest Response=****, uri=\"sip:x\"",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:S2V5|2^31\r\na=x":      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:****|2^31\r\na=x",
		"v=0\r\na=crypto:1 X inline:S2V5\r\n":                             "v=0\r\na=masked:1 X inline:****\r\n",
		"a=ice-pwd:secret\r\n":                                            "a=ice-pwd:******\r\n",
		"INVITE sip:102@x SIP/2.0\r\n":                                    "INVITE sip:102@x SIP/2.0\r\n",
	} {
		if got := sip.Masked(in); got != want {
			t.Errorf("%q", got)
		}
	}
}
