package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/cordpair/cordpair/api/auth"
)

// limitHeaders stand on every answer to somebody known (spec/http-api-more-b.md 1),
// spelt as documented: some clients compare header names letter by letter. Go writes
// what is in the map, and Get, Set and Del do not find it.
var limitHeaders = []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}

// hourly counts requests per client in the running hour. All applications of a
// client share one counter; one with a limit of its own is refused when the
// common counter has reached it. Counters end with the hour, so there are never
// more than clients and users that asked within it.
type hourly struct {
	now func() time.Time

	mu     sync.Mutex
	hour   time.Time     // beginning of the running hour
	counts map[quota]int // admitted requests
}

// quota is what shares a counter: a client, or a user above the clients.
type quota struct{ client, user int64 }

func newHourly(now func() time.Time) *hourly {
	return &hourly{now: now, counts: map[quota]int{}}
}

// take counts a request and writes the three headers, or refuses it.
func (h *hourly) take(header http.Header, p auth.Principal, limit int) *Problem {
	if p.AppLimit > 0 && p.AppLimit < limit {
		limit = p.AppLimit
	}
	key := quota{client: p.ClientID}
	if p.ClientID == 0 {
		key.user = p.UserID
	}
	used, reset := h.count(key, limit)
	left := strconv.Itoa(int(reset.Seconds() + 0.999))
	header[limitHeaders[0]] = []string{strconv.Itoa(limit)}
	header[limitHeaders[1]] = []string{strconv.Itoa(max(0, limit-used))}
	header[limitHeaders[2]] = []string{left}
	if used <= limit {
		return nil
	}
	p429 := newProblem(http.StatusTooManyRequests, "rate_limit_exceeded", "Too Many Requests", true)
	return p429.with("Retry-After", left)
}

// count adds one to the counter unless the limit is reached, and tells what it
// would be and how long the hour lasts.
func (h *hourly) count(key quota, limit int) (used int, reset time.Duration) {
	now := h.now()
	hour := now.Truncate(time.Hour)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !hour.Equal(h.hour) {
		h.hour = hour
		clear(h.counts)
	}
	used = h.counts[key] + 1
	if used <= limit {
		h.counts[key] = used
	}
	return used, hour.Add(time.Hour).Sub(now)
}
