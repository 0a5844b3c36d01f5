package secure

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// end is one side of a handshake in a test.
type end struct {
	h      *Handshake
	ours   Key
	theirs Key
	err    error
	done   bool
}

func identity(t *testing.T) *Identity {
	t.Helper()
	i, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// shake lets a client and a server meet; pass decides about each datagram.
func shake(t *testing.T, trusted [2]*Identity, pass func(client bool, n int) bool) (client, server *end) {
	t.Helper()
	ids := [2]*Identity{identity(t), identity(t)}
	ends := [2]*end{{}, {}}
	both := make(chan struct{}) // closed when both have begun
	meet := func(i int) *Handshake {
		n := 0
		vouch := ids[1-i]
		if trusted[i] != nil {
			vouch = trusted[i]
		}
		return Begin(Meeting{
			Identity: ids[i], Client: i == 0, Fingerprints: []Fingerprint{{Hash: "sha-1", Sum: make([]byte, 20)}, vouch.Fingerprint()},
			Send: func(b []byte) {
				<-both
				n++
				if pass == nil || pass(i == 0, n) {
					ends[1-i].h.Feed(b)
				}
			},
			Done: func(ours, theirs Key, err error) {
				ends[i].ours, ends[i].theirs, ends[i].err, ends[i].done = ours, theirs, err, true
			},
		})
	}
	ends[1].h = meet(1)
	ends[0].h = meet(0)
	close(both)
	return ends[0], ends[1]
}

func TestHandshake(t *testing.T) {
	for name, lost := range map[string]func(bool, int) bool{
		"nothing lost":    nil,
		"every third":     func(_ bool, n int) bool { return n%3 != 0 },
		"the first two":   func(_ bool, n int) bool { return n > 2 },
		"a server's last": func(client bool, n int) bool { return client || n != 8 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := shake(t, [2]*Identity{}, lost)
				time.Sleep(HandshakeTime)
				synctest.Wait()
				if !c.done || !s.done || c.err != nil || s.err != nil {
					t.Fatalf("client %t %v, server %t %v", c.done, c.err, s.done, s.err)
				}
				if !c.ours.Is(s.theirs) || !c.theirs.Is(s.ours) || c.ours.Is(c.theirs) {
					t.Error("the two have different keys")
				}
				c.h.Close()
				s.h.Close()
				s.h.Close() // it may be closed twice
			})
		})
	}
}

// A certificate that the description does not vouch for gives no keys, on either
// side.
func TestWrongFingerprint(t *testing.T) {
	for i := range 2 {
		synctest.Test(t, func(t *testing.T) {
			var trusted [2]*Identity
			trusted[i] = identity(t)
			ends := [2]*end{}
			ends[0], ends[1] = shake(t, trusted, nil)
			time.Sleep(HandshakeTime + linger)
			synctest.Wait()
			if e := ends[i]; !e.done || e.err == nil || !e.ours.IsZero() || !e.theirs.IsZero() {
				t.Errorf("side %d: %t %v", i, e.done, e.err)
			}
			if e := ends[i]; !errors.Is(e.err, ErrFingerprint) {
				t.Logf("side %d says %v", i, e.err)
			}
			ends[0].h.Close()
			ends[1].h.Close()
		})
	}
}

// Nobody there: the goroutine ends by itself.
func TestNobodyAnswers(t *testing.T) {
	for _, client := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var err error
			sent := 0
			begun := time.Now()
			var ended time.Duration
			h := Begin(Meeting{Identity: identity(t), Client: client, Send: func([]byte) { sent++ },
				Done: func(_, _ Key, e error) { err, ended = e, time.Since(begun) }})
			h.Feed([]byte{22, 254, 253, 1, 2, 3}) // no handshake at all
			time.Sleep(2 * HandshakeTime)
			synctest.Wait()
			if err == nil || ended > HandshakeTime+time.Second {
				t.Errorf("client %t: %v after %v", client, err, ended)
			}
			if sent > 20 {
				t.Errorf("%d datagrams to nobody", sent)
			}
		})
	}
}

// Close at any moment ends it without a word.
func TestCloseIsSilent(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, time.Second, linger / 2} {
		synctest.Test(t, func(t *testing.T) {
			closed, late := false, 0
			c, s := shake(t, [2]*Identity{}, func(bool, int) bool {
				if closed {
					late++
				}
				return true
			})
			time.Sleep(after)
			synctest.Wait()
			closed = true
			c.h.Close()
			s.h.Close()
			time.Sleep(HandshakeTime)
			synctest.Wait()
			if late > 0 {
				t.Errorf("%d datagrams after Close", late)
			}
		})
	}
}
