package sip_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// call is an INVITE of the far end to a phone that has not rung yet.
func (w *walk) call() {
	w.callee = w.e.rawUDP("10.0.9.2:5060")
	w.callee.register("102")
	w.caller = w.far
	w.r = w.caller.call("102")
	w.invite = w.callee.one()
}

// callTo is an INVITE to the far end.
func (w *walk) callTo() {
	w.callee = w.far
	w.callee.register("102")
	w.caller = w.e.rawUDP("10.0.9.2:5060")
	w.r = w.caller.call("102")
	w.invite = w.callee.one()
}

// registers is a REGISTER of the far end that waits for the store.
func (w *walk) registers() {
	w.r = w.far.signed(request{method: "REGISTER", to: "<sip:101@" + domain + ">"})
	w.store.delay = 2 * time.Second
	w.far.send(w.far.text(w.r))
}

// hangsUp is a BYE to the far end.
func (w *walk) hangsUp() {
	w.far.talk()
	w.e.registry.EndAll(call.CauseShutdown)
	w.bye = w.far.one()
}

// heard tells what has come since the last look: to the far end, and in brackets to
// a caller that is somebody else.
func (w *walk) heard() string {
	var words []string
	for _, g := range w.far.heard() {
		if g.Message == nil {
			continue // its connection is gone
		}
		if g.Status() >= 200 && g.Status() != 407 {
			w.final = g
		}
		words = append(words, word(g))
	}
	list := counted(words)
	if w.caller == nil || w.caller == w.far {
		return list
	}
	if caller := w.told(); caller != "" {
		list = strings.TrimSpace(list + " (" + caller + ")")
	}
	return list
}

// told is what a caller hears that acknowledges everything.
func (w *walk) told() string {
	var words []string
	for _, g := range w.caller.heard() {
		words = append(words, word(g))
		switch _, method := g.CSeq(); {
		case method != "INVITE" || g.Status() < 200:
		case g.Status() < 300:
			w.caller.send(w.caller.text(inDialog(w.r, g, "ACK")))
		default:
			w.caller.send(w.caller.ackOf(w.r, g))
		}
	}
	return strings.Join(slices.Compact(words), " ")
}

func word(g got) string {
	if g.Status() > 0 {
		return fmt.Sprint(g.Status())
	}
	return g.Method()
}

// counted joins words; "x3" stands behind one that comes three times in turn.
func counted(words []string) string {
	var list []string
	for i := 0; i < len(words); {
		n := 1
		for i+n < len(words) && words[i+n] == words[i] {
			n++
		}
		if list = append(list, words[i]); n > 1 {
			list[len(list)-1] += fmt.Sprintf("x%d", n)
		}
		i += n
	}
	return strings.Join(list, " ")
}

// after is an event of nothing but time.
func after(d time.Duration) func(*walk) { return func(*walk) { wait(d) } }

// callEvents happen to a call from the caller by way of the switch to the callee.
var callEvents = map[string]func(*walk){
	"INVITE": func(w *walk) { w.caller.send(w.caller.text(w.r)) },
	"180":    func(w *walk) { w.callee.send(reply(w.invite, 180, "far", nil, "")) },
	"200":    func(w *walk) { w.callee.accept(w.invite, "far") },
	"486":    func(w *walk) { w.callee.send(reply(w.invite, 486, "far", nil, "")) },
	"ACK": func(w *walk) {
		w.heard()
		switch {
		case w.final.Message == nil:
			w.caller.send(w.caller.text(w.as("ACK"))) // of nothing
		case w.final.Status() == 200:
			w.caller.send(w.caller.text(inDialog(w.r, w.final, "ACK")))
		default:
			w.caller.send(w.caller.ackOf(w.r, w.final))
		}
	},
	"CANCEL":          func(w *walk) { w.caller.send(w.caller.text(w.as("CANCEL"))) },
	"T1":              after(500 * time.Millisecond),
	"64*T1":           after(32600 * time.Millisecond),
	"transport error": (*walk).hangLine,
}

// requestEvents happen to a REGISTER.
var requestEvents = map[string]func(*walk){
	"REGISTER":        func(w *walk) { w.far.send(w.far.text(w.r)) },
	"answer":          after(2 * time.Second),
	"ACK":             func(w *walk) { w.far.send(w.far.text(w.as("ACK"))) },
	"CANCEL":          func(w *walk) { w.far.send(w.far.text(w.as("CANCEL"))) },
	"T1":              after(500 * time.Millisecond),
	"64*T1":           after(32600 * time.Millisecond),
	"transport error": (*walk).hangLine,
}

// byeEvents happen to a BYE of the switch.
var byeEvents = map[string]func(*walk){
	"100":             func(w *walk) { w.far.send(reply(w.bye, 100, "", nil, "")) },
	"200":             func(w *walk) { w.far.send(reply(w.bye, 200, "", nil, "")) },
	"481":             func(w *walk) { w.far.send(reply(w.bye, 481, "", nil, "")) },
	"T1":              after(500 * time.Millisecond),
	"T4":              after(5600 * time.Millisecond),
	"64*T1":           after(32600 * time.Millisecond),
	"transport error": (*walk).hangLine,
}

// as is a request of the caller's INVITE or REGISTER: a CANCEL or an ACK.
func (w *walk) as(method string) request {
	r := w.r
	r.method, r.body, r.head = method, "", nil
	return r
}

// hangLine breaks the far end's connection.
func (w *walk) hangLine() {
	w.e.must(w.far.tcp.Close())
	w.far.tcp = nil
	wait(0)
}

// lookBroken is what is seen of a transaction whose connection is gone: once the
// call is over nothing is left.
func (w *walk) lookBroken() string {
	w.e.registry.EndAll(call.CauseShutdown)
	wait(70 * time.Second)
	transactions, merged, legs, _ := w.e.srv.Kept()
	if transactions+merged+legs > 0 {
		return fmt.Sprintf("%d transactions, %d merge keys and %d legs", transactions, merged, legs)
	}
	return "terminated"
}

// strays counts the responses to the switch that belonged to no transaction.
func (w *walk) strays() float64 { return w.e.met.Value("cordpair_sip_dropped_total", "stray_response") }

// lookInviteServer repeats the INVITE; who hears nothing asks for the call.
func (w *walk) lookInviteServer() string {
	w.callee.heard()
	callEvents["INVITE"](w)
	answers := w.far.heard()
	if len(w.callee.heard()) > 0 {
		return "handled twice"
	}
	if len(answers) > 0 {
		switch last := answers[len(answers)-1].Status(); {
		case last == 100:
			return "trying"
		case last < 200:
			return "proceeding"
		case last == 407:
			return "terminated"
		}
		return "completed"
	}
	callEvents["CANCEL"](w)
	if w.far.one().Status() == 481 {
		return "unknown to a CANCEL"
	}
	w.far.send(w.far.text(inDialog(w.r, w.final, "BYE")))
	if w.far.one().Status() == 200 {
		return "accepted"
	}
	return "confirmed"
}

// lookInviteClient ends the transaction by a CANCEL and final responses and sees
// what is acknowledged.
func (w *walk) lookInviteClient() string {
	legs := w.e.srv.Legs()
	callEvents["CANCEL"](w)
	if w.hears("CANCEL") {
		return "proceeding"
	}
	callEvents["180"](w)
	if w.hears("CANCEL") {
		return "calling"
	}
	callEvents["486"](w)
	if w.hears("ACK") {
		if legs == 0 {
			return "completed"
		}
		return "proceeding" // and its CANCEL has been sent
	}
	strays := w.strays()
	callEvents["200"](w)
	switch {
	case w.hears("ACK"):
		return "accepted"
	case w.strays() == strays:
		return "deaf"
	}
	return "terminated"
}

func (w *walk) hears(method string) bool {
	for _, g := range w.far.heard() {
		if g.Message != nil && g.Method() == method {
			return true
		}
	}
	return false
}

// lookServer repeats the REGISTER.
func (w *walk) lookServer() string {
	requestEvents["REGISTER"](w)
	return map[string]string{"": "trying", "200": "completed", "401": "terminated"}[w.heard()]
}

// lookClient waits for what is repeated: soon, or after T2.
func (w *walk) lookClient() string {
	if w.e.srv.Legs() == 0 {
		strays := w.strays()
		byeEvents["200"](w)
		if w.strays() > strays {
			return "terminated"
		}
		return "completed"
	}
	wait(600 * time.Millisecond)
	w.far.heard()
	wait(time.Second)
	if w.far.tcp != nil || w.hears("BYE") {
		return "trying"
	}
	wait(4 * time.Second)
	if w.hears("BYE") {
		return "proceeding"
	}
	return "silent"
}
