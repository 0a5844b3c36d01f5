package media

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"pgregory.net/rapid"
)

// talker is a phone with an RTCP port beside that of RTP.
type talker struct {
	*phone
	control *phone
	s       *Session
}

// talkers are two parties that are joined and hear each other.
func (r *rig) talkers() (a, b *talker) {
	r.t.Helper()
	a = &talker{phone: r.phone("1:26000"), control: r.phone("1:26001")}
	b = &talker{phone: r.phone("2:26000"), control: r.phone("2:26001")}
	for _, x := range []*talker{a, b} {
		x.s = r.session(x.phone, "0", Events{})
	}
	if err := Join(a.s, b.s); err != nil {
		r.t.Fatal(err)
	}
	r.settle()
	return a, b
}

// say sends frames of both, 20 ms each.
func say(r *rig, frames int, talkers ...*talker) {
	for range frames {
		for _, x := range talkers {
			x.speak(x.s, 0)
		}
		r.advance(20 * time.Millisecond)
		for _, x := range talkers {
			x.heard()
		}
	}
}

// reports gives what came to the RTCP port since the last look.
func (x *talker) reports() (all [][]rtcp.Packet) {
	x.r.t.Helper()
	for _, b := range x.control.datagrams() {
		parts, err := rtcp.Unmarshal(b)
		if err != nil || !validRTCP(b) {
			x.r.t.Fatalf("a report %x: %v", b, err)
		}
		all = append(all, parts)
	}
	return all
}

// await lets both talk until a report comes to x.
func (x *talker) await(all ...*talker) []rtcp.Packet {
	x.r.t.Helper()
	for range 400 {
		if got := x.reports(); len(got) > 0 {
			return got[len(got)-1]
		}
		say(x.r, 1, all...)
	}
	x.r.t.Fatal("no report in 8 s")
	return nil
}

// tell sends parts to the RTCP port of the session.
func (x *talker) tell(parts ...rtcp.Packet) {
	x.r.t.Helper()
	b, err := rtcp.Marshal(parts)
	if err != nil {
		x.r.t.Fatal(err)
	}
	x.control.raw(rtcpPort(x.s), b)
	x.r.settle()
}

// TestReportsOfOurOwn: a party gets a report about what it sends and one of what it
// hears, again and again at the intervals of RFC 3550, and nothing of the reports
// that the other party sends.
func TestReportsOfOurOwn(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.talkers()
		say(r, 2, a, b)
		a.speak(a.s, 0) // and two that are lost
		a.seq, a.ts = a.seq+2, a.ts+2*frameSamples
		b.speak(b.s, 0)
		parts := a.await(a, b)
		sr, ok := parts[0].(*rtcp.SenderReport)
		if !ok || len(parts) != 2 || len(sr.Reports) != 1 {
			t.Fatalf("a was told %v", parts)
		}
		st := a.s.Stats()
		if uint64(sr.PacketCount) != st.PacketsSent || uint64(sr.OctetCount) != st.OctetsSent {
			t.Errorf("%d packets of %d octets are reported, %+v", sr.PacketCount, sr.OctetCount, st)
		}
		at := time.Unix(int64(sr.NTPTime>>32)-2208988800, int64(sr.NTPTime&math.MaxUint32*1e9>>32))
		if now := r.engine.wall.Add(time.Duration(r.clock())); at.Sub(now).Abs() > 40*time.Millisecond {
			t.Errorf("reported at %v, it is %v", at, now)
		}
		block := sr.Reports[0]
		if block.SSRC != a.ssrc || block.TotalLost != 2 || block.FractionLost == 0 || uint16(block.LastSequenceNumber) != a.seq ||
			block.LastSequenceNumber>>16 != 1 || block.LastSenderReport != 0 {
			t.Errorf("a was told %+v, it is at %d", block, a.seq)
		}
		if sdes, ok := parts[1].(*rtcp.SourceDescription); !ok || sdes.Chunks[0].Source != sr.SSRC || len(sdes.Chunks[0].Items) != 1 {
			t.Errorf("and %v", parts[1])
		}
		b.tell(&rtcp.ReceiverReport{SSRC: b.ssrc}, &rtcp.Goodbye{Sources: []uint32{b.ssrc}})
		n := 0
		for range 60 {
			say(r, 1, a, b)
			r.advance(980 * time.Millisecond)
			got := a.reports()
			n += len(got)
			for _, x := range got {
				sr := x[0].(*rtcp.SenderReport)
				if sr.Reports[0].SSRC != a.ssrc || sr.Reports[0].FractionLost != 0 || sr.Reports[0].TotalLost != 2 {
					t.Errorf("later a was told %+v", sr.Reports)
				}
			}
		}
		if n < 9 || n > 30 {
			t.Errorf("%d reports in a minute", n)
		}
	})
}

// TestFarEnd: what a party reports about our stream, and the time to it and back.
func TestFarEnd(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.talkers()
		ours := a.await(a, b)[0].(*rtcp.SenderReport)
		about := func(lost uint32, last, since uint32) {
			a.tell(&rtcp.ReceiverReport{SSRC: a.ssrc, Reports: []rtcp.ReceptionReport{
				{SSRC: 12345, TotalLost: 999, Jitter: 9999},
				{SSRC: ours.SSRC, TotalLost: lost, Jitter: 160, LastSenderReport: last, Delay: since},
			}})
		}
		mid := uint32(ours.NTPTime >> 16)
		asked := r.engine.wall.Add(time.Duration(r.clock()))
		sent := time.Unix(int64(ours.NTPTime>>32)-2208988800, int64(ours.NTPTime&math.MaxUint32*1e9>>32))
		r.advance(100 * time.Millisecond)
		about(7, mid, uint32(asked.Sub(sent)*65536/time.Second)+65536/25) // it kept it for 40 ms
		st := a.s.Stats()
		if trip := st.RoundTrip; st.FarLost != 7 || st.FarJitterMS != 20 || trip < 59*time.Millisecond || trip > 61*time.Millisecond {
			t.Errorf("%+v", st)
		}
		about(2, mid+1, 0) // one that we never sent tells no time; late ones were no loss
		if next := a.s.Stats(); next.FarLost != 2 || next.RoundTrip != st.RoundTrip {
			t.Errorf("%+v", next)
		}
		about(1000, 0, 0)
		about(3, 0, 0) // it counts anew
		about(1<<24-5, 0, 0)
		if st := a.s.Stats(); st.FarLost != 1000 {
			t.Errorf("%+v", st)
		}
		if other := b.s.Stats(); other.FarLost != 0 || other.RoundTrip != 0 {
			t.Errorf("the other party's: %+v", other)
		}
	})
}

// TestReportsAcrossSSRC: a party that begins anew is reported on anew, and its old
// sender report says nothing about the new stream.
func TestReportsAcrossSSRC(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.talkers()
		say(r, 10, a, b)
		a.seq += 5
		say(r, 1, a, b)
		a.tell(&rtcp.SenderReport{SSRC: a.ssrc, NTPTime: 0x1122334455667788})
		block := a.await(a, b)[0].(*rtcp.SenderReport).Reports[0]
		if block.TotalLost != 5 || block.LastSenderReport != 0x33445566 || block.Delay == 0 {
			t.Errorf("before: %+v", block)
		}
		r.advance(250 * time.Millisecond)
		old := a.ssrc
		a.ssrc, a.seq, a.ts = 0xabcdef, 100, 1
		say(r, 1, a, b)
		a.reports()
		a.tell(&rtcp.SenderReport{SSRC: old, NTPTime: 1 << 40})
		block = a.await(a, b)[0].(*rtcp.SenderReport).Reports[0]
		if block.SSRC != a.ssrc || block.TotalLost != 0 || block.FractionLost != 0 || block.LastSequenceNumber != uint32(a.seq) || block.LastSenderReport != 0 {
			t.Errorf("after: %+v, it is at %d", block, a.seq)
		}
		if st := a.s.Stats(); st.Lost != 5 {
			t.Errorf("%+v", st)
		}
	})
}

// TestGoodbye: who was sent anything hears that it is over, and nobody else does.
func TestGoodbye(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.talkers()
		say(r, 3, a) // b hears a, and says nothing
		a.s.Close()
		b.s.Close()
		r.advance(lazyTime)
		if got := a.reports(); len(got) != 0 {
			t.Errorf("a was sent nothing, and then %v", got)
		}
		got := b.reports()
		if len(got) != 1 || len(got[0]) != 3 {
			t.Fatalf("b was told %v", got)
		}
		sr, isReport := got[0][0].(*rtcp.SenderReport)
		bye, isBye := got[0][2].(*rtcp.Goodbye)
		if !isReport || !isBye || len(sr.Reports) != 0 || sr.PacketCount != 3 || !slices.Equal(bye.Sources, []uint32{sr.SSRC}) {
			t.Errorf("b was told %v", got[0])
		}
	})
}

// TestLonelyFeedback: reduced-size RTCP (RFC 5506) is a sign of life and no fault.
func TestLonelyFeedback(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.talkers()
		a.tell(&rtcp.PictureLossIndication{SenderSSRC: a.ssrc, MediaSSRC: 1})
		a.tell(&rtcp.Goodbye{Sources: []uint32{a.ssrc}})
		say(r, 1, a, b)
		if st := a.s.Stats(); st.Dropped != 0 || st.PacketsReceived != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestSharedPort: RTP and RTCP on one port (RFC 5761), in and out; who sends RTCP from
// elsewhere does not become the party.
func TestSharedPort(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, r *rig) {
		a, b := r.talkers()
		if _, err := a.s.SetOffer(a.sdp("0", "a=rtcp-mux")); err != nil {
			t.Fatal(err)
		}
		if answer, err := a.s.Answer(); err != nil || !bytes.Contains(answer, []byte("a=rtcp-mux\r\n")) {
			t.Fatalf("answered %s, %v", answer, err)
		}
		r.settle()
		say(r, 1, a, b)
		elsewhere := r.phone("1:0")
		elsewhere.raw(a.s.LocalAddr(), receiverReport(a.ssrc))
		r.settle()
		if st := a.s.Stats(); st.Dropped != 1 || st.Source != a.addr {
			t.Errorf("%+v", st)
		}
		a.raw(a.s.LocalAddr(), receiverReport(a.ssrc))
		r.settle()
		var told *rtcp.SenderReport
		for range 200 {
			a.speak(a.s, 0)
			b.speak(b.s, 0)
			r.advance(20 * time.Millisecond)
			b.heard()
			for _, raw := range a.datagrams() {
				if parts, err := rtcp.Unmarshal(raw); isRTCP(raw) && err == nil {
					told = parts[0].(*rtcp.SenderReport)
				}
			}
		}
		if told == nil || told.Reports[0].SSRC != a.ssrc {
			t.Errorf("a was told %v", told)
		}
		if n := len(a.reports()); n != 0 || len(elsewhere.datagrams()) != 0 {
			t.Errorf("%d reports went to another port", n)
		}
		if st := a.s.Stats(); st.Dropped != 1 || st.PacketsReceived != 201 {
			t.Errorf("%+v", st)
		}
	})
}

// RTP is told from RTCP by its second octet.
func TestIsRTCP(t *testing.T) {
	for _, c := range []struct {
		b    []byte
		want bool
	}{
		{nil, false}, {[]byte{0x80}, false}, {[]byte{0x80, 200}, true}, {[]byte{0x80, 0x80 | 63}, false}, {[]byte{0x80, 0x80 | 96}, false},
		{[]byte{0x80, 191}, false}, {[]byte{0x80, 192}, true}, {[]byte{0x80, 223}, true}, {[]byte{0x80, 224}, false}, {[]byte{0, 200}, false},
	} {
		if isRTCP(c.b) != c.want {
			t.Errorf("%x: %t", c.b, !c.want)
		}
	}
}

// TestAgenda: whoever is entered reports once, not before its time and at most two
// slots after it, whatever else comes and goes.
func TestAgenda(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := int64(1e9)
		e := &Engine{}
		l := &loop{}
		l.agenda = agenda{}
		all := make([]*stream, 20)
		dues := map[*stream]int64{}
		for i := range all {
			all[i] = &stream{engine: e, loop: l, terms: &terms{}, pair: &pair{rtp: &wire{}, rtcp: &wire{}}}
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			s := all[rapid.IntRange(0, len(all)-1).Draw(t, "stream")]
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				if !s.reports.listed {
					s.reports.due = now + rapid.Int64Range(0, 6e9).Draw(t, "in")
					l.agenda.add(s, now)
					dues[s] = s.reports.due
				}
			case 1:
				l.agenda.drop(s)
				delete(dues, s)
			case 2:
				next := now + rapid.Int64Range(0, 1e9).Draw(t, "pass")
				for l.agenda.at != 0 && l.agenda.at <= next {
					now = max(now, l.agenda.at)
					l.now = now
					l.agenda.run(now)
					for s, due := range dues {
						if s.reports.due != due { // it reported and is entered again
							if now < due || now > due+2*slotTime {
								t.Fatalf("due at %d, reported at %d", due, now)
							}
							dues[s] = s.reports.due
						}
					}
				}
				now = next
			}
			for s, due := range dues {
				if !s.reports.listed || now > due+2*slotTime {
					t.Fatalf("at %d one that was due at %d has not reported", now, due)
				}
			}
		}
	})
}

// Neither a report of ours nor one of the party costs an allocation.
func TestReportsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l, a, _, from, out := benchPair(t, "0", "0")
	b, err := (&rtcp.SenderReport{SSRC: a.in.ssrc, Reports: []rtcp.ReceptionReport{{SSRC: a.out.ssrc}}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	a.counters.sent.add(1)
	if n := testing.AllocsPerRun(200, func() {
		l.arrived(a, true, b, from)
		l.now += 6e9
		l.agenda.run(l.now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if out.sent < 200 || a.reports.senderAt == 0 {
		t.Errorf("%d packets were sent", out.sent)
	}
}

// interval: what is lost in one, with duplicates and late packets, and over a wrap.
func TestLossIntervals(t *testing.T) {
	var r reports
	in := receiver{epoch: 1, seq: 10, base: 1, received: 10}
	for _, step := range []struct {
		to       uint16
		arrived  uint32
		fraction uint8
		lost     int32
		said     bool
	}{
		{10, 0, 0, 0, true}, {10, 0, 0, 0, false}, {20, 5, 128, 5, true}, {30, 12, 0, 3, true}, {31, 9, 0, -5, true},
		{65535, 1, 255, 65498, true}, {9, 10, 0, 65498, true},
	} {
		if step.to < in.seq {
			in.cycles += 1 << 16
		}
		in.seq, in.received = step.to, in.received+step.arrived
		b, said := r.interval(&in)
		if said != step.said || said && (b.fraction != step.fraction || b.lost != step.lost) {
			t.Errorf("to %d: %+v %t, want %+v", step.to, b, said, step)
		}
	}
}
