package media

import (
	"encoding/binary"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/cordpair/cordpair/media/codec/opus"
	"github.com/cordpair/cordpair/media/codec/worker"
	"github.com/cordpair/cordpair/media/mediatest"
)

// opusWorker builds and starts the worker; a machine without libopus has none.
func opusWorker(t *testing.T) *worker.Worker {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cordpair-worker")
	build := exec.Command("go", "build", "-o", path, "../cmd/cordpair-worker")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w, err := worker.Start(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(w.Close)
	return w
}

// TestOpusBothWays: a PCMA party and one that knows nothing but Opus hear each other
// at the level of the tone that is said.
func TestOpusBothWays(t *testing.T) {
	w := opusWorker(t)
	onBoth(t, Config{Opus: w}, func(t *testing.T, r *rig) {
		pa, pb := r.phone("1:0"), r.phone("2:0")
		a, b := r.session(pa, "8", Events{}), r.session(pb, "97", Events{})
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		r.settle()
		packets := opusPackets(t, "silk-wb")
		x := talks(t, pa, a, format(t, "PCMA"), 8000, 20, mediatest.Tone(1000, 8000, time.Second, -12))
		var toOpus, toPCMA []rtp.Packet
		for i := range 50 {
			x.next(true)
			pb.seq++
			pb.ts += 960
			pb.send(b, rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 97, SequenceNumber: pb.seq, Timestamp: pb.ts, SSRC: pb.ssrc}, Payload: packets[i]})
			r.advance(20 * time.Millisecond)
			// The worker lives in real time: what it has must be back before the next frame.
			for end := time.Now().Add(20 * time.Second); w.Behind() > 0 && time.Now().Before(end); {
				runtime.Gosched()
			}
			toOpus, toPCMA = append(toOpus, pb.heard()...), append(toPCMA, pa.heard()...)
		}
		continuous(t, toOpus)
		continuous(t, toPCMA)
		d, pcm := opus.New(8000), make([]int16, 960)
		var out []int16
		for _, p := range toOpus {
			n, err := d.Decode(pcm, p.Payload)
			if err != nil || p.PayloadType != 97 {
				t.Fatalf("type %d, %v", p.PayloadType, err)
			}
			out = append(out, pcm[:n]...)
		}
		for name, heard := range map[string][]int16{"opus": out, "PCMA": listen(t, toPCMA, format(t, "PCMA"), 8000)} {
			if len(heard) < 5000 {
				t.Fatalf("%s: %d samples", name, len(heard))
			}
			heard = heard[len(heard)/4 : len(heard)*3/4]
			if d := mediatest.Level(heard) + 12; math.Abs(d) > 0.5 {
				t.Errorf("the party with %s hears %+.2f dB", name, d)
			}
			if share := mediatest.Share(heard, 8000, 1000); share < -0.3 {
				t.Errorf("%s: the tone is %.2f dB of it", name, share)
			}
		}
	})
}

// TestOpusBesideVideo: a party whose audio has to be transcoded has its video all the same.
func TestOpusBesideVideo(t *testing.T) {
	onBoth(t, Config{Opus: opusWorker(t)}, func(t *testing.T, r *rig) {
		a, b := r.device("2"), r.device("3")
		offer := strings.Replace(string(a.describes("audio video")), "RTP/AVP 0\r\n", "RTP/AVP 99\r\na=rtpmap:99 opus/48000/2\r\n", 1)
		if _, err := a.SetOffer([]byte(offer)); err != nil {
			t.Fatal(err)
		}
		b.isOffered(t, a)
		b.answers(t, "audio video")
		b.Answered()
		if err := Join(a.Session, b.Session); err != nil {
			t.Fatal(err)
		}
		if got := a.isAnswered(t); got != "audio video" {
			t.Fatalf("answered %q", got)
		}
		a.Answered()
		r.settle()
		if got := a.ours.Audio().Codecs[0].Name; got != "opus" {
			t.Errorf("its audio is %s", got)
		}
		if !passes(t, r, a, b, "video") {
			t.Error("video does not pass")
		}
	})
}

// opusPackets are those of a file of media/codec/opus.
func opusPackets(t *testing.T, name string) (all [][]byte) {
	t.Helper()
	b, err := os.ReadFile("codec/opus/testdata/" + name + ".packets")
	if err != nil {
		t.Fatal(err)
	}
	for len(b) > 0 {
		n := int(binary.BigEndian.Uint16(b))
		all, b = append(all, b[2:2+n]), b[2+n:]
	}
	return all
}

// TestOpusWithoutWorker: the two have nothing in common then.
func TestOpusWithoutWorker(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.session(r.phone("1:0"), "8", Events{}), r.fresh(Events{})
		if err := Join(a, b); err != nil {
			t.Fatal(err)
		}
		if _, err := b.SetOffer(r.phone("2:0").sdp("97")); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Answer(); err == nil {
			t.Error("answered")
		}
	})
}

// A packet length in a description of a format that is not ours is no matter.
func TestPacketTimeOfOthers(t *testing.T) {
	for _, tt := range []struct {
		codec       string
		clock, asks int
		want        int
	}{{"G729", 8000, 30, 30}, {"opus", 48000, 30, 20}, {"opus", 48000, 60, 60}, {"PCMA", 8000, 0, 20}} {
		x := &terms{}
		x.Codec.Name, x.Codec.Clock, x.PTime = tt.codec, tt.clock, tt.asks
		if got := packetTime(x); got != tt.want {
			t.Errorf("%s, %d ms: %d", tt.codec, tt.asks, got)
		}
	}
}
