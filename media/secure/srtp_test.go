package secure

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// every lists all suites.
func every() (out []Suite) {
	for i := range suites {
		out = append(out, Suite{uint8(i + 1)})
	}
	return out
}

func contexts(t testing.TB, k Key) (*Sealer, *Opener) {
	t.Helper()
	s, err := NewSealer(k)
	if err != nil {
		t.Fatal(err)
	}
	o, err := NewOpener(k)
	if err != nil {
		t.Fatal(err)
	}
	return s, o
}

// packet is an RTP packet of 160 bytes of speech.
func packet(ssrc uint32, seq uint16) []byte {
	b := make([]byte, 172, 172+Overhead)
	b[0] = 0x80
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	for i := range b[12:] {
		b[12+i] = byte(i) ^ byte(seq)
	}
	return b
}

func seal(t testing.TB, s *Sealer, b []byte) []byte {
	t.Helper()
	out, err := s.RTP(make([]byte, 0, len(b)+Overhead), b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every suite there and back over two wraps of the sequence number, with loss and
// reordering.
func TestRollover(t *testing.T) {
	for _, suite := range every() {
		t.Run(suite.String(), func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				k := NewKey(suite)
				s, o := contexts(t, k)
				first := rapid.Uint16Range(0, 1<<15-1).Draw(r, "first")
				at, heard := uint32(first), uint32(first)
				var late []byte
				for at < uint32(first)+200_000 {
					want := packet(7, uint16(at))
					got := seal(t, s, want)
					fate := rapid.IntRange(0, 9).Draw(r, "fate")
					if at == uint32(first) || at-heard > 20_000 {
						fate = 2 // a gap of half the numbers cannot be told from a wrap
					}
					switch fate {
					case 0: // lost
					case 1:
						late = got
					default:
						heard = at
						back, err := o.RTP(bytes.Clone(got))
						if err != nil || !bytes.Equal(back, want) {
							r.Fatalf("packet %d: %v", at, err)
						}
						if late != nil {
							_, _ = o.RTP(late) // too old by now, more often than not
							late = nil
						}
					}
					at += rapid.Uint32Range(1, 9000).Draw(r, "step")
				}
			})
		})
	}
}

// What is forged, repeated or from nowhere is told apart and leaves no trace.
func TestRefusals(t *testing.T) {
	for _, suite := range every() {
		s, o := contexts(t, NewKey(suite))
		first := seal(t, s, packet(7, 1))
		if _, err := o.RTP(bytes.Clone(first)); err != nil {
			t.Fatal(err)
		}
		if _, err := o.RTP(bytes.Clone(first)); !errors.Is(err, ErrReplay) {
			t.Errorf("%s: a repeated packet: %v", suite, err)
		}
		second := seal(t, s, packet(7, 2))
		for at := range second {
			for bit := range 8 {
				b := bytes.Clone(second)
				b[at] ^= 1 << bit
				if out, err := o.RTP(b); err == nil {
					t.Fatalf("%s: bit %d of byte %d changed: %x", suite, bit, at, out)
				}
			}
		}
		for n := range second {
			if _, err := o.RTP(bytes.Clone(second[:n])); err == nil {
				t.Fatalf("%s: the first %d bytes pass", suite, n)
			}
		}
		if len(o.sources) != 1 {
			t.Errorf("%s: %d sources learnt", suite, len(o.sources))
		}
		if _, err := o.RTP(second); err != nil {
			t.Errorf("%s: the packet after all that: %v", suite, err)
		}
	}
}

// Reports carry an index of their own, and are checked alike.
func TestReports(t *testing.T) {
	report := unhex(t, "80c90001 00000007")
	for _, suite := range every() {
		s, o := contexts(t, NewKey(suite))
		var before []byte
		for range 300 {
			b, err := s.RTCP(make([]byte, 0, len(report)+Overhead), report)
			if err != nil {
				t.Fatal(err)
			}
			before = bytes.Clone(b)
			if got, err := o.RTCP(b); err != nil || !bytes.Equal(got, report) {
				t.Fatalf("%s: %x, %v", suite, got, err)
			}
		}
		if _, err := o.RTCP(bytes.Clone(before)); !errors.Is(err, ErrReplay) {
			t.Errorf("%s: a repeated report: %v", suite, err)
		}
		before[9] ^= 1
		if _, err := o.RTCP(before); err == nil {
			t.Errorf("%s: a forged report passes", suite)
		}
	}
}

// A party has a few sources under one key, not thousands.
func TestSourcesAreBounded(t *testing.T) {
	s, o := contexts(t, NewKey(Offered()[0]))
	for i := range uint32(maxSources) {
		if _, err := o.RTP(seal(t, s, packet(i, 1))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.RTP(seal(t, s, packet(1000, 1))); !errors.Is(err, ErrSources) {
		t.Errorf("one more: %v", err)
	}
	if _, err := o.RTP(seal(t, s, packet(3, 2))); err != nil {
		t.Errorf("a known one: %v", err)
	}
}

// Under a new key the rollover counter goes on, or begins again: both are heard.
func TestNewKeyAfterAWrap(t *testing.T) {
	for _, suite := range every() {
		for _, restart := range []bool{false, true} {
			s1, o1 := contexts(t, NewKey(suite))
			for _, seq := range []uint16{65534, 65535, 0, 1} {
				if _, err := o1.RTP(seal(t, s1, packet(7, seq))); err != nil {
					t.Fatal(err)
				}
			}
			s2, o2 := contexts(t, NewKey(suite))
			o2.Continue(o1)
			if !restart {
				s2.Continue(s1, 7)
			}
			stale := seal(t, s1, packet(7, 2))
			if _, err := o2.RTP(stale); !errors.Is(err, ErrTag) {
				t.Errorf("%s: under the old key: %v", suite, err)
			}
			for _, seq := range []uint16{2, 3} {
				if out, err := o2.RTP(seal(t, s2, packet(7, seq))); err != nil || !bytes.Equal(out, packet(7, seq)) {
					t.Errorf("%s, begins again %t: %v", suite, restart, err)
				}
			}
		}
	}
}

// A master key identifier travels in the packets (RFC 3711 section 3.1).
func TestKeyIdentifier(t *testing.T) {
	suite := Offered()[0]
	k, err := KeyOf(suite, NewKey(suite).Material(), []byte{0, 0, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	s, o := contexts(t, k)
	b := seal(t, s, packet(7, 1))
	if !bytes.Equal(b[172:176], []byte{0, 0, 0, 1}) {
		t.Errorf("no identifier: %x", b[172:])
	}
	if _, err := o.RTP(b); err != nil {
		t.Error(err)
	}
}

func TestKeyOf(t *testing.T) {
	for _, suite := range every() {
		k := NewKey(suite)
		again, err := KeyOf(suite, k.Material(), nil)
		if err != nil || !again.Is(k) {
			t.Errorf("%s: %v", suite, err)
		}
		if k.Is(NewKey(suite)) {
			t.Errorf("%s: drawn twice", suite)
		}
		if _, err := KeyOf(suite, k.Material()[1:], nil); !errors.Is(err, ErrKey) {
			t.Errorf("%s: too short: %v", suite, err)
		}
		if found, ok := SuiteOf(suite.String()); !ok || found != suite {
			t.Errorf("%s is not found by its name", suite)
		}
	}
	if _, ok := SuiteOf("F8_128_HMAC_SHA1_80"); ok {
		t.Error("F8")
	}
	if _, err := NewOpener(Key{}); !errors.Is(err, ErrKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := NewSealer(Key{}); !errors.Is(err, ErrKey) {
		t.Errorf("no key: %v", err)
	}
}

// Whatever prints a key prints no key.
func TestKeysDoNotPrint(t *testing.T) {
	k := NewKey(Offered()[0])
	secret := base64.StdEncoding.EncodeToString(k.Material())[:20]
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", k, "in", struct{ K Key }{k})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k, "in", struct{ K Key }{k})
	j, err := json.Marshal(map[string]any{"key": k})
	if err != nil {
		t.Fatal(err)
	}
	text := log.String() + string(j) + fmt.Sprintf("%v %+v %#v %s %q %x %d %v", k, k, k, k, k, k, k, struct{ K Key }{k})
	for _, part := range []string{secret, hex.EncodeToString(k.master), fmt.Sprint(k.master)} {
		if strings.Contains(text, part) {
			t.Errorf("a key is shown: %s", text)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for _, suite := range every() {
		s, o := contexts(t, NewKey(suite))
		plain, room := packet(7, 0), make([]byte, 0, 256)
		seq := uint16(0)
		if n := testing.AllocsPerRun(1000, func() {
			seq++
			binary.BigEndian.PutUint16(plain[2:], seq)
			b, err := s.RTP(room, plain)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.RTP(b); err != nil {
				t.Fatal(err)
			}
		}); n != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations a packet", suite, n)
		}
	}
}

// One packet of 20 ms protected, and one checked and decrypted.
func BenchmarkProtectUnprotect(b *testing.B) {
	for _, suite := range every() {
		b.Run(suite.String(), func(b *testing.B) {
			s, o := contexts(b, NewKey(suite))
			plain, room := packet(7, 0), make([]byte, 0, 256)
			seq := uint16(0)
			b.ReportAllocs()
			for b.Loop() {
				seq++
				binary.BigEndian.PutUint16(plain[2:], seq)
				x, err := s.RTP(room, plain)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := o.RTP(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzKindOf: ranges do not overlap, and nothing else is said of a datagram.
func FuzzKindOf(f *testing.F) {
	for _, b := range [][]byte{{}, {0}, {0, 1}, {3, 255}, {4, 0}, {19, 0}, {20, 254}, {63, 0}, {64, 0}, {127, 0}, {128, 0}, {128, 191}, {128, 192}, {191, 223}, {128, 224}, {192, 0}, {255, 255}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k := KindOf(b)
		if len(b) < 2 {
			if k != Other {
				t.Fatalf("%x is %d", b, k)
			}
			return
		}
		rtp := b[0]>>6 == 2
		if (k == RTP || k == RTCP) != rtp || k == RTCP && (b[1] < 192 || b[1] > 223) ||
			(k == STUN) != (b[0] < 4) || (k == DTLS) != (b[0] > 19 && b[0] < 64) {
			t.Fatalf("%x is %d", b, k)
		}
	})
}
