package location

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

func drawBinding(t *rapid.T) Binding {
	text := rapid.String()
	addr := func(name string) netip.AddrPort {
		all := []string{"", "10.0.0.1:5060", "[2001:db8::1]:1", "[fe80::1%eth0]:65535"}
		a, _ := netip.ParseAddrPort(rapid.SampledFrom(all).Draw(t, name)) // the empty one is invalid
		return a
	}
	at := func(name string) time.Time {
		n := rapid.Int64Range(0, 1<<62).Draw(t, name)
		if n == 0 {
			return time.Time{}
		}
		return time.Unix(0, n).UTC()
	}
	return Binding{
		ID: text.Draw(t, "id"), Node: text.Draw(t, "node"),
		Flow:   Flow{Transport: text.Draw(t, "transport"), Listener: text.Draw(t, "listener"), Remote: addr("remote")},
		Source: addr("source"), Contact: text.Draw(t, "contact"),
		Path:     rapid.SliceOfN(text, 0, 3).Draw(t, "path"),
		Instance: text.Draw(t, "instance"), RegID: rapid.IntRange(0, 1<<31-1).Draw(t, "reg id"),
		UserAgent: text.Draw(t, "agent"), CallID: text.Draw(t, "call id"), CSeq: rapid.Uint32().Draw(t, "cseq"),
		Q: rapid.IntRange(0, 1000).Draw(t, "q"), Registered: at("registered"), Refreshed: at("refreshed"),
		Expires: at("expires"), Granted: rapid.IntRange(0, 1<<32-1).Draw(t, "granted"),
	}
}

// TestCoding: what is written is read, and every piece cut off is missed.
func TestCoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Record{Extension: rapid.Int64Range(1, 1<<62).Draw(t, "extension")}
		for range rapid.IntRange(0, 3).Draw(t, "bindings") {
			want.Bindings = append(want.Bindings, drawBinding(t))
		}
		for range rapid.IntRange(0, 2).Draw(t, "ended") {
			want.Ended = append(want.Ended, drawBinding(t))
		}
		b, err := want.AppendRow(nil)
		if err != nil {
			t.Fatal(err)
		}
		var got Record
		if err := got.ParseRow(recordVersion, b); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateComparable(netip.AddrPort{}), cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
		for i := range b {
			if err := new(Record).ParseRow(recordVersion, b[:i]); !errors.Is(err, store.ErrDamaged) {
				t.Fatalf("%d of %d bytes: %v", i, len(b), err)
			}
		}
	})
}

// jsonRecord is a Record as version 1 stored it.
type jsonRecord Record

// TestOldRows: the rows of version 1 are read and rewritten.
func TestOldRows(t *testing.T) {
	db := storetest.Open(t)
	old := store.NewTable[jsonRecord](db.Live(), store.Bindings, 1)
	now := time.Now().UTC().Truncate(time.Second)
	want := Record{Extension: 7, Bindings: []Binding{{
		ID: "x", Node: "a", Flow: udp, Source: src, Contact: "sip:x@h", CallID: "c", CSeq: 3, Q: 1000,
		Registered: now, Refreshed: now, Expires: now.Add(hour), Granted: 3600,
	}}}
	if err := old.Put(store.Int(7), jsonRecord(want)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		n := 0
		for got, err := range NewStore(db.Live()).Records() {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if d := cmp.Diff(want, got, cmpopts.EquateComparable(netip.AddrPort{})); d != "" {
				t.Error(d)
			}
		}
		if n != 1 {
			t.Errorf("%d records", n)
		}
	}
	if _, err := old.Get(store.Int(7)); err == nil {
		t.Error("the row is still of version 1")
	}
}

// FuzzParseRow: no bytes make the reader panic or take more memory than they are
// worth, and what it reads it can write.
func FuzzParseRow(f *testing.F) {
	whole := Record{Extension: 1, Bindings: []Binding{{ID: "x", Flow: udp, Source: src, Path: []string{"p"}}}}
	row, _ := whole.AppendRow(nil) // never fails
	asJSON, err := json.Marshal(whole)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byte(1), asJSON)
	f.Add(byte(2), row)
	f.Add(byte(2), []byte{1, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, version byte, b []byte) {
		var r, again Record
		if r.ParseRow(version, b) != nil || version != recordVersion {
			return
		}
		row, err := r.AppendRow(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.ParseRow(recordVersion, row); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, again, cmpopts.EquateComparable(netip.AddrPort{})); d != "" {
			t.Error(d)
		}
	})
}
