package event

import (
	"errors"
	"iter"
	"maps"
	"testing"
	"time"
)

// shelf is a PublicationStore in memory.
type shelf map[int64]Published

func (s shelf) Rows() iter.Seq2[Published, error] {
	return func(yield func(Published, error) bool) {
		for row := range maps.Values(s) {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func (s shelf) Commit(p Published, done func(error)) {
	if s[p.Extension] = p; len(p.Publications) == 0 {
		delete(s, p.Extension)
	}
	if done != nil {
		done(nil)
	}
}

// TestPublications walks RFC 3903 section 6 for one extension.
func TestPublications(t *testing.T) {
	now, st := time.Unix(1_000_000, 0), shelf{}
	p, err := OpenPublications(st, now)
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{"": "", "unknown": "unknown"}
	for _, step := range []struct {
		name, match, as string // tags by their names
		body            string
		expires         time.Duration
		err             error
		changed         bool
		left            int
	}{
		{name: "first", as: "a", body: "one", expires: time.Hour, changed: true, left: 1},
		{name: "no body", err: ErrNoBody, expires: time.Hour, left: 1},
		{name: "no match", match: "unknown", expires: time.Hour, err: ErrNoMatch, left: 1},
		{name: "refresh", match: "a", as: "b", expires: time.Hour, left: 1},
		{name: "old tag", match: "a", expires: time.Hour, err: ErrNoMatch, left: 1},
		{name: "change", match: "b", as: "c", body: "two", expires: time.Hour, changed: true, left: 1},
		{name: "a second source", as: "d", body: "three", expires: time.Minute, changed: true, left: 2},
		{name: "remove", match: "c", expires: 0, changed: true, left: 1},
		{name: "over at once", body: "four", expires: 0, changed: true, left: 1},
	} {
		done := 0
		tag, changed, err := p.Update(Publish{
			Extension: 1, Package: "x", IfMatch: tags[step.match], Type: "text/plain", Body: []byte(step.body), Expires: step.expires,
		}, now, func(error) { done++ })
		if !errors.Is(err, step.err) || changed != step.changed || p.Len() != step.left || (err == nil) != (done == 1) {
			t.Errorf("%s: %v, changed %v, %d left, done %d", step.name, err, changed, p.Len(), done)
		}
		if err == nil && (tag == "" || tag == tags[step.match]) {
			t.Errorf("%s: tag %q", step.name, tag)
		}
		if step.as != "" {
			tags[step.as] = tag
		}
	}
	if again, err := OpenPublications(st, now); err != nil || again.Len() != 1 || string(again.Of(1, "x", now)[0].Body) != "three" {
		t.Errorf("after a restart: %v %v", again.Of(1, "x", now), err)
	}
	if list := p.Of(1, "y", now); list != nil {
		t.Errorf("another package: %v", list)
	}
	if gone := p.Expire(now.Add(59 * time.Second)); gone != nil {
		t.Errorf("too early: %v", gone)
	}
	if gone := p.Expire(now.Add(time.Minute)); len(gone[1]) != 1 || p.Len() != 0 || len(st) != 0 {
		t.Errorf("%v, %d left, %d stored", gone, p.Len(), len(st))
	}
}

// TestPublicationLimits (O5), and what is forgotten with its extension.
func TestPublicationLimits(t *testing.T) {
	now, st := time.Unix(1_000_000, 0), shelf{}
	p, _ := OpenPublications(st, now)
	for i := range maxPublications + 1 {
		_, _, err := p.Update(Publish{Extension: 1, Package: "x", Body: []byte("b"), Expires: time.Hour}, now, nil)
		if full := i == maxPublications; errors.Is(err, ErrTooMany) != full {
			t.Fatalf("publication %d: %v", i, err)
		}
	}
	p.Forget(1)
	if p.Len() != 0 || len(st) != 0 {
		t.Errorf("%d left, %d stored", p.Len(), len(st))
	}
}

// TestPublicationsOfOneClient (O5): one client has at most half of the room, before
// and after a restart, and gets it back.
func TestPublicationsOfOneClient(t *testing.T) {
	now, st := time.Unix(1_000_000, 0), shelf{}
	p, _ := OpenPublications(st, now)
	publish := func(client, extension int64) error {
		_, _, err := p.Update(Publish{Client: client, Extension: extension, Package: "x", Body: []byte("b"), Expires: time.Hour}, now, nil)
		return err
	}
	for i := range int64(maxAllPublications / 2) {
		if err := publish(1, i); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := publish(1, maxAllPublications); !errors.Is(err, ErrFull) {
			t.Fatalf("one more: %v", err)
		}
		p, _ = OpenPublications(st, now)
	}
	p.Forget(0)
	if err := errors.Join(publish(1, maxAllPublications), publish(2, maxAllPublications+1)); err != nil {
		t.Error(err)
	}
	if gone := p.Expire(now.Add(time.Hour)); len(gone) != maxAllPublications/2+1 || p.Len() != 0 || len(p.of) != 0 {
		t.Errorf("%d expired, %d and %d left", len(gone), p.Len(), len(p.of))
	}
}

// TestRecordLeft (L6): a clock that was set back does not lengthen a subscription.
func TestRecordLeft(t *testing.T) {
	at := time.Unix(1_000_000, 0)
	r := Record{Expires: at.Add(time.Minute), Granted: 3600}
	for _, tt := range []struct {
		clock, left time.Duration
	}{{0, time.Minute}, {2 * time.Minute, -time.Minute}, {-10 * 365 * 24 * time.Hour, time.Hour}} {
		if got := r.Left(at.Add(tt.clock)); got != tt.left {
			t.Errorf("clock %v: %v", tt.clock, got)
		}
	}
}
