package gauge

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQuantiles: against sorting, a quantile is never below the true one and at
// most one bucket above.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, math.MaxInt64), 1, 200).Draw(t, "values")
		var h Hist
		for _, v := range values {
			h.Add(time.Duration(v))
		}
		slices.Sort(values)
		for _, q := range []float64{0, 0.5, 0.99, 1} {
			want := values[max(0, int(math.Ceil(q*float64(len(values))))-1)]
			got := int64(h.Quantile(q))
			if got < want || float64(got) > float64(want)*(1+1.0/32) {
				t.Fatalf("quantile %v is %d, of %v it is %d", q, got, values, want)
			}
		}
		if h.N() != len(values) || int64(h.Max()) != values[len(values)-1] {
			t.Fatalf("%d values, largest %d", h.N(), h.Max())
		}
	})
}

func TestEmptyHist(t *testing.T) {
	var h Hist
	if h.Quantile(0.99) != 0 || h.Max() != 0 || h.N() != 0 {
		t.Error("an empty histogram has values")
	}
	h.Add(-time.Second)
	if h.N() != 1 || h.Max() != 0 {
		t.Errorf("a negative duration counts as %v", h.Max())
	}
}
