package cordpair_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/api"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// callUp is the call that is up.
func (w *world) callUp() call.ID {
	w.t.Helper()
	ids := map[call.ID]bool{}
	var id call.ID
	for _, c := range w.sw.Calls(1) {
		id = c.Ref.ID
		ids[id] = true
	}
	if len(ids) != 1 {
		w.t.Fatalf("%d calls are up", len(ids))
	}
	return id
}

// recording is a *media.Capture; the name of its package is taken here.
type recording interface {
	Stream(ctx context.Context, w io.Writer, limit int, flush func() error) error
}

// recorded is the file of a capture that has come to its end, as text.
func (w *world) recorded(c recording) string {
	w.t.Helper()
	time.Sleep(3 * time.Second) // virtual: captureRest
	var file bytes.Buffer
	w.must(c.Stream(w.ctx, &file, 1<<20, func() error { return nil }))
	return file.String()
}

// holds checks how often things are in a text.
func (w *world) holds(text string, want map[string]int) {
	w.t.Helper()
	for what, n := range want {
		if got := strings.Count(text, what); got != n {
			w.t.Errorf("%q is there %d times, want %d", what, got, n)
		}
	}
}

// TestCaptureNextCall: the next call of a phone is recorded from its INVITE on, whether
// it calls or is called, and no other call is.
func TestCaptureNextCall(t *testing.T) {
	for _, number := range []string{"101", "102"} {
		t.Run(number, func(t *testing.T) {
			inWorld(t, func(w *world) {
				p1, p2, p3 := w.phone("101"), w.phone("102"), w.phone("103")
				c, err := w.sw.NewCaptures().CaptureNext(w.ctx, 1, number)
				w.must(err)
				other := w.call(p3, "*43")
				w.must(other.WaitAnswered(w.ctx))
				w.must(other.Hangup(w.ctx))
				a, b := w.talk(p1, p2)
				w.must(a.Hangup(w.ctx))
				_, err = b.WaitEnded(w.ctx)
				w.must(err)
				again, _ := w.talk(p1, p2)
				w.must(again.Hangup(w.ctx))
				w.holds(w.recorded(c), map[string]int{"INVITE sip:102@": 2, "INVITE sip:*43": 0, "BYE sip:": 2, "a=ptime": 4, "in force": 0})
			})
		})
	}
}

// TestCaptureOfARunningCall: it begins with what is in force and ends with the call. A
// party that is transferred begins another one.
func TestCaptureOfARunningCall(t *testing.T) {
	inWorld(t, func(w *world) {
		p1, p2, p3 := w.phone("101"), w.phone("102"), w.phone("103")
		a, _ := w.talk(p1, p2)
		c, err := w.sw.NewCaptures().Capture(w.ctx, 1, w.callUp())
		w.must(err)
		_, err = a.Refer(w.ctx, "103")
		w.must(err)
		third := w.incoming(p3)
		w.must(third.Answer())
		w.must(third.WaitAnswered(w.ctx))
		w.must(third.Hangup(w.ctx))
		w.holds(w.recorded(c), map[string]int{"s=in force": 4, "SIP/2.0 200 In force": 2, "INVITE sip:103@": 0, "REFER sip:": 1})
	})
}

// TestCaptureLimits: two of a client, eight in all, one of a call, each in the audit
// log; a place is free again when its capture has ended.
func TestCaptureLimits(t *testing.T) {
	inWorld(t, func(w *world) {
		captures := w.sw.NewCaptures()
		ctx, cancel := context.WithCancel(w.ctx)
		_, err := captures.CaptureNext(ctx, 1, "101")
		w.must(err)
		if _, err = captures.CaptureNext(ctx, 1, "101"); !errors.Is(err, api.ErrInUse) {
			t.Errorf("the same phone twice: %v", err)
		}
		_, err = captures.CaptureNext(ctx, 1, "102")
		w.must(err)
		if _, err = captures.CaptureNext(ctx, 1, "103"); !errors.Is(err, api.ErrInUse) {
			t.Errorf("the third of a client: %v", err)
		}
		cancel()
		time.Sleep(time.Second) // virtual
		for n := range 4 {
			client, err := w.sw.AddClient(cordpair.Client{Name: fmt.Sprint("C", n), Domain: fmt.Sprintf("c%d.test", n)})
			w.must(err)
			for _, number := range []string{"101", "102"} {
				_, err = w.sw.AddPhone(client.ID, cordpair.NewPhone{Number: number})
				w.must(err)
				_, err = captures.CaptureNext(w.ctx, client.ID, number)
				w.must(err)
			}
		}
		if _, err = captures.CaptureNext(w.ctx, 1, "101"); !errors.Is(err, api.ErrInUse) {
			t.Errorf("the ninth: %v", err)
		}
		for _, bad := range []string{"199", "*43", ""} {
			if _, err = captures.CaptureNext(w.ctx, 1, bad); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if _, err = captures.Capture(w.ctx, 1, "NONE"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no call: %v", err)
		}
		asked := 0
		log, err := w.sw.Audited(1)
		w.must(err)
		for _, e := range log {
			if e.What == "pcap" {
				asked++
			}
		}
		if asked != 3 {
			t.Errorf("the audit log has %d, want 3: the two and the one that was refused for being the second of its phone", asked)
		}
	})
}
