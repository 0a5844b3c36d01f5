package history

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/cordpair/cordpair/store"
)

// maxWords is how many texts a record refers back to; more are written out.
const maxWords = 256

// writer writes the stored form of a record: numbers as varints, times as their
// distance from the beginning of the call, and every text once, because the ids,
// numbers and names of a call return in each of its legs and events.
type writer struct {
	b     []byte
	base  int64  // Unix nanoseconds
	words []span // the texts written so far
	err   error  // the first thing that cannot be written
	// last are the texts written last of those with marks alike, from 1; 0 for none.
	last [64]uint16
}

// span is a part of what a writer has written, with a mark by which most texts
// are told apart without a look at them, and the text before it among its like.
type span struct {
	at, n      uint32
	mark, next uint16
}

// markOf is made of how a text begins and ends.
func markOf(s string) uint16 {
	if len(s) < 4 {
		return uint16(s[0])
	}
	n := binary.LittleEndian.Uint32([]byte(s[:4])) ^ 3*binary.LittleEndian.Uint32([]byte(s[len(s)-4:]))
	return uint16(n * 0x9e3779b1 >> 16) // the same bits may change in all texts of a kind
}

// begin makes w write a form of its own behind b, with times from base on.
func (w *writer) begin(b []byte, base time.Time) {
	w.b, w.base, w.words, w.err = b, 0, w.words[:0], nil
	clear(w.last[:])
	if !base.IsZero() {
		w.base = base.UnixNano()
	}
	w.int(w.base)
}

func (w *writer) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }
func (w *writer) int(n int64)   { w.b = binary.AppendVarint(w.b, n) }

func (w *writer) bool(v bool) {
	if v {
		w.b = append(w.b, 1)
		return
	}
	w.b = append(w.b, 0)
}

func (w *writer) float(v float64) {
	w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v))
}

// text writes 0 for the empty text, an odd number for one that was there before,
// and otherwise twice the length and the bytes.
func (w *writer) text(s string) {
	if s == "" {
		w.uint(0)
		return
	}
	mark := markOf(s)
	last := &w.last[mark%uint16(len(w.last))]
	for i := *last; i > 0; i = w.words[i-1].next {
		word := &w.words[i-1]
		if word.mark == mark && int(word.n) == len(s) && string(w.b[word.at:word.at+word.n]) == s {
			w.uint(uint64(i-1)<<1 | 1)
			return
		}
	}
	w.uint(uint64(len(s)) << 1)
	if len(w.words) < maxWords {
		w.words = append(w.words, span{uint32(len(w.b)), uint32(len(s)), mark, *last})
		*last = uint16(len(w.words))
	}
	w.b = append(w.b, s...)
}

// back returns to where the writer was with so many bytes and texts, and no error.
func (w *writer) back(bytes, words int) {
	for i := range w.last {
		for int(w.last[i]) > words {
			w.last[i] = w.words[w.last[i]-1].next
		}
	}
	w.b, w.words, w.err = w.b[:bytes], w.words[:words], nil
}

// time writes 0 for the zero time.
func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.uint(0)
		return
	}
	d := t.UnixNano() - w.base
	w.uint(uint64(d<<1^d>>63) + 1)
}

// count writes the length of a list and keeps nil and empty apart, as JSON does.
func (w *writer) count(n int, isNil bool) {
	if isNil {
		w.uint(0)
		return
	}
	w.uint(uint64(n) + 1)
}

func (w *writer) optText(s *string) {
	w.bool(s != nil)
	if s != nil {
		w.text(*s)
	}
}

func (w *writer) optInt(n *int64) {
	w.bool(n != nil)
	if n != nil {
		w.int(*n)
	}
}

// reader reads what a writer wrote. The first thing that is wrong sticks in err
// and makes all that follows zero.
type reader struct {
	s       string // the texts read share it
	version byte
	at      int
	base    int64
	words   []string
	err     error
}

func (r *reader) fail() {
	r.err = store.ErrDamaged
	r.at = len(r.s)
}

func (r *reader) uint() uint64 {
	var n uint64
	for shift := 0; shift < 64 && r.at < len(r.s); shift += 7 {
		c := r.s[r.at]
		r.at++
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	r.fail()
	return 0
}

func (r *reader) int() int64 {
	n := r.uint()
	return int64(n>>1) ^ -int64(n&1)
}

func (r *reader) bool() bool {
	if r.at >= len(r.s) || r.s[r.at] > 1 {
		r.fail()
		return false
	}
	r.at++
	return r.s[r.at-1] == 1
}

// bytes takes n bytes.
func (r *reader) bytes(n uint64) string {
	if n > uint64(len(r.s)-r.at) {
		r.fail()
		return ""
	}
	s := r.s[r.at : r.at+int(n)]
	r.at += int(n)
	return s
}

func (r *reader) float() float64 {
	s := r.bytes(8)
	if s == "" {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64([]byte(s)))
}

func (r *reader) text() string {
	n := r.uint()
	switch {
	case n == 0:
		return ""
	case n&1 == 1 && n>>1 < uint64(len(r.words)):
		return r.words[n>>1]
	case n&1 == 1:
		r.fail()
		return ""
	}
	s := r.bytes(n >> 1)
	if len(r.words) < maxWords {
		r.words = append(r.words, s)
	}
	return s
}

func (r *reader) time() time.Time {
	n := r.uint()
	if n == 0 {
		return time.Time{}
	}
	n--
	return time.Unix(0, r.base+(int64(n>>1)^-int64(n&1))).UTC()
}

// count returns the length of a list, of which each element takes a byte at
// least, and whether it is nil.
func (r *reader) count() (n int, isNil bool) {
	v := r.uint()
	if v == 0 {
		return 0, true
	}
	if v-1 > uint64(len(r.s)-r.at) {
		r.fail()
		return 0, true
	}
	return int(v - 1), false
}

func (r *reader) optText() *string {
	if !r.bool() {
		return nil
	}
	s := r.text()
	return &s
}

func (r *reader) optInt() *int64 {
	if !r.bool() {
		return nil
	}
	n := r.int()
	return &n
}

// newReader reads a form of its own that b holds: what a writer of that version wrote
// since begin.
func newReader(b string, version byte) *reader {
	r := &reader{s: b, version: version, words: make([]string, 0, 64)}
	r.base = r.int()
	return r
}

// list reads the elements of a list one by one.
func list[T any](r *reader, one func() T) []T {
	n, isNil := r.count()
	if isNil {
		return nil
	}
	all := make([]T, 0, min(n, 64)) // what is claimed may not be there
	for range n {
		if r.err != nil {
			return nil
		}
		all = append(all, one())
	}
	return all
}

// writeList writes a list for list.
func writeList[T any](w *writer, all []T, one func(*T)) {
	w.count(len(all), all == nil)
	for i := range all {
		one(&all[i])
	}
}
