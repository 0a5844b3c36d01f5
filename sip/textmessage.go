package sip

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/event/summary"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/sip/pager"
	"github.com/cordpair/cordpair/sip/wire"
)

const (
	// longestText bounds the body of a MESSAGE. RFC 3428 section 8 asks for less
	// where the path may be UDP; phones send more, and it arrives.
	longestText = 8 << 10
	// longestType bounds its Content-Type.
	longestType = 256
	// textPatience is how long a sender waits for the phones of the target before
	// the message is stored: well under its own timer F.
	textPatience = 5 * time.Second
	// textsOut is how many messages may be on their way to one target, all of its
	// phones included: a phone that does not answer is asked for 32 s.
	textsOut = 20
	// settle is how long after its REGISTER a phone gets what waited for it: it
	// should have the 200 by then.
	settle = 500 * time.Millisecond
)

// textMessage handles a MESSAGE outside a dialog (RFC 3428): 200 when a phone of
// the target took it, 202 when it was stored.
func (w *worker) textMessage(m *wire.Message, f flow, key txKey) {
	account, from, ok := w.authenticated(m, f)
	merge := mergeKeyOf(m)
	if !ok || w.refuseMerged(m, f, key, merge) {
		return
	}
	text, no := w.newText(m, account, from)
	if no != nil {
		w.refuse(m, f, no)
		return
	}
	tx := w.newServerTx(key, false, f)
	tx.claim(merge)
	p := &posting{w: w, tx: tx, request: m.Keep(), text: text}
	if e := &w.server.events; e.messages.Count(text.Target) > 0 || e.couriers.out(text.Target) >= textsOut {
		p.store() // behind those that wait
		return
	}
	p.sent = true
	w.after(&p.waits, textPatience, p.store)
	w.server.deliver(text, func(o outcome) { w.do(func() { p.tried(o) }) })
}

// newText reads a MESSAGE, or says why it is refused. Who it is for is found as
// for a call.
func (w *worker) newText(m *wire.Message, a Account, from call.Party) (pager.Message, *denial) {
	s := w.server
	name, err := dialplan.CleanDialled(m.TargetURI().User)
	if err != nil {
		return pager.Message{}, &denial{484, "Address Incomplete", "bad_number", nil}
	}
	target, ok := s.named(a, name, m.TargetURI().Host)
	if !ok {
		return pager.Message{}, &denial{404, "Not Found", "resource", nil}
	}
	bodyType, _ := m.Header("Content-Type")
	if bodyType == "" {
		bodyType = "text/plain"
	}
	switch {
	case m.BodySize() > longestText:
		return pager.Message{}, &denial{413, "Request Entity Too Large", "body", nil}
	case len(bodyType) > longestType:
		return pager.Message{}, &denial{415, "Unsupported Media Type", "body", nil}
	}
	life := pager.MaxLife
	if asked, ok := m.Expires(); ok {
		life = min(asked, life)
	}
	return pager.Message{
		ID: newCallID(), Client: target.Client, Target: target.Extension, From: fromOf(from, a.Domain),
		Type: strings.Clone(bodyType), Body: m.Body(), At: w.now, Expires: w.now.Add(life),
	}, nil
}

// posting is a MESSAGE whose sender waits for an answer. It belongs to the
// sender's worker.
type posting struct {
	w       *worker
	tx      *serverTx
	request *wire.Message
	text    pager.Message
	waits   timer
	sent    bool // the target's phones were asked
	stored  bool
}

// answer tells the sender.
func (p *posting) answer(status int, phrase string, extra ...wire.Field) {
	if status >= 300 {
		p.w.server.metrics.refused("message")
	}
	p.tx.respond(status, p.w.server.statelessReply(p.request, p.tx.flow, status, phrase, extra...))
}

// tried hears what the phones of the target said.
func (p *posting) tried(o outcome) {
	w := p.w
	w.wheel.stop(&p.waits)
	switch {
	case p.stored && o.settled():
		w.server.delivered(&p.text, o)
	case p.stored:
	case o.taken:
		w.server.metrics.textMessages("delivered", 1)
		p.answer(200, "OK")
	case o.refused != 0:
		w.server.metrics.textMessages("refused", 1)
		p.answer(o.refused, "Message Not Accepted")
	default:
		p.store()
	}
}

// store keeps the message for the target's next registration and answers when
// that is durable (D1).
func (p *posting) store() {
	s, w := p.w.server, p.w
	if !p.text.Expires.After(w.now) {
		p.answer(480, "Temporarily Unavailable")
		return
	}
	p.stored = true
	err := s.events.messages.Put(p.text, func(err error) { w.do(func() { p.kept(err) }) })
	switch {
	case errors.Is(err, pager.ErrFull):
		p.answer(480, "Too Many Stored Messages")
	case err != nil:
		p.answer(503, "Service Unavailable", retryAfter())
	}
}

func (p *posting) kept(err error) {
	s, target := p.w.server, p.text.Target
	if err != nil {
		s.events.messages.Remove(target, p.text.ID)
		p.answer(500, "Server Internal Error")
		return
	}
	s.metrics.textMessages("stored", 1)
	p.answer(202, "Accepted")
	s.Changed(summary.Name, target)
	if first, ok := s.events.messages.First(target, p.w.now); p.sent && ok && first.ID == p.text.ID {
		return // its phone is away and will register
	}
	s.carryTo(target, settle)
}

// outcome is what became of an attempt to deliver a message.
type outcome struct {
	taken bool // by a phone
	// refused is the answer when every phone that was asked refused this very
	// message.
	refused int
}

// settled reports whether another attempt is pointless.
func (o outcome) settled() bool { return o.taken || o.refused != 0 }

// attempt is one message on its way to the phones of its target. It belongs to
// the worker of the message's ID.
type attempt struct {
	left   int // answers that are missing
	told   bool
	result outcome
	open   bool // a phone did not say yes, but may the next time
	report func(outcome)
	over   func() // nothing is under way any more
}

// deliver sends a message to every phone of its target over the flow it
// registered on, and reports once: at the first that takes it, or when none did.
func (s *Server) deliver(text pager.Message, report func(outcome)) {
	w := s.workerOf([]byte(text.ID))
	s.events.couriers.left(text.Target)
	w.do(func() { w.deliver(&text, report) })
}

func (w *worker) deliver(text *pager.Message, report func(outcome)) {
	s := w.server
	a := &attempt{report: report, over: func() { s.events.couriers.back(text.Target) }}
	account, ok := s.directory.Extension(text.Target)
	if !ok {
		a.over()
		report(outcome{})
		return
	}
	var flows []flow
	bindings := s.location.Lookup(text.Target, w.now, nil)
	for i := range bindings {
		f := s.flowOf(bindings[i].Flow)
		if bindings[i].Suspended || f == nil || f.closed() {
			continue
		}
		a.left++
		bindings[a.left-1] = bindings[i]
		flows = append(flows, f)
	}
	if a.left == 0 {
		a.over()
		report(outcome{})
		return
	}
	for i, f := range flows {
		w.send(textRequest(text, account, bindings[i].Contact), f, a.answered, a.failed)
	}
}

// textRequest is the MESSAGE to one phone. All copies, also later ones, have the
// same Call-ID, tag and CSeq, so that a phone that gets two can tell.
func textRequest(text *pager.Message, to Account, contact string) *outRequest {
	return &outRequest{
		method: methodMessage, uri: requestURI(contact), branch: newBranch(), callID: text.ID, cseq: 1,
		from: text.From + ";tag=" + text.ID[:16], to: "<sip:" + escapeUser(to.Number) + "@" + to.Domain + ">",
		fields:   []wire.Field{{Name: "Date", Value: text.At.UTC().Format(http.TimeFormat)}},
		bodyType: text.Type, body: text.Body,
	}
}

func (a *attempt) answered(res *wire.Message) {
	status := res.Status()
	switch {
	case status < 200:
		return
	case status < 300, status == 482: // it has it already, by another way
		a.result = outcome{taken: true}
	case notThis(status):
		a.result.refused = status
	default:
		a.open = true
	}
	a.one()
}

func (a *attempt) failed() {
	a.open = true
	a.one()
}

// one more phone has said its word.
func (a *attempt) one() {
	if a.left--; a.left == 0 {
		a.over()
	}
	if a.told || !a.result.taken && a.left > 0 {
		return
	}
	a.told = true
	if a.open && !a.result.taken {
		a.result.refused = 0
	}
	a.report(a.result)
}

// notThis are answers that mean this message, whenever it comes.
func notThis(status int) bool {
	switch status {
	case 413, 415, 488, 493, 513, 603, 606:
		return true
	}
	return false
}

// textsFor carries what waits for a phone that registered.
func (s *Server) textsFor(ev location.Event) {
	switch ev.Kind {
	case location.Added, location.Changed, location.Resumed, location.Refreshed:
		if s.events.messages.Len() > 0 {
			s.carryTo(ev.Binding.Extension, settle)
		}
	}
}

// carryTo begins to deliver what waits for target, in order.
func (s *Server) carryTo(target int64, after time.Duration) {
	if s.events.messages.Count(target) == 0 || !s.events.couriers.begin(target) {
		return
	}
	w := s.workers[uint64(target)%uint64(len(s.workers))]
	w.do(func() { w.after(new(timer), after, func() { w.carry(target) }) })
}

// carry sends the oldest message, and those behind it when it is settled.
func (w *worker) carry(target int64) {
	s := w.server
	text, ok := s.events.messages.First(target, w.now)
	if !ok {
		s.events.couriers.end(target)
		return
	}
	s.deliver(text, func(o outcome) {
		w.do(func() {
			if o.settled() {
				s.delivered(&text, o)
				w.carry(target)
				return
			}
			if s.events.couriers.end(target) {
				s.carryTo(target, settle)
			}
		})
	})
}

// delivered takes a stored message out.
func (s *Server) delivered(text *pager.Message, o outcome) {
	if !s.events.messages.Remove(text.Target, text.ID) {
		return
	}
	result := "delivered"
	if !o.taken {
		result = "refused"
	}
	s.metrics.textMessages(result, 1)
	s.Changed(summary.Name, text.Target)
}

// openMessages loads the stored messages and carries those whose phones are
// there. Without them calls go on; a MESSAGE that cannot be delivered at once is
// refused.
func (s *Server) openMessages() {
	if err := s.events.messages.Load(time.Now()); err != nil {
		s.log.Error("stored text messages cannot be read", "err", err)
		return
	}
	for _, target := range s.events.messages.Targets() {
		w := s.workers[uint64(target)%uint64(len(s.workers))]
		w.do(func() { // a phone that registers sooner does not wait for this
			w.after(new(timer), rand.N(restoredWithin), func() { s.carryTo(target, 0) })
		})
	}
}
