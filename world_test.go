package cordpair_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/sip/siptest"
)

const domain = "acme.example"

// world is a switch with phones 101 to 104 on a network in memory, inside a
// synctest bubble.
type world struct {
	t    *testing.T
	ctx  context.Context // of the phones
	net  *siptest.Net
	sw   *cordpair.Switch
	log  *logBuffer
	pass map[string]string

	stop  context.CancelFunc // asks the switch to stop
	ended chan struct{}      // closed when Run has returned
	err   error              // what it returned
}

// inWorld runs f in a bubble with a running switch, and stops the switch after
// it: whatever goroutine is left fails the test.
func inWorld(t *testing.T, f func(w *world), change ...func(*cordpair.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, ctx: t.Context(), net: siptest.NewNet(t), log: &logBuffer{}, pass: map[string]string{},
			ended: make(chan struct{}),
		}
		w.open(change)
		ctx, stop := context.WithCancel(t.Context())
		w.stop = stop
		go func() { // ends with stop
			defer close(w.ended)
			w.err = w.sw.Run(ctx)
		}()
		defer func() {
			stop()
			if <-w.ended; w.err != nil {
				t.Errorf("stopping: %v", w.err)
			}
			if t.Failed() || strings.Contains(w.log.String(), "panic") {
				t.Errorf("the switch logged:\n%s", w.log)
			}
		}()
		synctest.Wait()
		f(w)
	})
}

func (w *world) open(change []func(*cordpair.Config)) {
	w.t.Helper()
	cfg := cordpair.InMemory(w.net, w.net.Switch)
	cfg.Demo = true
	cfg.Logger = slog.New(slog.NewTextHandler(w.log, nil))
	cfg.Listen.SIP = append(cfg.Listen.SIP,
		cordpair.SIPListener{Name: "udp6", Transport: "udp", Addr: w.net.Switch6.String()},
		cordpair.SIPListener{Name: "tcp6", Transport: "tcp", Addr: w.net.Switch6.String()})
	for _, c := range change {
		c(&cfg)
	}
	sw, err := cordpair.Open(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.sw = sw
	w.t.Cleanup(func() { _ = sw.Close() }) // for a test that fails before Run
	clients, err := sw.Clients()
	w.must(err)
	if len(clients) == 0 { // not the second world over one folder
		w.populate()
	}
	phones, err := sw.Extensions(1)
	w.must(err)
	for _, x := range phones {
		w.pass[x.Number()], err = sw.Password(x.ID)
		w.must(err)
	}
}

func (w *world) populate() {
	w.t.Helper()
	client, err := w.sw.AddClient(cordpair.Client{Name: "Acme", Domain: domain})
	w.must(err)
	for _, number := range []string{"101", "102", "103", "104"} {
		_, err := w.sw.AddPhone(client.ID, cordpair.NewPhone{Number: number, Label: "Phone " + number})
		w.must(err)
	}
}

// phone makes a registered phone.
func (w *world) phone(number string, options ...siptest.Option) *siptest.Phone {
	w.t.Helper()
	p := w.net.Phone(number, w.pass[number], domain, options...)
	w.must(p.Register(w.ctx))
	return p
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// call lets from dial a number and returns the caller's call.
func (w *world) call(from *siptest.Phone, number string) *siptest.Call {
	w.t.Helper()
	c, err := from.Call(w.ctx, number)
	w.must(err)
	return c
}

func (w *world) incoming(p *siptest.Phone) *siptest.Call {
	w.t.Helper()
	c, err := p.Incoming(w.ctx)
	w.must(err)
	return c
}

// talk connects two phones.
func (w *world) talk(from, to *siptest.Phone) (out, in *siptest.Call) {
	w.t.Helper()
	out = w.call(from, to.User())
	in = w.incoming(to)
	w.must(in.Ring())
	w.must(out.WaitRinging(w.ctx))
	w.must(in.Answer())
	w.must(out.WaitAnswered(w.ctx))
	w.must(in.WaitAnswered(w.ctx))
	return out, in
}

// hearEachOther lets both say a tone and listens for it at the other side.
func (w *world) hearEachOther(a, b *siptest.Call) {
	w.t.Helper()
	w.must(a.SayTone(440))
	w.must(b.SayTone(660))
	w.must(b.HearsTone(w.ctx, 440))
	w.must(a.HearsTone(w.ctx, 660))
	a.Quiet()
	b.Quiet()
}

// refused waits for the end of a call that must not be answered.
func (w *world) refused(c *siptest.Call, code int) {
	w.t.Helper()
	end, err := c.WaitEnded(w.ctx)
	w.must(err)
	if end.Code != code {
		w.t.Errorf("call ended with %d, want %d", end.Code, code)
	}
}

// free waits until nothing of a call is left (L10).
func (w *world) free() {
	w.t.Helper()
	time.Sleep(2 * time.Second) // virtual
	synctest.Wait()
	if st := w.sw.Stats(); st.Calls != 0 || st.Legs != 0 || st.MediaPorts != 0 {
		w.t.Errorf("2 s after the end: %+v", st)
	}
}

// loud is the level of a sound in dB of full scale.
func loud(pcm []int16) float64 { return mediatest.Level(pcm) }

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
