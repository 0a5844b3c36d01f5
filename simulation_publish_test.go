package cordpair_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const mwi = "message-summary"

// mostPublished keeps a phone below the cap of ten publications.
const mostPublished = 8

// publications are what a phone has published of its messages (RFC 3903).
type publications struct {
	etag string // of the one it can change; empty without
	now  int    // messages that one tells of
	// lost are the sums that all others may have: those of which no answer came, or of
	// which the answer died with the switch, are there or not.
	lost  map[int]bool
	begun int
}

// perhaps notes that one of some numbers of messages is added for good.
func (p *publications) perhaps(some ...int) {
	sums := map[int]bool{}
	for sum := range p.sums() {
		for _, n := range some {
			sums[sum+n] = true
		}
	}
	p.lost = sums
}

func (p *publications) sums() map[int]bool {
	if p.lost == nil {
		return map[int]bool{0: true}
	}
	return p.lost
}

// publish begins, replaces, refreshes or removes a publication.
func (h *handset) publish() {
	p, life := &h.published, h.s.life()
	fresh := p.etag == ""
	if fresh {
		if p.begun++; p.begun > mostPublished {
			return
		}
	}
	expires, before, after := time.Hour, p.now, 1+h.rand.IntN(9)
	body := fmt.Sprintf("Messages-Waiting: yes\r\nVoice-Message: %d/0\r\n", after)
	switch n := h.rand.IntN(4); {
	case n == 0 && !fresh:
		expires, after, body = 0, 0, ""
	case n == 1 && !fresh:
		after, body = before, "" // as it is
	}
	etag, err := h.phone.Publish(h.s.t.Context(), mwi, p.etag, expires, "application/simple-message-summary", []byte(body))
	if !h.did("publishes", err, life) {
		p.perhaps(before, after) // without its entity-tag it stays
		p.etag, p.now = "", 0
		return
	}
	if fresh && life != h.s.life() {
		p.perhaps(0, after) // challenged by the next switch, the phone began anew
	}
	p.etag, p.now = etag, after
	if expires == 0 {
		p.etag = ""
	}
}

var voiceMessages = regexp.MustCompile(`Voice-Message: (\d+)/`)

// checkPublished: what was answered with 200 is there, whatever died since (D1), and
// nothing twice.
func (s *sim) checkPublished() {
	for _, h := range s.sets {
		if h.gone {
			continue
		}
		sub, err := h.phone.Subscribe(s.t.Context(), mwi, h.number, 0)
		s.must(err)
		err = h.within(time.Minute, func(ctx context.Context) error {
			m, err := sub.Notify(ctx)
			if err != nil {
				return err
			}
			found := voiceMessages.FindSubmatch(m.Body)
			if found == nil {
				return fmt.Errorf("told %q", m.Body)
			}
			n, err := strconv.Atoi(string(found[1]))
			if err == nil && !h.published.sums()[n-h.published.now] {
				err = fmt.Errorf("%d messages, not %d and one of %v", n, h.published.now, slices.Sorted(maps.Keys(h.published.sums())))
			}
			return err
		})
		if err != nil {
			s.problem("what %s published: %v", h.number, err)
		}
	}
}
