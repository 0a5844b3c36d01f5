package main

import (
	"log/slog"
	"math"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cordpair/cordpair/media/codec/opus"
	"github.com/cordpair/cordpair/media/codec/worker"
	"github.com/cordpair/cordpair/media/mediatest"
)

// asWorker makes the test binary the worker itself.
const asWorker = "LD_LIBRARY_PATH"

func TestMain(m *testing.M) {
	if len(os.Args) == 1 && os.Getenv(asWorker) == "worker" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// start starts this binary as the worker.
func start(t testing.TB) *worker.Worker {
	t.Helper()
	if _, err := load(libopus); err != nil {
		t.Skip(err)
	}
	t.Setenv(asWorker, "worker")
	w, err := worker.Start(os.Args[0], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// take waits for a packet.
func take(t testing.TB, e *worker.Encoder, payload []byte) (worker.Tag, int) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		if tag, n, ok := e.Take(payload); ok {
			return tag, n
		}
		<-time.After(time.Millisecond)
	}
	t.Fatal("no packet")
	return worker.Tag{}, 0
}

// TestEncode: a tone at each rate, in packets of each length, is heard again.
func TestEncode(t *testing.T) {
	w := start(t)
	payload, pcm := make([]byte, worker.MaxPacket), make([]int16, 5760)
	for _, rate := range []int{8000, 16000, 48000} {
		for _, ms := range []int{10, 20, 40, 60} {
			e, d := w.NewEncoder(rate), opus.New(8000)
			in, frame := mediatest.Tone(1000, rate, 2*time.Second, -12), rate/1000*ms
			var out []int16
			for i := uint16(0); len(in) >= frame; i++ {
				if !e.Encode(worker.Tag{Seq: i}, in[:frame]) {
					t.Fatal("not taken")
				}
				in = in[frame:]
				tag, n := take(t, e, payload)
				if tag.Seq != i {
					t.Fatalf("packet %d, want %d", tag.Seq, i)
				}
				n, err := d.Decode(pcm, payload[:n])
				if err != nil || n != 8*ms {
					t.Fatalf("%d samples, %v", n, err)
				}
				out = append(out, pcm[:n]...)
			}
			if d := mediatest.Level(out[4000:]) + 12; math.Abs(d) > 0.5 {

				t.Errorf("%d Hz, %d ms: %+.2f dB", rate, ms, d)
			}
			if share := mediatest.Share(out[4000:], 8000, 1000); share < -0.1 {
				t.Errorf("%d Hz, %d ms: the tone is %.2f dB of it", rate, ms, share)
			}
		}
	}
}

// BenchmarkEncode is the whole way of a frame: there, through the library and back.
func BenchmarkEncode(b *testing.B) {
	w := start(b)
	e, pcm, payload := w.NewEncoder(8000), mediatest.Tone(440, 8000, 20*time.Millisecond, -12), make([]byte, worker.MaxPacket)
	b.ReportAllocs()
	for b.Loop() {
		e.Encode(worker.Tag{}, pcm)
		for {
			if _, _, ok := e.Take(payload); ok {
				break
			}
		}
	}
}
