package history

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTexts: what is written as text is read again, each text is written out once, and
// what was taken back is as if it had not been written.
func TestTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(rapid.StringMatching(`[ab]{0,3}|call\.[ab]{2}|[0-9a-f]{6}`), 0, 400)
		var w, plain writer
		w.begin(nil, time.Time{})
		plain.begin(nil, time.Time{})
		var kept []string
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			part := some.Draw(t, "part")
			bytes, words := len(w.b), len(w.words)
			for _, s := range part {
				w.text(s)
			}
			if rapid.Bool().Draw(t, "back") {
				w.back(bytes, words)
				continue
			}
			for _, s := range part {
				plain.text(s)
			}
			kept = append(kept, part...)
		}
		if string(w.b) != string(plain.b) {
			t.Fatalf("%q, without what was taken back %q", w.b, plain.b)
		}
		r := newReader(string(w.b), recordVersion)
		var read []string
		for range kept {
			read = append(read, r.text())
		}
		if r.err != nil || !slices.Equal(read, kept) {
			t.Fatalf("wrote %q, read %q, %v", kept, read, r.err)
		}
		slices.Sort(read)
		each := slices.DeleteFunc(slices.Compact(read), func(s string) bool { return s == "" })
		if len(w.words) != min(len(each), maxWords) {
			t.Fatalf("%d texts written out of %d", len(w.words), len(each))
		}
	})
}
