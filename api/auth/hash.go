package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
)

const (
	// hashesAtOnce bounds the memory of password checks: 6 x 19 MiB.
	hashesAtOnce = 6
	// hashesWaiting is how many more may wait for their turn: at 30 ms each, the
	// last one waits a second and a half.
	hashesWaiting = 256

	saltLen = 16
	sumLen  = 32
)

// cost is how dear one argon2id computation is.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// dear is what new passwords are hashed with (OWASP's minimum of 2024).
var dear = cost{memory: 19 << 10, passes: 2, threads: 1}

// costliest bounds what a stored hash may ask for: a damaged row must not take
// all the memory.
var costliest = cost{memory: 256 << 10, passes: 16, threads: 4}

var errBadHash = errors.New("stored password hash is malformed")

// hashed is a password as it is stored: with all it takes to compute it again,
// so that the cost may be raised while old ones go on working.
type hashed struct {
	cost cost
	salt []byte
	sum  []byte
}

// String writes the PHC form: $argon2id$v=19$m=19456,t=2,p=1$salt$sum.
func (h hashed) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.cost.memory, h.cost.passes, h.cost.threads, b64.EncodeToString(h.salt), b64.EncodeToString(h.sum))
}

// parseHash reads what String writes, and nothing else.
func parseHash(s string) (hashed, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hashed{}, errBadHash
	}
	c, err := parseCost(parts[3])
	if err != nil {
		return hashed{}, err
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, err1 := b64.DecodeString(parts[4])
	sum, err2 := b64.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) != saltLen || len(sum) != sumLen {
		return hashed{}, errBadHash
	}
	return hashed{c, salt, sum}, nil
}

func parseCost(s string) (cost, error) {
	most := []uint32{costliest.memory, costliest.passes, uint32(costliest.threads)}
	var got [3]uint32
	parts := strings.Split(s, ",")
	if len(parts) != len(got) {
		return cost{}, errBadHash
	}
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(parts[i], name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || n < 1 || n > uint64(most[i]) || strconv.FormatUint(n, 10) != digits {
			return cost{}, errBadHash
		}
		got[i] = uint32(n)
	}
	return cost{got[0], got[1], uint8(got[2])}, nil
}

// hasher computes and compares password hashes, a few at a time.
type hasher struct {
	cost    cost
	turns   chan struct{}
	waiting atomic.Int64
	count   atomic.Uint64
	// nobody is compared with when there is no such user: the work is the same.
	nobody hashed
}

func newHasher(c cost) *hasher {
	h := &hasher{cost: c, turns: make(chan struct{}, hashesAtOnce)}
	h.nobody = hashed{c, random(saltLen), random(sumLen)}
	return h
}

// turn waits until the caller may compute one hash. The caller ends its turn.
func (h *hasher) turn(ctx context.Context) (end func(), err error) {
	if h.waiting.Add(1) > hashesAtOnce+hashesWaiting {
		h.waiting.Add(-1)
		return nil, ErrBusy
	}
	defer h.waiting.Add(-1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// sum computes; the caller has a turn.
func (h *hasher) sum(c cost, salt []byte, password string) []byte {
	h.count.Add(1)
	return argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, sumLen)
}

// make hashes a new password.
func (h *hasher) make(ctx context.Context, password string) (string, error) {
	end, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer end()
	salt := random(saltLen)
	return hashed{h.cost, salt, h.sum(h.cost, salt, password)}.String(), nil
}

// equal compares a password with a stored hash; the caller has a turn. What
// cannot be read is compared with nobody's.
func (h *hasher) equal(stored, password string) (same bool) {
	want, err := parseHash(stored)
	if err != nil {
		want = h.nobody
	}
	same = subtle.ConstantTimeCompare(h.sum(want.cost, want.salt, password), want.sum) == 1
	return same && err == nil
}

// outdated reports whether a stored hash was made at another cost than today's.
func (h *hasher) outdated(stored string) bool {
	got, err := parseHash(stored)
	return err != nil || got.cost != h.cost
}

// random returns n bytes nobody can guess.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	return b
}
