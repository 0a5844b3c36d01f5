//go:build system

package system

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Sizes of what holds connections open, and the most of one source: the switch
// lets each address have 100.
const (
	slowConns  = 5000
	slowReader = 1000
	eachSource = 90
)

// from dials the API from one of many loopback addresses; group keeps those of
// different tests apart.
func (d *demo) from(ctx context.Context, group, n int) (*net.TCPConn, error) {
	source := n / eachSource
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, byte(group), byte(source/200), byte(1+source%200))}}
	c, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(d.HTTP, "http://"))
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// dribblers are connections that send their request a byte at a time, and come
// back when they are cut.
type dribblers struct {
	d     *demo
	conns []*net.TCPConn
	again int // how often one was cut and came back
}

// head is the beginning of a request: every other one is slow in its body.
func (s *dribblers) head(n int) string {
	post := "POST /api/ver1.0/client/@me/extension/ HTTP/1.1\r\nHost: slow\r\nAuthorization: Bearer " + s.d.Token +
		"\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n"
	if n%2 == 0 {
		return post + "\r\n{"
	}
	return post + "X-Slow: "
}

func (s *dribblers) open(ctx context.Context, n int) error {
	c, err := s.d.from(ctx, 8, n)
	if err != nil {
		return err
	}
	_, err = io.WriteString(c, s.head(n))
	s.conns[n] = c
	return err
}

// dribble sends a byte on each, round after round, until ctx ends.
func (s *dribblers) dribble(ctx context.Context) {
	for round := time.NewTicker(time.Second); ; {
		select {
		case <-ctx.Done():
			round.Stop()
			return
		case <-round.C:
		}
		for n, c := range s.conns {
			if ctx.Err() != nil {
				break
			}
			if _, err := c.Write([]byte(" ")); err == nil {
				continue
			}
			_ = c.Close() // the switch has cut it
			if s.open(ctx, n) == nil {
				s.again++
			}
		}
	}
}

// p99s are the 99th percentiles of windows of reads over one connection.
func (d *demo) p99s(t *testing.T, windows int) []time.Duration {
	t.Helper()
	const reads = 400
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	var list []time.Duration
	for range windows {
		var took []time.Duration
		for range reads {
			r, err := http.NewRequestWithContext(t.Context(), "GET", d.API+"/client/@me/extension/@101", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+d.Token)
			began := time.Now()
			res, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body) // a reset would show in the next request
			_ = res.Body.Close()
			if took = append(took, time.Since(began)); res.StatusCode != http.StatusOK {
				t.Fatalf("a read beside slow connections: %d", res.StatusCode)
			}
			time.Sleep(time.Millisecond)
		}
		slices.Sort(took)
		list = append(list, took[reads*99/100])
	}
	slices.Sort(list)
	return list
}

// TestSlowConnections (H2): 5,000 connections that dribble keep nobody else from
// being served. The ratio is reported; a noisy machine fails nobody.
func TestSlowConnections(t *testing.T) {
	d := startDemo(t, 4)
	const windows = 5
	alone := d.p99s(t, windows)
	s := &dribblers{d: d, conns: make([]*net.TCPConn, slowConns)}
	for n := range s.conns {
		if err := s.open(t.Context(), n); err != nil {
			t.Fatalf("connection %d: %v", n, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var dribbling sync.WaitGroup
	dribbling.Go(func() { s.dribble(ctx) }) // ends with stop
	memory := d.holds(t)
	beside := d.p99s(t, windows)
	stop()
	dribbling.Wait()
	for _, c := range s.conns {
		_ = c.Close() // cut or not
	}
	after := d.p99s(t, 1)
	a, b := alone[windows/2], beside[windows/2]
	t.Logf("p99 of a read, median of %d windows: alone %v, beside %d slow connections %v: %.2f times; afterwards %v; %d came back; RSS %.0f MiB",
		windows, a, slowConns, b, float64(b)/float64(a), after[0], s.again, memory.rss/(1<<20))
	if memory.rss > 512<<20 {
		t.Errorf("RSS %.0f MiB", memory.rss/(1<<20))
	}
	d.stop(t)
}

// TestReadersThatNeverRead (H10): 1,000 readers of the event stream that take
// nothing cost no call anything, and little memory, and are cut once the system's
// buffers are full.
func TestReadersThatNeverRead(t *testing.T) {
	need(t, "sipp")
	d := startDemo(t, 20)
	answering := d.answering(t, 100)
	before := d.holds(t)
	for n := range slowReader {
		c, err := d.from(t.Context(), 9, n)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() }) // the switch has cut it
		if err := c.SetReadBuffer(2048); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(c, "GET /api/ver1.0/client/@me/events/stream/ HTTP/1.1\r\nHost: stream\r\nAuthorization: Bearer %s\r\n\r\n", d.Token); err != nil {
			t.Fatal(err)
		}
	}
	until(t, patience, "readers", func() bool { return d.holds(t).descriptors-before.descriptors >= slowReader })
	const calls = 200
	run := d.sipp(t, d.sippPort(t), "-sf", d.scenario("call.xml"), "-inf", d.scenario("calls.csv"),
		"-r", "40", "-m", fmt.Sprint(calls), "-d", "1000")
	run.wait(t, time.Minute)
	if r := run.result(t); r.success != calls || r.failed != 0 {
		t.Errorf("%+v, want %d good calls", r, calls)
	} else {
		t.Logf("SIPp: %+v", r) // what was sent again depends on the machine
	}
	during := d.holds(t)
	for range 40 {
		d.relabel(t) // what nobody reads fills the buffers of the system
	}
	after := d.holds(t)
	t.Logf("%d calls beside %d readers; RSS %.0f, then %.0f, then %.0f MiB; %d KiB at most in the system's buffers of one",
		calls, slowReader, before.rss/(1<<20), during.rss/(1<<20), after.rss/(1<<20), d.unread(t)>>10)
	until(t, cutWithin, "the readers to be cut", func() bool { return d.holds(t).descriptors-before.descriptors < slowReader/20 })
	during.rss = max(during.rss, after.rss)
	if during.rss > before.rss+256<<20 {
		t.Errorf("RSS grew from %.0f to %.0f MiB", before.rss/(1<<20), during.rss/(1<<20))
	}
	answering.end(t)
	d.stop(t)
}

// cutWithin is more than a reader is given to take what it was sent.
const cutWithin = 40 * time.Second

// relabel changes an extension fifty times.
func (d *demo) relabel(t *testing.T) {
	t.Helper()
	for i := range 50 {
		r, err := http.NewRequestWithContext(t.Context(), "PUT", d.API+"/client/@me/extension/@101", strings.NewReader(fmt.Sprintf(`{"label":"%d"}`, i)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+d.Token)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body) // a reset would show in the next request
		if _ = res.Body.Close(); res.StatusCode != http.StatusOK {
			t.Fatalf("a write beside readers: %d", res.StatusCode)
		}
	}
}

// unread is the most that the system holds of one connection's answers.
func (d *demo) unread(t *testing.T) (most int64) {
	t.Helper()
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprintf(":%04X", int(d.ports)+atHTTP)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 5 || !strings.HasSuffix(fields[1], port) {
			continue
		}
		queued, _, _ := strings.Cut(fields[4], ":")
		if n, err := strconv.ParseInt(queued, 16, 64); err == nil {
			most = max(most, n)
		}
	}
	return most
}
