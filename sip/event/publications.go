package event

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/cordpair/cordpair/store"
)

// Errors of Publications.Update. Nothing was changed.
var (
	// ErrNoMatch: SIP-If-Match names no publication (412).
	ErrNoMatch = errors.New("no such publication")
	// ErrNoBody: a first publication without state (400).
	ErrNoBody = errors.New("publication without a body")
	// ErrTooMany: the extension has as many as it may (403).
	ErrTooMany = errors.New("too many publications")
	// ErrFull: its client, or the node, has as many as it may for now (503).
	ErrFull = errors.New("no room for publications")
)

// Limits of what is kept (O5).
const (
	maxPublications     = 10    // of one extension, all packages together
	maxAllPublications  = 20000 // of the node, half of them of one client
	LongestPublication  = 4096  // bytes of one body
	publicationsVersion = 1     // the form of a stored Published
)

// Publication is state that somebody published (RFC 3903).
type Publication struct {
	ETag    string    `json:"etag"`
	Package string    `json:"package"`
	Type    string    `json:"type"`
	Body    []byte    `json:"body"`
	Expires time.Time `json:"expires"`
}

// Published is everything published for one extension, oldest first; a row of
// the store.
type Published struct {
	Extension    int64         `json:"extension"`
	Client       int64         `json:"client,omitempty"`
	Publications []Publication `json:"publications"`
}

// PublicationStore keeps what is published; NewPublicationStore meets it.
type PublicationStore interface {
	// Rows yields every row once, at OpenPublications.
	Rows() iter.Seq2[Published, error]
	// Commit stores one row, or deletes it when it is empty. It never waits,
	// keeps the order of calls and calls done, which may be nil, once when that is
	// durable.
	Commit(p Published, done func(error))
}

type publicationTable struct {
	space *store.Space
	rows  *store.Table[Published]
}

// NewPublicationStore keeps publications in a space, by extension id.
func NewPublicationStore(sp *store.Space) PublicationStore {
	return &publicationTable{space: sp, rows: store.NewTable[Published](sp, store.Publications, publicationsVersion)}
}

// Rows implements PublicationStore.
func (t *publicationTable) Rows() iter.Seq2[Published, error] { return rows(t.rows) }

// Commit implements PublicationStore.
func (t *publicationTable) Commit(p Published, done func(error)) {
	key := store.Int(p.Extension)
	t.space.Submit(func(tx *store.Tx) error {
		if len(p.Publications) == 0 {
			return t.rows.In(tx).Delete(key)
		}
		return t.rows.In(tx).Put(key, p)
	}, done)
}

// Publications are what is published on this node.
type Publications struct {
	store PublicationStore // nil: nothing outlives the process

	mu    sync.Mutex
	rows  map[int64]Published // by extension
	of    map[int64]int       // how many there are of each client
	count int
	next  time.Time // nothing expires before
}

// OpenPublications loads what is stored and has not run out by now.
func OpenPublications(st PublicationStore, now time.Time) (*Publications, error) {
	p := &Publications{store: st, rows: map[int64]Published{}, of: map[int64]int{}}
	if st == nil {
		return p, nil
	}
	for row, err := range st.Rows() {
		if err != nil {
			return nil, fmt.Errorf("publications: %w", err)
		}
		for i := range row.Publications {
			// From here on the clock of this run counts (L6).
			x := &row.Publications[i]
			x.Expires = now.Add(min(x.Expires.Sub(now), MaxExpires))
		}
		p.keep(row)
	}
	return p, nil
}

// Publish is one PUBLISH that was allowed and whose body was checked.
type Publish struct {
	Extension int64
	Client    int64 // whose extension it is
	Package   string
	IfMatch   string // SIP-If-Match, empty for a first publication
	Type      string
	Body      []byte        // nil to refresh or remove
	Expires   time.Duration // 0 removes
}

// Update applies a PUBLISH and returns the entity-tag of what stands now. done is
// called once when that is durable, unless there is an error; from any goroutine
// and possibly before Update returns. changed reports whether the state did.
func (p *Publications) Update(r Publish, now time.Time, done func(error)) (etag string, changed bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(r.Extension, now)
	list := p.rows[r.Extension].Publications
	at := slices.IndexFunc(list, func(x Publication) bool { return x.ETag == r.IfMatch && x.Package == r.Package })
	switch {
	case r.IfMatch != "" && at < 0:
		return "", false, ErrNoMatch
	case r.IfMatch == "" && len(r.Body) == 0:
		return "", false, ErrNoBody
	case r.IfMatch == "" && len(list) >= maxPublications:
		return "", false, ErrTooMany
	case r.IfMatch == "" && (p.count >= maxAllPublications || p.of[r.Client] >= maxAllPublications/2):
		return "", false, ErrFull
	}
	x := Publication{Package: r.Package}
	if at >= 0 {
		x = list[at]
	}
	if changed = len(r.Body) > 0 || r.Expires == 0; len(r.Body) > 0 {
		x.Type, x.Body = r.Type, slices.Clone(r.Body)
	}
	x.ETag, x.Expires = newETag(), now.Add(r.Expires)
	list = slices.Clone(list) // what was handed out stays as it was
	switch {
	case r.Expires == 0 && at >= 0:
		list = slices.Delete(list, at, at+1)
	case at >= 0:
		list[at] = x
	case r.Expires > 0:
		list = append(list, x)
	}
	p.set(Published{Extension: r.Extension, Client: r.Client, Publications: list}, done)
	return x.ETag, changed, nil
}

// set replaces the row of an extension, here and in the store. p.mu is held.
func (p *Publications) set(row Published, done func(error)) {
	p.keep(row)
	switch {
	case p.store != nil:
		p.store.Commit(row, done)
	case done != nil:
		done(nil)
	}
}

// keep replaces the row of an extension here. p.mu is held.
func (p *Publications) keep(row Published) {
	was := p.rows[row.Extension]
	p.count += len(row.Publications) - len(was.Publications)
	p.add(was.Client, -len(was.Publications))
	p.add(row.Client, len(row.Publications))
	p.rows[row.Extension] = row
	for i := range row.Publications {
		if p.next.IsZero() || row.Publications[i].Expires.Before(p.next) {
			p.next = row.Publications[i].Expires
		}
	}
	if len(row.Publications) == 0 {
		delete(p.rows, row.Extension)
	}
}

// add counts n publications more of a client.
func (p *Publications) add(client int64, n int) {
	if p.of[client] += n; p.of[client] == 0 {
		delete(p.of, client)
	}
}

// drop removes what of an extension has run out and reports the packages it was
// for. p.mu is held.
func (p *Publications) drop(extension int64, now time.Time) (packages []string) {
	var left []Publication
	row := p.rows[extension]
	for _, x := range row.Publications {
		if x.Expires.After(now) {
			left = append(left, x)
		} else if !slices.Contains(packages, x.Package) {
			packages = append(packages, x.Package)
		}
	}
	if packages != nil {
		row.Publications = left
		p.set(row, nil)
	}
	return packages
}

// Of returns what is published for an extension in one package, oldest first.
// The bodies must not be changed.
func (p *Publications) Of(extension int64, pack string, now time.Time) (list []Publication) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.rows[extension].Publications {
		if x.Package == pack && x.Expires.After(now) {
			list = append(list, x)
		}
	}
	return list
}

// Expire drops what has run out and reports extensions and packages whose state
// changed by that.
func (p *Publications) Expire(now time.Time) map[int64][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 || p.next.After(now) {
		return nil
	}
	p.next = time.Time{}
	var changed map[int64][]string
	for extension, row := range p.rows {
		if packages := p.drop(extension, now); packages != nil {
			if changed == nil {
				changed = map[int64][]string{}
			}
			changed[extension] = packages
			continue
		}
		for i := range row.Publications {
			if p.next.IsZero() || row.Publications[i].Expires.Before(p.next) {
				p.next = row.Publications[i].Expires
			}
		}
	}
	return changed
}

// Forget removes everything published for an extension that no longer exists.
func (p *Publications) Forget(extension int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if row, there := p.rows[extension]; there {
		row.Publications = nil
		p.set(row, nil)
	}
}

// Len is how many publications there are.
func (p *Publications) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

func newETag() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return hex.EncodeToString(b[:])
}
