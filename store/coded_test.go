package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
)

// point is a row with a form of its own: eight bytes each. Version 1 had X only.
type point struct{ X, Y int64 }

func (p *point) AppendRow(b []byte) ([]byte, error) {
	if p.X < 0 {
		return nil, errors.New("left of the origin")
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(p.X)), uint64(p.Y)), nil
}

func (p *point) ParseRow(version byte, b []byte) error {
	switch {
	case version == 1 && len(b) == 8:
		p.X, p.Y = int64(binary.BigEndian.Uint64(b)), -1
	case version == 2 && len(b) == 16:
		p.X, p.Y = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
	default:
		return ErrDamaged
	}
	return nil
}

// point1 is what an earlier release had.
type point1 struct{ X int64 }

func (p *point1) AppendRow(b []byte) ([]byte, error) {
	return binary.BigEndian.AppendUint64(b, uint64(p.X)), nil
}

func (p *point1) ParseRow(_ byte, b []byte) error {
	p.X = int64(binary.BigEndian.Uint64(b))
	return nil
}

func points(sp *Space) *Table[point] {
	return NewTable(sp, Calls, 2, Index[point]{Name: "y", Keys: func(p point) []Key { return []Key{Int(p.Y)} }})
}

// TestCoded: a row in a form of its own is kept, found and refused as any other.
func TestCoded(t *testing.T) {
	db := memory(t)
	tab := points(db.config)
	for i := range int64(10) {
		if err := tab.Put(Int(i), point{i, i % 3}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tab.Put(Int(4), point{4, 7}); err != nil { // leaves its place in the index
		t.Fatal(err)
	}
	if err := tab.Delete(Int(7)); err != nil {
		t.Fatal(err)
	}
	if err := tab.Put(Int(1), point{X: -1}); err == nil {
		t.Error("a row that cannot be coded was written")
	}
	page, err := tab.List(Range{Index: "y", Prefix: Int(1)})
	if err != nil || len(page.Rows) != 1 || page.Rows[0].Value != (point{1, 1}) {
		t.Errorf("%+v, %v", page, err)
	}
	if err := tab.Check(); err != nil {
		t.Error(err)
	}
}

// TestUpgrade: rows of an earlier version are read at once, and found by a new
// index after Upgrade, which is done once.
func TestUpgrade(t *testing.T) {
	db := memory(t)
	old := NewTable[point1](db.config, Calls, 1)
	const rows = 2*upgradeRows + 3
	for i := range int64(rows) {
		if err := old.Put(Int(i), point1{i}); err != nil {
			t.Fatal(err)
		}
	}
	tab := points(db.config)
	if p, err := tab.Get(Int(5)); err != nil || p != (point{5, -1}) {
		t.Errorf("before: %v, %v", p, err)
	}
	for range 2 {
		if err := tab.Upgrade(t.Context()); err != nil {
			t.Fatal(err)
		}
		commits := db.config.Stats().Commits
		if page, err := tab.List(Range{Index: "y"}); err != nil || len(page.Rows) != rows {
			t.Errorf("%d rows, %v", len(page.Rows), err)
		}
		if err := tab.Check(); err != nil {
			t.Error(err)
		}
		if err := tab.Upgrade(t.Context()); err != nil || db.config.Stats().Commits != commits {
			t.Errorf("again: %v", err)
		}
	}
	if _, err := old.Get(Int(5)); !errors.Is(err, ErrNewerStore) {
		t.Errorf("an earlier release reads it: %v", err)
	}
	later := NewTable[point](db.config, Calls, 2) // has no index any more
	var seen []Key
	also := func(tx *Tx, key Key, p point) error {
		seen = append(seen, key)
		return later.In(tx).Insert(Int(-p.X-1), point{p.X, 9}) // what comes to lie before is not seen
	}
	if err := later.UpgradeWith(t.Context(), also); err != nil || len(seen) != rows {
		t.Errorf("%d rows, %v", len(seen), err)
	}
	if err := tab.Check(); !errors.Is(err, ErrDamaged) {
		t.Errorf("the index is still there: %v", err)
	}
	if p, err := later.Get(Int(-6)); err != nil || p != (point{5, 9}) {
		t.Errorf("%v, %v", p, err)
	}
}

// TestSkip: the same rows are left out by an index, by the key, and with rows
// that expire.
func TestSkip(t *testing.T) {
	db := memory(t)
	tab := points(db.config)
	for i := range int64(600) {
		if err := tab.Put(Int(i), point{i, i}); err != nil {
			t.Fatal(err)
		}
	}
	for _, rg := range []Range{{}, {Index: "y"}} {
		for _, skip := range []int{0, 1, 300, 599, 600, 700} {
			rg.Skip, rg.Limit = skip, 2
			page, err := tab.List(rg)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(len(page.Rows))
			if len(page.Rows) > 0 {
				got += fmt.Sprint(" from ", page.Rows[0].Value.X)
			}
			want := fmt.Sprint(min(2, max(0, 600-skip)))
			if skip < 600 {
				want += fmt.Sprint(" from ", skip)
			}
			if got != want {
				t.Errorf("%q, skip %d: %s, want %s", rg.Index, skip, got, want)
			}
		}
	}
}
