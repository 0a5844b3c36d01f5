package gauge

import (
	"math/bits"
	"time"
)

// subBits gives 64 buckets per power of two: values are off by at most 1.6 %.
const subBits = 6

// Hist counts durations in buckets that grow with the value. The zero value is
// empty and ready. Negative durations count as zero.
type Hist struct {
	counts [(64 - subBits) << subBits]uint32
	n      int
	max    time.Duration
}

// Add counts one duration.
func (h *Hist) Add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(uint64(d))]++
	h.n++
	h.max = max(h.max, d)
}

// N is how many were counted.
func (h *Hist) N() int { return h.n }

// Max is the longest, exactly; zero when there is none.
func (h *Hist) Max() time.Duration { return h.max }

// Quantile is the duration that a share q (0 to 1) does not exceed, rounded up
// to its bucket; zero when nothing was counted.
func (h *Hist) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	want := max(1, int(q*float64(h.n)+0.9999999))
	seen := 0
	for i, c := range h.counts {
		if seen += int(c); seen >= want {
			return min(upper(i), h.max)
		}
	}
	return h.max
}

// bucket is the index of a value: its exponent, then its leading bits.
func bucket(v uint64) int {
	exp := bits.Len64(v) - subBits - 1
	if exp <= 0 {
		return int(v)
	}
	return exp<<subBits + int(v>>exp)
}

// upper is the largest value of a bucket.
func upper(i int) time.Duration {
	exp := i>>subBits - 1
	if exp <= 0 {
		return time.Duration(i)
	}
	lead := uint64(i - exp<<subBits)
	return time.Duration((lead+1)<<exp - 1)
}
