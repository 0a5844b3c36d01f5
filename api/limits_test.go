package api

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/api/auth"
)

// left reads the three headers of the last answer, spelt as documented.
func left(t *testing.T, h http.Header) (limit, remaining, reset int) {
	t.Helper()
	values := [3]int{}
	for i, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
		n, err := strconv.Atoi(strings.Join(h[name], ","))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		values[i] = n
	}
	return values[0], values[1], values[2]
}

func TestHourlyLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.RateLimit = 5 })
		small := principal(auth.LevelClient, 1)
		small.App, small.AppLimit = "small", 2
		w.tokens["small"] = small
		time.Sleep(20 * time.Minute)
		for i := 1; i <= 5; i++ {
			rec := w.do("GET", "/client/1/client/", "client", "")
			limit, remaining, reset := left(t, rec.Header())
			if rec.Code != 200 || limit != 5 || remaining != 5-i || reset != 40*60 {
				t.Errorf("%d: %d, %d of %d, %d s", i, rec.Code, remaining, limit, reset)
			}
			if i == 2 { // the common counter has reached the application's own limit
				p := w.problem(429, "GET", "/client/1/client/", "small", "")
				if p.Status.Code != "rate_limit_exceeded" || p.Message != "Too Many Requests" {
					t.Errorf("%+v", p)
				}
			}
		}
		rec := w.do("GET", "/client/1/client/", "client", "")
		if _, remaining, _ := left(t, rec.Header()); rec.Code != 429 || remaining != 0 || rec.Header().Get("Retry-After") != "2400" {
			t.Errorf("%d, %v", rec.Code, rec.Header())
		}
		if rec := w.do("GET", "/client/2/client/", "other", ""); rec.Code != 200 {
			t.Errorf("another client: %d", rec.Code)
		}
		if rec := w.do("GET", "/nothing-of-ours/", "client", ""); rec.Header()[limitHeaders[0]] != nil {
			t.Error("an unknown path knows its caller")
		}
		time.Sleep(40 * time.Minute)
		rec = w.do("GET", "/client/1/client/", "small", "")
		if limit, remaining, reset := left(t, rec.Header()); rec.Code != 200 || limit != 2 || remaining != 1 || reset != 3600 {
			t.Errorf("the next hour: %d, %d of %d, %d s", rec.Code, remaining, limit, reset)
		}
		if n := len(w.server.limits.counts); n != 1 {
			t.Errorf("%d counters outlived their hour", n)
		}
	})
}
