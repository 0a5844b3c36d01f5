package location

import (
	"testing"
	"time"
)

// TestBehind: which registration came over a flow, and over which flow one came,
// is said of those that live only.
func TestBehind(t *testing.T) {
	b := open(t, Config{Events: func(Event) {}})
	now := time.Now()
	r := register("a", 1, hour, contact("sip:x@h"))
	r.Flow = Flow{Transport: "TCP", Conn: 7}
	if _, err := b.Update(r, now, nil); err != nil {
		t.Fatal(err)
	}
	id := b.Lookup(r.Extension, now, nil)[0].ID
	if got := b.Behind(r.Extension, r.Flow, now); got != id {
		t.Errorf("%q is behind its flow, not %q", got, id)
	}
	if flow, ok := b.FlowOf(r.Extension, id, now); !ok || flow != r.Flow {
		t.Errorf("its flow is %v, %v", flow, ok)
	}
	for name, got := range map[string]string{
		"another flow":      b.Behind(r.Extension, Flow{Transport: "TCP", Conn: 8}, now),
		"another extension": b.Behind(r.Extension+1, r.Flow, now),
		"when it ran out":   b.Behind(r.Extension, r.Flow, now.Add(2*hour)),
	} {
		if got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	b.FlowClosed(7, now)
	if flow, ok := b.FlowOf(r.Extension, id, now); ok {
		t.Errorf("the flow of a suspended one is %v", flow)
	}
}
