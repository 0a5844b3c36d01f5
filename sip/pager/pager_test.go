package pager

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

var now = time.Unix(1_000_000, 0)

func message(id string, target int64, life time.Duration) Message {
	return Message{ID: id, Client: target / 10, Target: target, From: "<sip:a@b>", Type: "text/plain", Body: []byte(id), At: now, Expires: now.Add(life)}
}

func open(t *testing.T, cfg Config) *Messages {
	t.Helper()
	s := New(cfg)
	if err := s.Put(message("early", 11, time.Hour), nil); !errors.Is(err, ErrClosed) {
		t.Fatalf("before Load: %v", err)
	}
	if err := s.Load(now); err != nil {
		t.Fatal(err)
	}
	return s
}

// put stores a message and waits until it is durable.
func put(t *testing.T, s *Messages, m Message) {
	t.Helper()
	done := make(chan error, 1)
	if err := s.Put(m, func(err error) { done <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// drain takes everything for a target, in order.
func drain(s *Messages, target int64) (ids []string) {
	for m, ok := s.First(target, now); ok; m, ok = s.First(target, now) {
		ids = append(ids, m.ID)
		s.Remove(target, m.ID)
	}
	return ids
}

// TestOrderSurvives: what was put is there after a restart, in its order and
// without what was removed; new messages stand behind it.
func TestOrderSurvives(t *testing.T) {
	db := storetest.Open(t)
	s := open(t, Config{Store: NewStore(db.Records())})
	for _, id := range []string{"1", "2", "3", "4"} {
		put(t, s, message(id, 11, time.Hour))
		put(t, s, message("x"+id, 12, time.Hour))
	}
	if !s.Remove(11, "2") || s.Remove(11, "2") || s.Remove(13, "1") {
		t.Error("what was removed is not what was there")
	}
	s.Forget(12)
	if err := db.Records().Update(func(*store.Tx) error { return nil }); err != nil { // all before it is in
		t.Fatal(err)
	}
	s = open(t, Config{Store: NewStore(db.Records())})
	put(t, s, message("5", 11, time.Hour))
	if got := s.Targets(); !slices.Equal(got, []int64{11}) || s.Count(11) != 4 || s.Len() != 4 {
		t.Errorf("targets %v, %d, %d", got, s.Count(11), s.Len())
	}
	if got := drain(s, 11); !slices.Equal(got, []string{"1", "3", "4", "5"}) {
		t.Errorf("%v", got)
	}
}

// TestLimits (O5): each of them refuses, and a message that leaves makes room.
func TestLimits(t *testing.T) {
	for name, cfg := range map[string]Config{
		"target": {PerTarget: 3}, "client": {PerClient: 3}, "all": {InAll: 3}, "bytes": {Bytes: 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, cfg)
			for i := range 3 {
				put(t, s, message(fmt.Sprint(i), 11, time.Hour))
			}
			if err := s.Put(message("3", 11, time.Hour), nil); !errors.Is(err, ErrFull) {
				t.Errorf("the fourth: %v", err)
			}
			s.Remove(11, "1")
			put(t, s, message("4", 11, time.Hour))
		})
	}
}

// TestExpire: a message outlives its time neither in First nor in the count.
func TestExpire(t *testing.T) {
	s := open(t, Config{})
	put(t, s, message("short", 11, time.Minute))
	put(t, s, message("long", 11, time.Hour))
	if m, ok := s.First(11, now.Add(time.Minute)); !ok || m.ID != "long" {
		t.Errorf("%v %v", m.ID, ok)
	}
	if lost := s.Expire(now.Add(59 * time.Second)); lost != nil {
		t.Errorf("too early: %v", lost)
	}
	if lost := s.Expire(now.Add(time.Minute)); lost[11] != 1 || s.Len() != 1 {
		t.Errorf("%v, %d left", lost, s.Len())
	}
	if lost := s.Expire(now.Add(time.Hour)); lost[11] != 1 || s.Len() != 0 {
		t.Errorf("%v, %d left", lost, s.Len())
	}
}
