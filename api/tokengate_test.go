package api

import (
	"fmt"
	"testing"
	"time"
)

// Whoever fills his own gate keeps nobody else from their tokens (H8).
func TestTheGateOfTokensIsOfOneSource(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	g := newTokenGate(func() time.Time { return now })
	in := func(from string) bool {
		leave, refused := g.enter(from)
		if refused == nil {
			leave()
		}
		return refused == nil
	}
	for i := range tokensPerSecond {
		if !in("192.0.2.1") {
			t.Fatalf("request %d is refused", i+1)
		}
	}
	for _, from := range []string{"192.0.2.1", "::ffff:192.0.2.1"} {
		if in(from) {
			t.Errorf("%s is let in beyond the limit", from)
		}
	}
	if !in("192.0.2.2") || !in("2001:db8::1") {
		t.Error("others are refused as well")
	}
	if now = now.Add(time.Second); !in("192.0.2.1") {
		t.Error("it is refused for more than its second")
	}
	for range tokensAtOnce {
		if _, refused := g.enter("192.0.2.3"); refused != nil {
			t.Fatal(refused)
		}
	}
	if in("192.0.2.3") || !in("192.0.2.4") {
		t.Error("six at a time of one source")
	}
}

// The memory of the gate is bounded, and what is in use is not forgotten.
func TestTheGateOfTokensForgets(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	g := newTokenGate(func() time.Time { return now })
	stay, _ := g.enter("192.0.2.1")
	for i := range 3 * maxTokenSources {
		if leave, refused := g.enter(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)); refused == nil {
			leave()
		}
	}
	if len(g.sources) > maxTokenSources+1 {
		t.Errorf("%d sources are remembered", len(g.sources))
	}
	now = now.Add(2 * time.Second)
	if _, refused := g.enter("10.255.0.1"); refused != nil || len(g.sources) > 3 {
		t.Errorf("%v, %d sources", refused, len(g.sources))
	}
	if g.sources["192.0.2.1"] == nil {
		t.Error("a source inside was forgotten")
	}
	stay()
}
