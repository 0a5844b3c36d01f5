package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"github.com/cordpair/cordpair/store"
)

// tokensPerUser is how many live access tokens a user can have; the oldest makes
// room. It bounds the memory of all by the number of users.
const tokensPerUser = 1000

// digestOf is a token as memory knows it.
type digestOf [sha256.Size]byte

// ticket is a live access token.
type ticket struct {
	id     digestOf
	who    Principal
	family string
	ends   time.Time // with a monotonic reading, so that a clock set right ends nothing
	over   bool      // taken out before its time
}

// live is the access tokens that are good now. It follows the commits of the
// tables of users, applications and tokens in their order.
type live struct {
	now func() time.Time

	mu     sync.RWMutex
	byID   map[digestOf]*ticket
	byUser map[int64][]*ticket // oldest first
	order  []*ticket           // in the order of their ends; some over already
}

func newLive(now func() time.Time) *live {
	return &live{now: now, byID: map[digestOf]*ticket{}, byUser: map[int64][]*ticket{}}
}

// find returns the bearer of a live token.
func (l *live) find(id digestOf) (Principal, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	t, ok := l.byID[id]
	if !ok || !l.now().Before(t.ends) {
		return Principal{}, false
	}
	return t.who, true
}

// add makes a token live for the given time. Tokens come with one lifetime, so
// the order of coming is that of ending; after a restart the first ones were
// sorted.
func (l *live) add(id digestOf, row tokenRow, life time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.byID[id]; ok {
		return
	}
	l.sweep()
	t := &ticket{id: id, who: row.Who, family: row.Family, ends: l.now().Add(life)}
	l.byID[id] = t
	l.byUser[t.who.UserID] = append(l.byUser[t.who.UserID], t)
	l.order = append(l.order, t)
}

// sweep takes out what has ended, and closes the gaps once they are the greater
// part.
func (l *live) sweep() {
	now := l.now()
	n := 0
	for ; n < len(l.order) && (l.order[n].over || !now.Before(l.order[n].ends)); n++ {
		l.take(l.order[n])
		l.order[n] = nil
	}
	l.order = l.order[n:]
	if len(l.order) > 2*len(l.byID)+64 {
		l.order = slices.Clone(slices.DeleteFunc(l.order, func(t *ticket) bool { return t.over }))
	}
}

// take makes one token unknown; under the lock.
func (l *live) take(t *ticket) {
	if t.over {
		return
	}
	t.over = true
	delete(l.byID, t.id)
	user := t.who.UserID
	rest := slices.DeleteFunc(l.byUser[user], func(o *ticket) bool { return o == t })
	if l.byUser[user] = rest; len(rest) == 0 {
		delete(l.byUser, user)
	}
}

// end makes one token unknown.
func (l *live) end(id digestOf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t, ok := l.byID[id]; ok {
		l.take(t)
	}
}

// endOf makes those tokens of a user unknown that which chooses.
func (l *live) endOf(user int64, which func(*ticket) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range slices.Clone(l.byUser[user]) {
		if which(t) {
			l.take(t)
		}
	}
}

// excess is the oldest tokens of a user, so many that one more may be made.
func (l *live) excess(user int64) (keys []store.Key) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	list := l.byUser[user]
	for _, t := range list[:max(0, len(list)-tokensPerUser+1)] {
		keys = append(keys, store.Str(hex.EncodeToString(t.id[:])))
	}
	return keys
}

func (l *live) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	return len(l.byID)
}

// userChanged follows a commit to the table of users: whatever ends tokens moves
// the epoch.
func (l *live) userChanged(c store.Change[userRow]) {
	switch {
	case c.Old == nil:
	case c.New == nil || c.New.Epoch != c.Old.Epoch:
		l.endOf(c.Old.ID, func(*ticket) bool { return true })
	default:
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, t := range l.byUser[c.New.ID] {
			t.who.Timezone = c.New.Timezone
		}
	}
}

// appChanged follows a commit to the table of applications. It walks all tokens:
// applications are changed by people.
func (l *live) appChanged(c store.Change[appRow]) {
	if c.Old == nil {
		return
	}
	dead := c.New == nil || c.New.Epoch != c.Old.Epoch
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.order {
		switch {
		case t.over || t.who.App != c.Old.ClientID:
		case dead:
			l.take(t)
		default:
			t.who.AppLimit = c.New.limit()
		}
	}
}

// tokenChanged follows a commit to the table of tokens.
func (l *live) tokenChanged(c store.Change[tokenRow]) {
	key, _, err := c.Key.CutStr()
	if err != nil {
		return
	}
	switch {
	case c.New == nil && c.Old != nil && c.Old.Refresh:
		l.endOf(c.Old.User, func(t *ticket) bool { return t.family == key })
	case c.New == nil:
		l.end(parseDigest(key))
	case !c.New.Refresh:
		l.add(parseDigest(key), *c.New, accessLife)
	}
}

// parseDigest reads the key of a token's row. One that is not hex is nobody's
// token: no text has the zero digest.
func parseDigest(key string) (id digestOf) {
	if b, err := hex.DecodeString(key); err == nil && len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}
