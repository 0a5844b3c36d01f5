package resample

import "fmt"

// most is how many samples are worked on at once; longer input is cut up.
const most = 960

// longest is the most samples of the past a filter looks at.
const longest = taps*6 - 1

// Filter converts one stream.
type Filter struct {
	kernel *kernel // nil between equal rates
	up     bool
	wait   int // samples until the next one that is kept, when decimating
	past   [longest]int16
}

// Reset makes f the filter of a new stream. Both rates are 8000, 16000 or 48000
// Hz; it panics on any other.
func (f *Filter) Reset(from, to int) {
	*f = Filter{up: to > from}
	switch ratio := max(from, to) / min(from, to); {
	case !known(from) || !known(to):
		panic(fmt.Sprintf("resample: %d to %d Hz", from, to))
	case ratio == 2:
		f.kernel = by2
	case ratio == 3:
		f.kernel = by3
	case ratio == 6:
		f.kernel = by6
	}
}

func known(rate int) bool { return rate == 8000 || rate == 16000 || rate == 48000 }

// Process converts all of in and returns how many samples it wrote; out has room
// for them: the ratio of the rates times the length, rounded up.
func (f *Filter) Process(out, in []int16) int {
	if f.kernel == nil {
		return copy(out, in)
	}
	n := 0
	for len(in) > 0 {
		part := min(len(in), most)
		if f.up {
			n += f.interpolate(out[n:], in[:part])
		} else {
			n += f.decimate(out[n:], in[:part])
		}
		in = in[part:]
	}
	return n
}

// interpolate gives every phase of each sample.
func (f *Filter) interpolate(out, in []int16) int {
	const before = taps - 1
	var line [before + most]int16
	copy(line[:], f.past[:before])
	copy(line[before:], in)
	k, n := f.kernel, 0
	for i := range in {
		x := line[i : i+taps]
		for at := 0; at < len(k.phases); at += taps {
			out[n] = round(dot(x, k.phases[at:at+taps]), one)
			n++
		}
	}
	copy(f.past[:before], line[len(in):])
	return n
}

// decimate gives one sample of each few.
func (f *Filter) decimate(out, in []int16) int {
	k := f.kernel
	before := len(k.whole) - 1
	var line [longest + most]int16
	copy(line[:], f.past[:before])
	copy(line[before:], in)
	n, at := 0, f.wait
	for ; at < len(in); at += k.ratio {
		out[n] = round(dot(line[at:at+len(k.whole)], k.whole), int64(one*k.ratio))
		n++
	}
	f.wait = at - len(in)
	copy(f.past[:before], line[len(in):])
	return n
}

// round divides a sum of products and limits it.
func round(sum, by int64) int16 {
	if sum += by / 2; sum < 0 {
		sum -= by - 1 // division rounds towards zero
	}
	return int16(min(max(sum/by, -32768), 32767))
}

// dot is the sum of the products; both are of one length, a multiple of 8.
func dot(x []int16, c []int32) (sum int64) {
	for len(x) >= 8 && len(c) >= 8 {
		a, b := (*[8]int16)(x), (*[8]int32)(c)
		sum += int64(a[0])*int64(b[0]) + int64(a[1])*int64(b[1]) + int64(a[2])*int64(b[2]) + int64(a[3])*int64(b[3]) +
			int64(a[4])*int64(b[4]) + int64(a[5])*int64(b[5]) + int64(a[6])*int64(b[6]) + int64(a[7])*int64(b[7])
		x, c = x[8:], c[8:]
	}
	return sum
}
