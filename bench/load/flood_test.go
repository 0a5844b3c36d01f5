//go:build linux

package load

import (
	"net"
	"testing"
	"time"
)

// TestFloodParts: the flood comes in every second part, at its rate, and what the
// calls need is counted for the part that is on.
func TestFloodParts(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0") // nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	e := &engine{run: "x", byUser: map[string]*phone{}, res: &Result{}, spec: Spec{
		Target: conn.LocalAddr().String(), Domain: "example.net", Phones: []Phone{{User: "1"}, {User: "2"}},
	}}
	if err := e.open(); err != nil {
		t.Fatal(err)
	}
	defer e.close()
	work, err := e.task(Phase{Kind: Call, Rate: 1, Flood: 100, Time: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	flood := work.(*floodTask)
	start := time.Now()
	if err := flood.begin(start); err != nil {
		t.Fatal(err)
	}
	at := flood.callTask.pace.start
	for _, c := range []struct {
		after time.Duration
		sent  int
		part  int // whose delays are measured; -1: none
	}{
		{0, 0, -1},
		{500 * time.Millisecond, 0, 0},
		{time.Second, 1, -1},
		{1500 * time.Millisecond, 51, 1},
		{1990 * time.Millisecond, 100, 1},
		{2500 * time.Millisecond, 100, 2},
		{3 * time.Second, 101, -1},
		{11 * time.Second, 101, -1},
	} {
		flood.tick(at.Add(c.after))
		part := -1
		for i := range flood.parts {
			if e.hist == &flood.parts[i] {
				part = i
			}
		}
		if flood.sent != c.sent || part != c.part {
			t.Errorf("after %v: %d sent, part %d; want %d, %d", c.after, flood.sent, part, c.sent, c.part)
		}
	}
	flood.end()
	if f := e.res.Flooding; f == nil || f.Sent != 101 {
		t.Errorf("result %+v", f)
	}
}
