package g711

import (
	"math"
	"testing"
)

// law is one side of G.711 as its tables 1 and 2 print it: run lengths of equal
// steps between decision values, in units of the law.
type law struct {
	name   string
	unit   int   // 16-bit samples per unit
	first  []int // the first decision values
	steps  []int // then 16 steps of each of these widths
	zero   int   // the lowest output value
	decode func([]int16, []byte) int
	encode func([]byte, []int16) int
}

var laws = []law{
	{"mu", 4, muStart(), []int{4, 8, 16, 32, 64, 128, 256}, 0, DecodePCMU, EncodePCMU},
	{"A", 8, []int{0}, []int{2, 2, 4, 8, 16, 32, 64, 128}, 1, DecodePCMA, EncodePCMA},
}

// muStart is 0, 1, 3, 5 … 31: the first segment of mu-law begins with a half step.
func muStart() []int {
	out := []int{0}
	for x := 1; x <= 31; x += 2 {
		out = append(out, x)
	}
	return out
}

// decisions are the 129 decision values of one sign.
func (l law) decisions() []int {
	x := append([]int(nil), l.first...)
	for _, step := range l.steps {
		for range 16 {
			x = append(x, x[len(x)-1]+step)
		}
	}
	return x
}

// output is the value of the interval between decisions n and n+1.
func (l law) output(x []int, n int) int {
	if n == 0 {
		return l.zero * l.unit
	}
	return (x[n] + x[n+1]) * l.unit / 2
}

func TestAllSamples(t *testing.T) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			x := l.decisions()
			if len(x) != 129 {
				t.Fatalf("%d decision values, want 129", len(x))
			}
			var code [1]byte
			var back [1]int16
			for s := math.MinInt16; s <= math.MaxInt16; s++ {
				magnitude := s
				if s < 0 {
					magnitude = -s - 1 // the edge of an interval belongs to the smaller value
				}
				n := 0
				for n < 127 && magnitude >= x[n+1]*l.unit {
					n++
				}
				want := l.output(x, n)
				if s < 0 {
					want = -want
				}
				l.encode(code[:], []int16{int16(s)})
				l.decode(back[:], code[:])
				if int(back[0]) != want {
					t.Fatalf("%d became %#02x = %d, want %d", s, code[0], back[0], want)
				}
			}
		})
	}
}

// The codes themselves, not only their values: what G.711 prints.
func TestPublishedCodes(t *testing.T) {
	for _, tt := range []struct {
		law  string
		code byte
		want int16
	}{
		{"mu", 0x80, 32124}, {"mu", 0x00, -32124}, {"mu", 0xff, 0}, {"mu", 0x7f, 0},
		{"mu", 0xfe, 8}, {"mu", 0x7e, -8}, {"mu", 0xef, 132}, {"mu", 0x8f, 16764}, {"mu", 0x9f, 8316},
		{"A", 0xd5, 8}, {"A", 0x55, -8}, {"A", 0xaa, 32256}, {"A", 0x2a, -32256},
		{"A", 0xc5, 264}, {"A", 0xd4, 24}, {"A", 0xb5, 8448}, {"A", 0xa5, 16896}, {"A", 0x80, 5504},
	} {
		decode := laws[0].decode
		if tt.law == "A" {
			decode = laws[1].decode
		}
		var got [1]int16
		decode(got[:], []byte{tt.code})
		if got[0] != tt.want {
			t.Errorf("%s-law %#02x = %d, want %d", tt.law, tt.code, got[0], tt.want)
		}
	}
}

func TestEveryCodeSurvives(t *testing.T) {
	for _, l := range laws {
		for code := range 256 {
			var linear [1]int16
			var again [1]byte
			l.decode(linear[:], []byte{byte(code)})
			l.encode(again[:], linear[:])
			// Mu-law has two zeroes; the negative one returns as the positive.
			if int(again[0]) != code && (l.name != "mu" || code != 0x7f || again[0] != 0xff) {
				t.Errorf("%s: %#02x came back as %#02x", l.name, code, again[0])
			}
		}
	}
}

func TestBetweenLaws(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, tt := range []struct {
		name      string
		translate func(dst, src []byte) int
		from, to  law
	}{{"mu to A", PCMUToPCMA, laws[0], laws[1]}, {"A to mu", PCMAToPCMU, laws[1], laws[0]}} {
		linear, want, got := make([]int16, 256), make([]byte, 256), make([]byte, 256)
		tt.from.decode(linear, all)
		tt.to.encode(want, linear)
		if n := tt.translate(got, all); n != 256 || string(got) != string(want) {
			t.Errorf("%s: differs from the way through linear samples", tt.name)
		}
		inPlace := append([]byte(nil), all...)
		if tt.translate(inPlace, inPlace); string(inPlace) != string(want) {
			t.Errorf("%s: differs in place", tt.name)
		}
	}
}

func TestLengths(t *testing.T) {
	linear, code := make([]int16, 3), make([]byte, 5)
	for _, got := range []int{
		DecodePCMU(linear, code), DecodePCMA(linear, code), EncodePCMU(code, linear), EncodePCMA(code, linear),
		PCMUToPCMA(code[:3], code), PCMAToPCMU(code, code[:3]),
	} {
		if got != 3 {
			t.Errorf("converted %d of 3", got)
		}
	}
	if DecodePCMU(nil, nil) != 0 || EncodePCMA(nil, nil) != 0 {
		t.Error("nothing is not nothing")
	}
}

func TestNoAllocation(t *testing.T) {
	linear, code := make([]int16, 160), make([]byte, 160)
	if n := testing.AllocsPerRun(100, func() {
		DecodePCMU(linear, code)
		EncodePCMA(code, linear)
		PCMAToPCMU(code, code)
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	linear, code := make([]int16, 160), make([]byte, 160)
	for i := range linear {
		linear[i] = int16(i * 397)
	}
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			DecodePCMU(linear, code)
		}
	})
	b.Run("encode PCMU", func(b *testing.B) {
		for b.Loop() {
			EncodePCMU(code, linear)
		}
	})
	b.Run("encode PCMA", func(b *testing.B) {
		for b.Loop() {
			EncodePCMA(code, linear)
		}
	})
	b.Run("translate", func(b *testing.B) {
		for b.Loop() {
			PCMUToPCMA(code, code)
		}
	})
}
