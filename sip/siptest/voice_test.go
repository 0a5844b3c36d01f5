package siptest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestDigits(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context, alice, bob *Phone, m medium) {
		out, in := talking(t, ctx, alice, bob)
		must(t, out.SayTone(440)) // keys interrupt speech
		want := ""
		if !m.slow {
			// A lost packet of an event is made good by its others, an event
			// that lost all of them is not.
			must(t, out.Press(ctx, "12#*0D"))
			want = "12#*0D"
			must(t, in.WaitDigits(ctx, want))
		}
		must(t, out.PressInfo(ctx, "9"))
		must(t, in.WaitDigits(ctx, want+"9"))
		must(t, in.Hangup(ctx))
		_, err := out.WaitEnded(ctx)
		must(t, err)
		if err := out.Press(ctx, "1"); !errors.Is(err, ErrCallOver) {
			t.Errorf("pressing after the end gives %v", err)
		}
	})
}

func TestEarlyMedia(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context, alice, bob *Phone, m medium) {
		if m.slow {
			t.Skip("a lost 183 is not repeated")
		}
		out, err := alice.Call(ctx, bob.URI())
		must(t, err)
		in, err := bob.Incoming(ctx)
		must(t, err)
		must(t, in.Progress())
		must(t, out.WaitProgress(ctx))
		must(t, in.SayTone(600))
		must(t, out.HearsTone(ctx, 600))
		must(t, in.Reject(480))
		_, err = out.WaitEnded(ctx)
		must(t, err)
	})
}

func TestSayIsHeardWhole(t *testing.T) {
	for _, codec := range []Codec{PCMU, PCMA} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			n := NewNet(t)
			alice, bob := peers(n, medium{options: []Option{WithCodecs(codec)}})
			out, in := talking(t, ctx, alice, bob)
			said := Tone(440, 990*time.Millisecond)
			time.Sleep(time.Second)
			must(t, out.Say(said))
			heard, err := in.Hear(ctx, 1500*time.Millisecond)
			must(t, err)
			must(t, out.WaitSaid(ctx))
			if len(heard) != 12000 {
				t.Fatalf("heard %d samples", len(heard))
			}
			for i, v := range heard {
				want := 0
				if i >= samples && i < len(said)+samples {
					want = int(said[i-samples]) // the first frame takes 20 ms to fill
				}
				if diff := int(v) - want; diff > 600 || diff < -600 {
					t.Fatalf("codec %d, sample %d is %d, said was %d", codec, i, v, want)
				}
			}
			if got := in.RTP(); got.PayloadType != uint8(codec) || got.Received != 50 || got.Sources != 1 {
				t.Errorf("media: %+v", got)
			}
			must(t, out.Hangup(ctx))
		})
	}
}

func TestKeysSilenceSpeech(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		n := NewNet(t)
		alice, bob := peers(n, medium{})
		out, in := talking(t, ctx, alice, bob)
		must(t, out.SayTone(440))
		time.Sleep(time.Second)
		tap := n.Tap()
		must(t, out.Press(ctx, "1"))
		time.Sleep(time.Second)
		tap.Close()
		must(t, in.WaitDigits(ctx, "1"))
		first, last, next := -1, -1, uint16(0)
		var got []packet
		for _, d := range tap.Datagrams() {
			p, ok := readPacket(d.Data)
			if !ok || p.payload > 101 {
				continue
			}
			if len(got) > 0 && p.seq != next {
				t.Errorf("sequence number %d, want %d", p.seq, next)
			}
			next = p.seq + 1
			if p.payload == defaultEvent {
				if first < 0 {
					first = len(got)
				}
				last = len(got)
			}
			got = append(got, p)
		}
		if last-first != 6 {
			t.Fatalf("%d packets from the first to the last of the event, want its own 7", last-first+1)
		}
		for i, p := range got[first : last+1] {
			if p.ts != got[first].ts || p.marker != (i == 0) || p.data[1]&0x80 != 0 != (i >= 4) {
				t.Errorf("event packet %d: %+v", i, p)
			}
		}
		if got[last].ts-got[0].ts > got[last+1].ts-got[0].ts || !got[last+1].marker {
			t.Errorf("speech goes on with %+v after %+v", got[last+1], got[last])
		}
	})
}

func TestTimeLine(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	loud := packet{data: []byte{PCMU.encode(1000)}}
	rows := []struct {
		name   string
		after  time.Duration
		ts     uint32
		marker bool
		want   int // index of the sample
	}{
		{"first", 10 * time.Millisecond, 5000, true, 80},
		{"late, placed by its timestamp", 50 * time.Millisecond, 5160, false, 240},
		{"early", 50 * time.Millisecond, 5480, false, 560},
		{"marker, placed by its arrival", 90 * time.Millisecond, 5240, true, 720},
		{"far off, placed by its arrival", 95 * time.Millisecond, 99999, false, 760},
		{"behind the end", 200 * time.Millisecond, 100839, false, -1},
	}
	r := &recorder{start: start, pcm: make([]int16, 800)}
	h := listening{recorders: []*recorder{r}}
	for _, row := range rows {
		clear(r.pcm)
		p := loud
		p.ts, p.marker = row.ts, row.marker
		h.take(p, PCMU, start.Add(row.after))
		if got := slices.IndexFunc(r.pcm, func(v int16) bool { return v != 0 }); got != row.want {
			t.Errorf("%s: sample %d, want %d", row.name, got, row.want)
		}
	}
}
