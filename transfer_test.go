package cordpair_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/siptest"
)

// transfer is one cell of the matrix: a, the transferor, talks to b, and c is the
// target. Of the first call one of the two is the caller.
type transfer struct {
	*world
	phoneA, phoneB, phoneC *siptest.Phone
	a, b                   *siptest.Call
	c                      *siptest.Call // its first call; nil before
	second                 *siptest.Call // of a, for a shape with a consultation
	shape                  string
	response               int // to the REFER
}

// shapes begin a transfer of b to c by a, up to the moment where c rings or talks to
// a. The number is whom a wants; "" for c.
var shapes = map[string]func(x *transfer, number string){
	"blind": func(x *transfer, number string) { x.refer(number) },
	"#1":    func(x *transfer, number string) { x.keys(x.a.Press, "#1", number) },
	"#1 by INFO": func(x *transfer, number string) {
		x.keys(x.a.PressInfo, "#1", number)
	},
	"*2": func(x *transfer, number string) { x.keys(x.a.Press, "*2", number) },
	"attended": func(x *transfer, number string) {
		x.must(x.a.Hold(x.ctx))
		x.second, x.c = x.talk(x.phoneA, x.phoneC)
		x.refer(x.second.ReferTo())
	},
	"semi-attended": func(x *transfer, number string) {
		x.must(x.a.Hold(x.ctx))
		x.second = x.call(x.phoneA, "103")
		x.rings()
		x.must(x.second.WaitRinging(x.ctx))
		x.refer(x.second.ReferTo())
	},
}

func (x *transfer) refer(to string) {
	res, err := x.a.Refer(x.ctx, to)
	x.must(err)
	x.response = res.Code
}

// keys presses a code and a number.
func (x *transfer) keys(press func(context.Context, string) error, code, number string) {
	x.must(press(x.ctx, code))
	time.Sleep(2 * time.Second) // virtual: the prompt
	x.must(press(x.ctx, number+"#"))
}

// rings has the target ring.
func (x *transfer) rings() {
	x.t.Helper()
	x.c = x.incoming(x.phoneC)
	x.must(x.c.Ring())
}

// outcomes say how a transfer goes on and what must come of it. Their shapes are
// those of which it makes sense.
var outcomes = []struct {
	name   string
	shapes string
	number string // dialled, 103 unless given
	run    func(x *transfer)
}{
	{"success", "blind #1 #1-by-INFO", "", func(x *transfer) {
		x.rings()
		x.hearsRingback(x.b)
		x.must(x.c.Answer())
		x.talkers(x.b, x.c)
		x.told(100, 180, 200)
		x.letGo(x.a)
		x.hangup(x.c, x.b)
		x.records(2, "102 to 103: bridged")
	}},
	{"success", "attended", "", func(x *transfer) {
		x.talkers(x.b, x.c)
		x.told(100, 200)
		x.letGo(x.a, x.second)
		x.hangup(x.b, x.c)
		x.records(2, "101 to 103: bridged")
	}},
	{"success", "semi-attended", "", func(x *transfer) {
		x.hearsRingback(x.b)
		x.letGo(x.second)
		x.must(x.c.Answer())
		x.talkers(x.b, x.c)
		x.told(100, 180, 200)
		x.letGo(x.a)
		x.hangup(x.c, x.b)
		x.records(2, "101 to 103: bridged")
	}},
	{"success", "*2", "", func(x *transfer) {
		x.rings()
		x.hearsRingback(x.a)
		x.must(x.c.Answer())
		x.talkers(x.a, x.c)
		x.must(x.a.Hangup(x.ctx))
		x.talkers(x.b, x.c)
		x.hangup(x.c, x.b)
		x.records(2, "101 to 103: bridged")
	}},
	{"success while it rings", "*2", "", func(x *transfer) {
		x.rings()
		x.must(x.a.Hangup(x.ctx))
		x.hearsRingback(x.b)
		x.must(x.c.Answer())
		x.talkers(x.b, x.c)
		x.hangup(x.b, x.c)
		x.records(2, "101 to 103: bridged")
	}},
	{"busy", "blind #1 *2", "", func(x *transfer) {
		x.must(x.incoming(x.phoneC).Reject(486))
		x.back(100, 486)
		x.records(2, "to 103: busy")
	}},
	{"busy", "semi-attended", "", func(x *transfer) {
		x.hearsRingback(x.b)
		x.must(x.c.Reject(486))
		x.back(100, 180, 486)
	}},
	{"no answer", "blind *2", "", func(x *transfer) {
		x.rings()
		x.hearsRingback([]*siptest.Call{x.b, x.a}[strings.Count(x.shape, "*")])
		time.Sleep(time.Minute)
		x.back(100, 180, 480)
		x.records(2, "to 103: not answered")
	}},
	{"unreachable", "blind #1 *2", "104", func(x *transfer) { x.back(100, 480) }},
	{"not found", "blind #1 *2", "199", func(x *transfer) {
		x.back(100, 404)
		x.records(2, "to 199: failed")
	}},
	{"itself", "blind", "102", func(x *transfer) { x.back(100, 486) }},
	{"service", "blind #1", "*44", func(x *transfer) {
		x.told(100, 200)
		x.letGo(x.a)
		x.must(x.b.Hangup(x.ctx))
		x.records(2, "102 to *44: answered")
	}},
	{"transferor hangs up early", "blind #1", "", func(x *transfer) {
		x.must(x.a.Hangup(x.ctx))
		x.rings()
		x.must(x.c.Answer())
		x.talkers(x.b, x.c)
		x.hangup(x.b, x.c)
	}},
	{"transferor hangs up early", "attended semi-attended", "", func(x *transfer) {
		x.must(x.second.Hangup(x.ctx))
		x.must(x.a.Hangup(x.ctx))
		if x.shape == "semi-attended" {
			x.must(x.c.Answer())
		}
		x.talkers(x.b, x.c)
		x.hangup(x.b, x.c)
	}},
	{"transferor is called back", "blind #1", "", func(x *transfer) {
		x.must(x.a.Hangup(x.ctx))
		x.must(x.incoming(x.phoneC).Reject(486))
		again := x.incoming(x.phoneA)
		if from := again.Invite().Header("From"); !strings.Contains(from, "sip:102@") {
			x.t.Errorf("called back by %s", from)
		}
		x.must(again.Ring())
		x.hearsRingback(x.b)
		x.must(again.Answer())
		x.talkers(x.b, again)
		x.hangup(x.b, again)
	}},
	{"transferor does not take it back", "blind", "", func(x *transfer) {
		x.must(x.a.Hangup(x.ctx))
		x.must(x.incoming(x.phoneC).Reject(486))
		x.must(x.incoming(x.phoneA).Reject(603))
		x.letGo(x.b)
		x.records(2, "102 to 103: busy")
	}},
	{"transferee hangs up", "blind #1 semi-attended", "", func(x *transfer) {
		if x.c == nil {
			x.rings()
		}
		x.hearsRingback(x.b)
		x.must(x.b.Hangup(x.ctx))
		x.letGo(x.c)
		x.told(100, 180, 487)
		x.letGo(x.a)
	}},
	{"transferee hangs up", "*2", "", func(x *transfer) {
		x.rings()
		x.must(x.b.Hangup(x.ctx))
		x.must(x.c.Answer())
		x.talkers(x.a, x.c)
		x.hangup(x.a, x.c)
	}},
	{"target hangs up", "*2", "", func(x *transfer) {
		x.rings()
		x.must(x.c.Answer())
		x.talkers(x.a, x.c)
		x.must(x.c.Hangup(x.ctx))
		x.back()
	}},
	{"cancelled", "*2", "", func(x *transfer) {
		x.rings()
		x.must(x.a.Press(x.ctx, "*"))
		x.letGo(x.c)
		x.back()
	}},
	{"cancelled while they talk", "*2", "", func(x *transfer) {
		x.rings()
		x.must(x.c.Answer())
		x.talkers(x.a, x.c)
		x.must(x.a.Press(x.ctx, "##"))
		x.letGo(x.c)
		x.back()
	}},
}

// TestTransferMatrix plays every outcome of every shape of transfer, by the caller
// and by the called party, over UDP and TCP: who talks to whom, what the transferor
// is told, what the records say, and that nothing is left.
func TestTransferMatrix(t *testing.T) {
	for _, o := range outcomes {
		for _, shape := range strings.Fields(o.shapes) {
			shape = strings.ReplaceAll(shape, "-by-", " by ")
			for _, initiator := range []string{"caller", "called"} {
				for _, over := range []string{"udp", "tcp"} {
					t.Run(fmt.Sprintf("%s/%s/%s/%s", shape, o.name, initiator, over), func(t *testing.T) {
						inWorld(t, func(w *world) {
							x := newTransfer(w, shape, initiator, over)
							number := o.number
							if number == "" {
								number = "103"
							}
							shapes[shape](x, number)
							if x.response != 0 && x.response != 202 {
								t.Fatalf("REFER answered %d", x.response)
							}
							o.run(x)
							w.free()
						})
					})
				}
			}
		}
	}
}

func newTransfer(w *world, shape, initiator, over string) *transfer {
	var options []siptest.Option
	if over == "tcp" {
		options = append(options, siptest.TCP)
	}
	x := &transfer{world: w, shape: shape}
	x.phoneA, x.phoneB, x.phoneC = w.phone("101", options...), w.phone("102", options...), w.phone("103", options...)
	if initiator == "caller" {
		x.a, x.b = w.talk(x.phoneA, x.phoneB)
	} else {
		x.b, x.a = w.talk(x.phoneB, x.phoneA)
	}
	return x
}

// talkers hear each other and nobody else.
func (x *transfer) talkers(a, b *siptest.Call) {
	x.t.Helper()
	x.must(a.WaitAnswered(x.ctx))
	x.must(b.WaitAnswered(x.ctx))
	time.Sleep(time.Second) // the far ends are told of each other
	x.hearEachOther(a, b)
}

func (x *transfer) hearsRingback(c *siptest.Call) {
	x.t.Helper()
	x.must(c.HearsTone(x.ctx, 425))
}

// letGo waits for calls to be hung up by the switch, which takes 2 s at most.
func (x *transfer) letGo(calls ...*siptest.Call) {
	x.t.Helper()
	begin := time.Now()
	for _, c := range calls {
		end, err := c.WaitEnded(x.ctx)
		x.must(err)
		if !end.Remote || time.Since(begin) > 3*time.Second {
			x.t.Errorf("%v after %v", end, time.Since(begin))
		}
	}
}

// hangup ends a talk by one of the two.
func (x *transfer) hangup(by, other *siptest.Call) {
	x.t.Helper()
	x.must(by.Hangup(x.ctx))
	x.letGo(other)
}

// told checks the NOTIFYs of a transfer by REFER.
func (x *transfer) told(codes ...int) {
	x.t.Helper()
	if x.response == 0 {
		return
	}
	last, err := x.a.WaitNotified(x.ctx)
	x.must(err)
	var got []int
	for _, n := range x.a.Notes() {
		got = append(got, n.Code)
		if e := n.Message.Header("Event"); !strings.HasPrefix(e, "refer;id=") || n.Message.Header("Content-Type") != "message/sipfrag;version=2.0" {
			x.t.Errorf("NOTIFY with event %q:\n%s", e, n.Message)
		}
		if n.State == "terminated" && n.Code != last.Code {
			x.t.Error("more than one NOTIFY ends it")
		}
	}
	if !slices.Equal(got, codes) || last.Message.Header("Subscription-State") != "terminated;reason=noresource" {
		x.t.Errorf("told %v and %q, want %v", got, last.Message.Header("Subscription-State"), codes)
	}
}

// back checks that the first talk goes on, and ends it.
func (x *transfer) back(codes ...int) {
	x.t.Helper()
	x.told(codes...)
	if x.a.Held() {
		x.t.Error("the switch holds the transferor")
	}
	if x.second != nil {
		x.letGo(x.second)
		x.must(x.a.Resume(x.ctx))
	}
	x.talkers(x.a, x.b)
	x.hangup(x.a, x.b)
}

// records checks how many calls there were, that one of them was as said, and that
// each can be replayed.
func (x *transfer) records(n int, want string) {
	x.t.Helper()
	time.Sleep(3 * time.Second)
	list, _, err := x.sw.CallRecords(cordpair.CallQuery{Client: 1, Limit: 10})
	x.must(err)
	var got []string
	for i := range list {
		r, err := x.sw.CallRecord(list[i].CallUUID)
		x.must(err)
		got = append(got, fmt.Sprintf("%s to %s: %s", r.FromUsername, r.ToUsername, r.Result))
		for _, l := range r.CDR {
			if l.HangupTime.IsZero() || l.Cause == call.CauseInternal || l.Cause == call.CauseRestart {
				x.t.Errorf("leg %+v", l)
			}
			if len(l.Messages) == 0 {
				x.t.Errorf("leg %s of %s has no messages", l.ID, l.CallUUID)
			}
		}
		for _, entry := range r.Trace { // the phones say in Referred-By who they are
			if len(entry.Because) > 0 && strings.Contains(entry.Because[0].Got, "own words") {
				x.t.Errorf("trace: %s", entry.Because[0].Got)
			}
		}
	}
	if len(got) != n || !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, want) }) {
		x.t.Errorf("records %q, want %d with %q", got, n, want)
	}
}
