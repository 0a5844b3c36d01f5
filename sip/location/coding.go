package location

import (
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/cordpair/cordpair/store"
)

// recordVersion is the form AppendRow writes: fields in the order of Binding,
// numbers as varints, texts and addresses with their length before them. Version 1
// was JSON.
const recordVersion = 2

// AppendRow writes the stored form (store.Coded).
func (r *Record) AppendRow(b []byte) ([]byte, error) {
	w := writer{b}
	w.uint(uint64(r.Extension))
	for _, list := range [...][]Binding{r.Bindings, r.Ended} {
		w.uint(uint64(len(list)))
		for i := range list {
			w.binding(&list[i])
		}
	}
	return w.b, nil
}

// ParseRow reads the stored form (store.Coded).
func (r *Record) ParseRow(version byte, b []byte) error {
	if version == 1 {
		return json.Unmarshal(b, r)
	}
	p := reader{s: string(b)}
	r.Extension = int64(p.uint())
	for _, list := range [...]*[]Binding{&r.Bindings, &r.Ended} {
		for n := p.uint(); n > 0 && p.err == nil; n-- {
			*list = append(*list, p.binding())
		}
	}
	if p.err == nil && p.s != "" {
		return store.ErrDamaged
	}
	return p.err
}

// writer appends; the reader below takes off.
type writer struct{ b []byte }

func (w *writer) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }

func (w *writer) text(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) addr(a netip.AddrPort) {
	var room [64]byte
	text := room[:0]
	if a.IsValid() {
		text = a.AppendTo(text)
	}
	w.uint(uint64(len(text)))
	w.b = append(w.b, text...)
}

// time writes nanoseconds since 1970, 0 for no time at all.
func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.uint(0)
		return
	}
	w.uint(uint64(t.UnixNano()))
}

func (w *writer) binding(b *Binding) {
	for _, s := range [...]string{b.ID, b.Node, b.Flow.Transport, b.Flow.Listener} {
		w.text(s)
	}
	w.addr(b.Flow.Remote)
	w.addr(b.Source)
	for _, s := range [...]string{b.Contact, b.Instance, b.UserAgent, b.CallID} {
		w.text(s)
	}
	w.uint(uint64(len(b.Path)))
	for _, s := range b.Path {
		w.text(s)
	}
	for _, n := range [...]int{b.RegID, int(b.CSeq), b.Q, b.Granted} {
		w.uint(uint64(n))
	}
	for _, t := range [...]time.Time{b.Registered, b.Refreshed, b.Expires} {
		w.time(t)
	}
}

// reader takes off s what a writer wrote. The first thing that is wrong sticks in
// err and makes all that follows zero.
type reader struct {
	s   string // the texts read share it
	err error
}

func (r *reader) fail() { r.s, r.err = "", store.ErrDamaged }

func (r *reader) uint() uint64 {
	var n uint64
	for i := 0; i < len(r.s) && i < binary.MaxVarintLen64; i++ {
		c := r.s[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.s = r.s[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

func (r *reader) text() string {
	n := r.uint()
	if n > uint64(len(r.s)) {
		r.fail()
		return ""
	}
	text := r.s[:n]
	r.s = r.s[n:]
	return text
}

func (r *reader) addr() netip.AddrPort {
	text := r.text()
	if text == "" {
		return netip.AddrPort{}
	}
	a, err := netip.ParseAddrPort(text)
	if err != nil {
		r.fail()
	}
	return a
}

func (r *reader) time() time.Time {
	n := r.uint()
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n)).UTC()
}

func (r *reader) binding() (b Binding) {
	for _, s := range [...]*string{&b.ID, &b.Node, &b.Flow.Transport, &b.Flow.Listener} {
		*s = r.text()
	}
	b.Flow.Remote, b.Source = r.addr(), r.addr()
	for _, s := range [...]*string{&b.Contact, &b.Instance, &b.UserAgent, &b.CallID} {
		*s = r.text()
	}
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		b.Path = append(b.Path, r.text())
	}
	b.RegID, b.CSeq, b.Q, b.Granted = int(r.uint()), uint32(r.uint()), int(r.uint()), int(r.uint())
	b.Registered, b.Refreshed, b.Expires = r.time(), r.time(), r.time()
	return b
}
