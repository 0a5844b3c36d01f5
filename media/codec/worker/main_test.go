package worker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain is the worker itself if it is started as one: what it does then stands in
// the variable that a worker may see.
func TestMain(m *testing.M) {
	if len(os.Args) == 1 {
		if what, ok := strings.CutPrefix(os.Getenv("LD_LIBRARY_PATH"), "worker "); ok {
			pretend(what)
			return
		}
	}
	goleak.VerifyTestMain(m)
}

// pretend is a worker that encodes a frame as its number.
func pretend(what string) {
	say := func(kind Kind, stream uint32, body string) {
		_, _ = os.Stdout.Write(append(Append(nil, kind, stream, len(body)), body...))
	}
	switch what {
	case "absent":
		say(Absent, 0, "none here")
		return
	case "broken":
		_, _ = os.Stderr.WriteString("it hurts")
		return
	}
	say(Ready, 0, "a library")
	frames := NewReader(os.Stdin)
	var pcm [2880]int16
	for {
		f, err := frames.Next()
		if err != nil {
			return
		}
		number, _, _, err := f.Samples(pcm[:])
		if err != nil || pcm[0] == 666 {
			os.Exit(2)
		}
		n := string(binary.BigEndian.AppendUint32(nil, number))
		say(Packet, f.Stream, n+"packet "+n)
	}
}

func start(t *testing.T, what string) (*Worker, error) {
	t.Helper()
	t.Setenv("LD_LIBRARY_PATH", "worker "+what)
	return Start(os.Args[0], slog.New(slog.DiscardHandler))
}

// until waits for the process next door.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no " + what)
		}
	}
}

func TestStartRefused(t *testing.T) {
	if _, err := start(t, "absent"); !errors.Is(err, ErrAbsent) || !strings.Contains(err.Error(), "none here") {
		t.Errorf("without a library: %v", err)
	}
	if _, err := start(t, "broken"); !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "it hurts") {
		t.Errorf("a process that ends: %v", err)
	}
	if _, err := Start("/nowhere/worker", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such program: %v", err)
	}
}

// TestCrash: the process dies, and comes back; the stream goes on.
func TestCrash(t *testing.T) {
	w, err := start(t, "well")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if w.Version() != "a library" {
		t.Errorf("version %q", w.Version())
	}
	e, pcm, payload := w.NewEncoder(8000), make([]int16, 160), make([]byte, MaxPacket)
	for round := range 3 {
		until(t, "process", w.Up)
		until(t, "packet", func() bool {
			e.Encode(Tag{Seq: uint16(round)}, pcm)
			tag, n, ok := e.Take(payload)
			return ok && tag.Seq == uint16(round) && n == 11
		})
		pcm[0] = 666
		before := w.Restarts()
		e.Encode(Tag{}, pcm)
		pcm[0] = 0
		until(t, "crash", func() bool { return w.Restarts() > before })
	}
}

// TestOrder: packets come in the order of their frames, the late ones not at all.
func TestOrder(t *testing.T) {
	e := &Encoder{worker: &Worker{}, rate: 8000}
	body := func(n byte) []byte { return []byte{0, 0, 0, n, n} }
	for i := range 10 {
		e.Encode(Tag{Seq: uint16(i)}, nil) // nobody takes it
	}
	e.done(body(1)) // its place has another frame already
	e.done(body(3))
	e.done(body(2))
	e.done(body(9))
	e.done(nil)
	var got []uint16
	for {
		tag, n, ok := e.Take(make([]byte, 10))
		if !ok {
			break
		}
		if n != 1 {
			t.Errorf("%d bytes", n)
		}
		got = append(got, tag.Seq)
	}
	if len(got) != 3 || got[0] != 2 || got[1] != 3 || got[2] != 9 {
		t.Errorf("packets %v", got)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(AppendSamples(nil, 1, 2, 8000, make([]int16, 160)))
	f.Add(append(Append(nil, Ready, 0, 3), "1.3"...))
	f.Add([]byte{255, 255, 9, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		var pcm [2880]int16
		for {
			x, err := r.Next()
			if err != nil {
				return
			}
			number, rate, n, err := x.Samples(pcm[:])
			if err != nil {
				continue
			}
			again := AppendSamples(nil, x.Stream, number, rate, pcm[:n])
			if !bytes.Equal(again[header:], x.Body) {
				t.Fatalf("%x is not %x", again[header:], x.Body)
			}
		}
	})
}
