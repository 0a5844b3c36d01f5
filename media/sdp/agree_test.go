package sdp

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// pool are formats a far end may have; their types are drawn.
var pool = []Codec{
	PCMU, PCMA, codec("G722", 8000, 1, 9, ""), codec("G729", 8000, 1, 18, "annexb=no"), codec("GSM", 8000, 1, 3, ""),
	codec("opus", 48000, 2, 96, "useinbandfec=1"), codec("speex", 16000, 1, 97, ""), codec("iLBC", 8000, 1, 98, "mode=20"),
	codec("telephone-event", 8000, 1, 101, "0-15"), codec("telephone-event", 48000, 1, 102, ""), codec("telephone-event", 16000, 1, 103, ""),
	codec("CN", 8000, 1, 13, ""),
}

// formats draws some of the pool in any order, dynamic ones under any number.
func formats(t *rapid.T, name string) []Codec {
	out := rapid.SliceOfDistinct(rapid.SampledFrom(pool), Codec.String).Draw(t, name)
	var used [128]bool
	var list []Codec
	for _, c := range out {
		if c.PayloadType >= firstDynamic {
			c.PayloadType = rapid.Uint8Range(firstDynamic, lastDynamic).Draw(t, "type of "+c.String())
		}
		if !used[c.PayloadType] {
			used[c.PayloadType] = true
			list = append(list, c)
		}
	}
	return list
}

func party(t *rapid.T, name, address string) Policy {
	return Policy{
		Address: netip.MustParseAddr(address), Port: rapid.Uint16Range(1024, 65000).Draw(t, name+" port"),
		Codecs: G711(), PassThrough: rapid.Bool().Draw(t, name+" passes through"),
		Direction: Direction(rapid.IntRange(0, 3).Draw(t, name+" direction")),
	}
}

// Whatever two sides have and want, after the exchange each believes of the
// other what the other does: over two rounds, the second in the other direction.
func TestBothSidesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := party(t, "a", "192.0.2.1"), party(t, "b", "2001:db8::2")
		if i := rapid.IntRange(-1, len(pool)-1).Draw(t, "preferred"); i >= 0 {
			b.Prefer = pool[i]
		}
		_, answer := exchange(t, nil, a, b, formats(t, "like"))
		a.Prefer = Codec{}
		exchange(t, answer, b, a, formats(t, "like again"))
	})
}

// exchange lets from offer and to answer, each reading what the other wrote.
func exchange(t *rapid.T, previous *Description, from, to Policy, like []Codec) (offer, answer *Description) {
	offer, err := Offer(previous, like, from)
	if err != nil {
		t.Fatal(err)
	}
	answer, theirs, err := Answer(reread(t, offer), to)
	if err != nil {
		t.Fatalf("both have G.711: %v", err)
	}
	ours, err := ReadAnswer(offer, reread(t, answer))
	if err != nil {
		t.Fatal(err)
	}
	if !ours.Codec.Is(theirs.Codec) || len(ours.Accepted) != 1 || len(theirs.Accepted) != 1 ||
		ours.Accepted[0].PayloadType != theirs.Codec.PayloadType || theirs.Accepted[0].PayloadType != ours.Codec.PayloadType {
		t.Fatalf("formats: %+v and %+v", ours, theirs)
	}
	if ours.SendEvents != theirs.ReceiveEvents || ours.ReceiveEvents != theirs.SendEvents || ours.EventClock != theirs.EventClock || ours.SendEvents < 0 {
		t.Fatalf("events: %+v and %+v", ours, theirs)
	}
	if ours.Direction != theirs.Direction.Reverse() || ours.Direction != from.Direction.And(to.Direction.Reverse()) {
		t.Fatalf("directions: %v and %v of %v and %v", ours.Direction, theirs.Direction, from.Direction, to.Direction)
	}
	if ours.Remote != netip.AddrPortFrom(to.Address, to.Port) || theirs.RemoteRTCP != netip.AddrPortFrom(from.Address, from.Port+1) {
		t.Fatalf("addresses: %v and %v", ours.Remote, theirs.RemoteRTCP)
	}
	if theirs.Held == from.Direction.Receives() {
		t.Fatalf("held %v by %v", theirs.Held, from.Direction)
	}
	return offer, answer
}

func reread(t *rapid.T, d *Description) *Description {
	body := new(Writer).Write(d)
	again, err := Parse(body)
	if err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
	return again
}
