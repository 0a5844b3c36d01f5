package pager

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Errors of Put. Nothing was stored.
var (
	// ErrFull: the target, its client or the node has as many as it may.
	ErrFull = errors.New("too many stored messages")
	// ErrClosed: the messages are not loaded yet.
	ErrClosed = errors.New("stored messages are not open")
)

// MaxLife is the longest a message waits; a sender may ask for less.
const MaxLife = 7 * 24 * time.Hour

// Message is one text message on its way.
type Message struct {
	// ID is the Call-ID of every attempt to deliver it, so that a phone can tell
	// a repetition.
	ID string `json:"id"`
	// Seq orders the messages of the node; Put gives it.
	Seq    int64 `json:"seq"`
	Client int64 `json:"client"` // of the target
	Target int64 `json:"target"` // extension id
	// From is the From value without tag, as the target sees it.
	From    string    `json:"from"`
	Type    string    `json:"type"` // Content-Type with its parameters
	Body    []byte    `json:"body"`
	At      time.Time `json:"at"` // when it was accepted
	Expires time.Time `json:"expires"`
}

// Store keeps messages; NewStore meets it over the records space.
type Store interface {
	// Messages yields every stored message, in order of target and Seq.
	Messages() iter.Seq2[Message, error]
	// Put and Delete never wait, keep the order of calls and call done, which may
	// be nil, once when the write is durable.
	Put(m Message, done func(error))
	Delete(target, seq int64, done func(error))
}

// Config of Messages. The zero value keeps nothing beyond the process and has
// the default limits.
type Config struct {
	Store Store // may be nil
	// PerTarget, PerClient and InAll bound how many wait; zero means 100,
	// 10,000 and 50,000. Bytes bounds all bodies together; zero means 64 MiB.
	PerTarget, PerClient, InAll, Bytes int
}

func (c *Config) fill() {
	for _, d := range []struct {
		v   *int
		def int
	}{{&c.PerTarget, 100}, {&c.PerClient, 10_000}, {&c.InAll, 50_000}, {&c.Bytes, 64 << 20}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
}

// Messages are what waits on this node.
type Messages struct {
	cfg Config

	mu      sync.Mutex
	loaded  bool
	boxes   map[int64][]Message // by target
	clients map[int64]int
	count   atomic.Int64 // changed under mu, read by anybody
	bytes   int
	seq     int64
	next    time.Time // nothing expires before
}

// New returns messages that take nothing before Load.
func New(cfg Config) *Messages {
	cfg.fill()
	return &Messages{cfg: cfg, boxes: map[int64][]Message{}, clients: map[int64]int{}}
}

// Load takes over what is stored. It reads all of it and is called once.
func (s *Messages) Load(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.Store != nil {
		for m, err := range s.cfg.Store.Messages() {
			if err != nil {
				return fmt.Errorf("text messages: %w", err)
			}
			// From here on the clock of this run counts (L6).
			m.Expires = now.Add(min(m.Expires.Sub(now), MaxLife))
			s.add(m)
			s.seq = max(s.seq, m.Seq)
		}
	}
	s.loaded = true
	return nil
}

// Put stores a message behind the others of its target; done is called once when
// that is durable, from any goroutine and possibly before Put returns.
func (s *Messages) Put(m Message, done func(error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.loaded:
		return ErrClosed
	case len(s.boxes[m.Target]) >= s.cfg.PerTarget || s.clients[m.Client] >= s.cfg.PerClient ||
		int(s.count.Load()) >= s.cfg.InAll || s.bytes+len(m.Body) > s.cfg.Bytes:
		return ErrFull
	}
	s.seq++
	m.Seq = s.seq
	s.add(m)
	if s.cfg.Store == nil {
		done(nil)
		return nil
	}
	s.cfg.Store.Put(m, done)
	return nil
}

func (s *Messages) add(m Message) {
	s.boxes[m.Target] = append(s.boxes[m.Target], m)
	s.clients[m.Client]++
	s.count.Add(1)
	s.bytes += len(m.Body)
	if s.next.IsZero() || m.Expires.Before(s.next) {
		s.next = m.Expires
	}
}

// First is the oldest message for a target that has not expired.
func (s *Messages) First(target int64, now time.Time) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.boxes[target] {
		if m.Expires.After(now) {
			return m, true
		}
	}
	return Message{}, false
}

// Remove takes a message out, because it was delivered or never can be. It
// reports whether it was there.
func (s *Messages) Remove(target int64, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(target, func(m *Message) bool { return m.ID == id }) > 0
}

// remove takes out what is due. s.mu is held.
func (s *Messages) remove(target int64, due func(*Message) bool) (n int) {
	var left []Message
	for _, m := range s.boxes[target] {
		if !due(&m) {
			left = append(left, m)
			continue
		}
		n++
		s.count.Add(-1)
		s.bytes -= len(m.Body)
		if s.clients[m.Client]--; s.clients[m.Client] == 0 {
			delete(s.clients, m.Client)
		}
		if s.cfg.Store != nil {
			s.cfg.Store.Delete(target, m.Seq, nil)
		}
	}
	if s.boxes[target] = left; len(left) == 0 {
		delete(s.boxes, target)
	}
	return n
}

// Count is how many wait for a target.
func (s *Messages) Count(target int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.boxes[target])
}

// Len is how many wait in all.
func (s *Messages) Len() int { return int(s.count.Load()) }

// Expire drops what has outlived its time and returns how many each target lost.
func (s *Messages) Expire(now time.Time) map[int64]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count.Load() == 0 || s.next.After(now) {
		return nil
	}
	lost := map[int64]int{}
	s.next = time.Time{}
	for target := range s.boxes {
		if n := s.remove(target, func(m *Message) bool { return !m.Expires.After(now) }); n > 0 {
			lost[target] = n
		}
		for _, m := range s.boxes[target] {
			if s.next.IsZero() || m.Expires.Before(s.next) {
				s.next = m.Expires
			}
		}
	}
	return lost
}

// Targets are those that something waits for.
func (s *Messages) Targets() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.boxes))
}

// Forget drops everything for a target that no longer exists.
func (s *Messages) Forget(target int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(target, func(*Message) bool { return true })
}
