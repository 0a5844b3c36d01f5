package media

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// ward is a party whose findings are collected.
type ward struct {
	*phone
	session *Session
	mu      sync.Mutex
	found   []Finding
}

func (w *ward) note(f Finding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found = append(w.found, f)
}

// kinds are those found, in order.
func (w *ward) kinds() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, f := range w.found {
		list = append(list, string(f.Kind))
	}
	return strings.Join(list, " ")
}

// admitted makes a session of a phone whose SIP comes from sip and which offers body.
func (r *rig) admitted(p *phone, sip netip.Addr, body []byte) *ward {
	r.t.Helper()
	w := &ward{phone: p}
	var err error
	w.session, err = r.engine.NewSession(SessionConfig{Local: here, SIPSource: sip, Events: Events{Found: w.note}})
	if err != nil {
		r.t.Fatal(err)
	}
	w.describe(body)
	return w
}

// describe has the party offer anew.
func (w *ward) describe(body []byte) {
	w.r.t.Helper()
	if _, err := w.session.SetOffer(body); err != nil {
		w.r.t.Fatal(err)
	}
	if _, err := w.session.Answer(); err != nil {
		w.r.t.Fatal(err)
	}
}

// talk sends for a while: a frame each 20 ms of what frame gives.
func (w *ward) talk(d time.Duration, frame func(i int)) {
	for i := range int(d / (20 * time.Millisecond)) {
		frame(i)
		w.r.advance(20 * time.Millisecond)
	}
}

// report sends a receiver report, as from another port of the phone.
func (w *ward) report() {
	to := w.session.LocalAddr()
	b := binary.BigEndian.AppendUint32([]byte{0x80, rtcpRR, 0, 1}, w.ssrc)
	w.raw(netip.AddrPortFrom(to.Addr(), to.Port()+1), b)
}

// tone is a frame of PCMA with a share of its samples at full scale.
func tone(full int) []byte {
	b := make([]byte, frameSamples)
	for i := range b {
		b[i] = 0xd5
		if i < full {
			b[i] = 0xaa ^ byte(i&1<<7)
		}
	}
	return b
}

// scenario is what a party does from the answer on, and what is found.
type scenario struct {
	name string
	// announced is where it says it is: its own address with @, the formats are
	// those of formats, extra the further lines.
	announced string
	formats   string
	extra     []string
	sip       string // where its SIP comes from; empty: its own address
	do        func(w *ward)
	want      string // kinds, in order
	says      string // part of the first text
}

// talking sends what everybody may send.
func talking(w *ward) func(int) { return func(int) { w.speak(w.session, 8) } }

const usual = 2 * time.Second

var scenarios = []scenario{
	{name: "speech", do: func(w *ward) { w.talk(usual, talking(w)) }},
	{name: "no media", do: func(w *ward) { w.r.advance(usual) }, want: "no_media", says: "has sent nothing since the answer"},
	{name: "no media, but reports", do: func(w *ward) {
		w.report()
		w.r.advance(usual)
	}, want: "no_media", says: "so the way is open"},
	{name: "no media on hold", extra: []string{"a=sendonly"}, do: func(w *ward) { w.r.advance(usual) }},
	{name: "no media of one that only listens", extra: []string{"a=recvonly"}, do: func(w *ward) { w.r.advance(usual) }},
	{name: "no media of an inactive one", extra: []string{"a=inactive"}, do: func(w *ward) { w.r.advance(usual) }},
	{name: "first packet at the last moment", do: func(w *ward) {
		w.r.advance(1600 * time.Millisecond)
		w.talk(usual, talking(w))
	}},
	{name: "held until later", extra: []string{"a=sendonly"}, do: func(w *ward) {
		w.r.advance(7 * time.Second)
		w.describe(w.sdp("8 101"))
		w.r.advance(time.Second)
		w.talk(10*time.Second, talking(w))
	}},
	{name: "silent after a hold", extra: []string{"a=sendonly"}, do: func(w *ward) {
		w.r.advance(time.Second)
		w.describe(w.sdp("8 101"))
		w.r.advance(7 * time.Second)
	}, want: "no_media"},

	{name: "another port", announced: prefix + "2:6000", do: func(w *ward) { w.talk(usual, talking(w)) }, want: "other_source", says: "symmetric RTP"},
	{name: "another host, which sends its SIP", announced: prefix + "77:4000", do: func(w *ward) { w.talk(usual, talking(w)) }, want: "other_source", says: "translator"},
	{name: "another host, which nobody named", announced: prefix + "77:4000", sip: prefix + "78", do: func(w *ward) { w.talk(usual, talking(w)) }, want: "strangers", says: "packets came from " + prefix + "2"},
	{name: "a few strays", do: func(w *ward) {
		stray := w.r.phone("9:0")
		for range strangersLimit - 1 {
			stray.speak(w.session, 8)
		}
		w.talk(usual, talking(w))
	}},
	{name: "strangers long gone", do: func(w *ward) {
		stray := w.r.phone("9:0")
		for range 3 * strangersLimit {
			stray.speak(w.session, 8)
		}
		w.talk(usual, talking(w))
	}},
	{name: "an attack beside it", do: func(w *ward) {
		attacker := w.r.phone("9:0")
		w.talk(usual, func(i int) { w.speak(w.session, 8); attacker.speak(w.session, 8) })
	}, want: "strangers"},

	{name: "another family", announced: "[2001:db8::7]:4000", do: func(w *ward) { w.talk(usual, talking(w)) }, want: "unreachable_address", says: "family"},
	{name: "no address", announced: "0.0.0.0:4000", do: func(w *ward) { w.r.advance(usual) }, want: "unreachable_address", says: "hears nothing until"},
	{name: "no address, but audio", announced: "0.0.0.0:9", do: func(w *ward) { w.talk(usual, talking(w)) }, want: "unreachable_address", says: "hears nothing until it announces another"},
	{name: "no address, the old hold", do: func(w *ward) {
		w.describe(describe(netip.MustParseAddrPort("0.0.0.0:4000"), "8 101"))
		w.r.advance(usual)
	}},
	{name: "a private address from outside", announced: "192.168.1.2:4000", sip: "198.51.100.7", do: func(w *ward) { w.r.advance(usual) }, want: "unreachable_address no_media", says: "192.168.1.2:4000"},
	{name: "a private address from a private one", announced: "192.168.1.2:4000", sip: "10.0.0.7", do: func(w *ward) { w.r.advance(usual) }, want: "no_media"},
	{name: "a public address from a private one", announced: "198.51.100.7:4000", do: func(w *ward) { w.talk(usual, talking(w)) }, want: "other_source"},

	{name: "another payload type", do: func(w *ward) {
		w.talk(usual, func(int) { w.speak(w.session, 18, make([]byte, 20)...) })
	}, want: "unknown_payload", says: "type 18, but PCMA as 8"},
	{name: "comfort noise", do: func(w *ward) {
		w.talk(usual, func(i int) { w.speak(w.session, 8); w.speak(w.session, 13, 40) })
	}},
	{name: "few packets of another type", do: func(w *ward) {
		w.talk(usual, func(i int) {
			if i < payloadLimit-1 {
				w.speak(w.session, 18, make([]byte, 20)...)
			}
			w.speak(w.session, 8)
		})
	}},

	{name: "keys", do: func(w *ward) { w.talk(usual, pressing(w, 101)) }},
	{name: "keys of another type", do: func(w *ward) { w.talk(usual, pressing(w, 96)) }, want: "digits_not_negotiated", says: "101 was agreed on"},
	{name: "keys of no type", formats: "8", do: func(w *ward) { w.talk(usual, pressing(w, 101)) }, want: "digits_not_negotiated", says: "no telephone-event was agreed on"},
	{name: "keys pressed later are found soon", formats: "8", do: func(w *ward) {
		w.talk(8*time.Second, talking(w))
		pressing(w, 101)(0)
		w.talk(200*time.Millisecond, talking(w))
	}, want: "digits_not_negotiated"},

	{name: "too loud", do: func(w *ward) {
		w.talk(usual, func(int) { w.speak(w.session, 8, tone(2)...) })
	}, want: "clipping", says: "1.2 %"},
	{name: "loud", do: func(w *ward) {
		w.talk(usual, func(int) { w.speak(w.session, 8, tone(1)...) })
	}},

	{name: "silence begins", do: func(w *ward) {
		w.talk(usual, talking(w))
		w.r.advance(9 * time.Second)
		w.r.advance(7 * time.Second)
	}, want: "silence", says: "neither audio nor reports"},
	{name: "mute with reports", do: func(w *ward) {
		w.talk(usual, talking(w))
		for range 6 {
			w.report()
			w.r.advance(5 * time.Second)
		}
	}},
	{name: "hold", do: func(w *ward) {
		w.talk(usual, talking(w))
		w.describe(w.sdp("8 101", "a=sendonly"))
		w.r.advance(30 * time.Second)
		w.describe(w.sdp("8 101"))
		w.talk(usual, talking(w))
	}},

	{name: "losses", do: func(w *ward) {
		w.talk(12*time.Second, func(i int) {
			if i%15 == 7 {
				w.seq++
				w.ts += frameSamples
			}
			w.speak(w.session, 8)
		})
	}, want: "loss", says: "loses packets"},
	{name: "few losses", do: func(w *ward) {
		w.talk(12*time.Second, func(i int) {
			if i%30 == 7 {
				w.seq++
				w.ts += frameSamples
			}
			w.speak(w.session, 8)
		})
	}},
	{name: "jitter", do: func(w *ward) {
		w.talk(12*time.Second, func(i int) {
			if i%5 == 4 {
				for range 5 {
					w.speak(w.session, 8)
				}
			}
		})
	}, want: "jitter"},
}

// pressing presses a key of a payload type between frames of speech.
func pressing(w *ward, pt uint8) func(int) {
	return func(i int) {
		if i == 0 {
			w.seq++
			w.send(w.session, rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: w.seq, Timestamp: w.ts, SSRC: w.ssrc}, Payload: []byte{5, 0x8a, 3, 32}})
			return
		}
		w.speak(w.session, 8)
	}
}

// TestFindings: each kind, and its neighbours of which nothing is found.
func TestFindings(t *testing.T) {
	for _, row := range scenarios {
		t.Run(row.name, func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				p := r.phone("2:0")
				announced, sip, formats := p.addr, p.addr.Addr(), "8 101"
				if row.announced != "" {
					announced = netip.MustParseAddrPort(row.announced)
				}
				if row.sip != "" {
					sip = netip.MustParseAddr(row.sip)
				}
				if row.formats != "" {
					formats = row.formats
				}
				body := describe(announced, formats, row.extra...)
				if announced.Addr().Is6() {
					body = []byte(strings.ReplaceAll(string(body), "IN IP4", "IN IP6"))
				}
				w := r.admitted(p, sip, body)
				w.session.Answered()
				r.settle()
				row.do(w)
				r.settle()
				if got := w.kinds(); got != row.want {
					t.Fatalf("found %q, want %q\n%+v", got, row.want, w.found)
				}
				for i, f := range w.found {
					if i == 0 && !strings.Contains(f.Text, row.says) || !strings.HasSuffix(f.Text, ".") {
						t.Errorf("%s: %s", f.Kind, f.Text)
					}
					if !slices.Contains(FindingKinds(), f.Kind) {
						t.Errorf("%s is not listed", f.Kind)
					}
				}
			})
		})
	}
}

// TestKeysForTheOther: keys that the other party cannot be told of are found at who
// presses them.
func TestKeysForTheOther(t *testing.T) {
	for formats, want := range map[string]string{"0 101": "", "0": "digits_not_negotiated"} {
		onBoth(t, Config{}, func(t *testing.T, r *rig) {
			a, b := r.phone("2:0"), r.phone("3:0")
			mine := r.admitted(a, a.addr.Addr(), a.sdp("8 101"))
			theirs := r.admitted(b, b.addr.Addr(), b.sdp(formats))
			if err := Join(mine.session, theirs.session); err != nil {
				t.Fatal(err)
			}
			mine.session.Answered()
			r.settle()
			press := pressing(mine, 101)
			mine.talk(usual, func(i int) { theirs.speak(theirs.session, 0); press(i) })
			r.settle()
			if got := mine.kinds(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// TestNoCodec: what cannot be passed on, both having agreed on codecs of their own.
func TestNoCodec(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.phone("2:0"), r.phone("3:0")
		mine := r.admitted(a, a.addr.Addr(), a.sdp("8"))
		theirs := &ward{phone: b}
		var err error
		if theirs.session, err = r.engine.NewSession(SessionConfig{Local: here, Events: Events{Found: theirs.note}}); err != nil {
			t.Fatal(err)
		}
		like, err := r.engine.NewSession(SessionConfig{Local: here})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := like.SetOffer(b.sdp("18")); err != nil {
			t.Fatal(err)
		}
		if _, err := theirs.session.Offer(like); err != nil {
			t.Fatal(err)
		}
		if _, err := theirs.session.SetAnswer(b.sdp("18")); err != nil {
			t.Fatal(err)
		}
		if err := Join(mine.session, theirs.session); err == nil {
			t.Fatal("they have a codec in common")
		}
		theirs.session.Answered()
		r.settle()
		theirs.talk(usual, func(int) { theirs.speak(theirs.session, 18, make([]byte, 20)...) })
		r.settle()
		if got := theirs.kinds(); got != "no_codec" {
			t.Errorf("%q", got)
		}
	})
}

// TestLookingCostsNothing: neither the packets nor the looks of a healthy party
// allocate.
func TestLookingCostsNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l, s, datagram, sender, _ := benchPair(t, "8", "8")
	s.health, s.pair.local = &patient{}, netip.AddrPortFrom(here, 30000)
	got := testing.AllocsPerRun(1000, func() {
		next(datagram, l)
		l.arrived(s, false, datagram, sender)
		s.examine()
	})
	if got != 0 || s.health.received == 0 || s.health.told != 0 {
		t.Errorf("%v allocations, %+v", got, s.health)
	}
}
