package codec

import (
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/cordpair/cordpair/media/mediatest"
)

// Of each tenth packet nothing comes: what is heard keeps its level.
func TestOpusWithLosses(t *testing.T) {
	f, _ := Find("opus", 48000, 2)
	for _, name := range []string{"silk-nb", "silk-wb", "hybrid-fb", "celt-fb"} {
		for _, rate := range rates {
			b, err := os.ReadFile("opus/testdata/" + name + ".packets")
			if err != nil {
				t.Fatal(err)
			}
			d, err := f.NewDecoder(rate)
			if err != nil {
				t.Fatal(err)
			}
			var c Concealer
			c.Reset(rate)
			var out []int16
			pcm := make([]int16, rate/1000*Longest)
			for i := range 50 { // the tone
				n := int(binary.BigEndian.Uint16(b))
				payload := b[2 : 2+n]
				b = b[2+n:]
				made := pcm[:rate/50]
				if i%10 == 9 {
					c.Lost(made)
				} else if n, err := d.Decode(pcm, payload); err != nil || n != len(made) {
					t.Fatalf("%s: %d samples, %v", name, n, err)
				} else {
					c.Good(made, false)
				}
				out = append(out, made...)
			}
			if diff := mediatest.Level(out[rate/10:]) + 12; math.Abs(diff) > 1 {
				t.Errorf("%s at %d: %+.2f dB", name, rate, diff)
			}
		}
	}
}
