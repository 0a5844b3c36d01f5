package sip

import (
	"errors"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// alone handles a datagram that came alone, and has the turn of the worker that it
// returns then; or queues it if its worker has other things to do.
func (s *Server) alone(l *udpListener, a arrival) (w *worker, turn bool) {
	now := time.Now()
	head, ok := s.wanted(a.b)
	if !ok {
		return nil, false
	}
	w = s.workerOf(head.CallID)
	p := packet{flow: udpFlow{l: l, to: a.from}, from: a.from, data: a.b, at: now}
	if !s.memory.short.Load() && w.handleNow(p, now) {
		w.letIn(head, a.b)
		return w, true
	}
	p.at = now.Add(-l.age(now))
	if !s.queue(w, head, p, now) {
		return nil, false
	}
	return w, false
}

// datagram queues what a reader got and returns the worker that has it, who is yet
// to be woken. at is when it came, now when it was read.
func (s *Server) datagram(l *udpListener, a arrival, at, now time.Time) *worker {
	head, ok := s.wanted(a.b)
	if !ok {
		return nil
	}
	w := s.workerOf(head.CallID)
	if !s.queue(w, head, packet{flow: udpFlow{l: l, to: a.from}, from: a.from, data: a.b, at: at}, now) {
		return nil
	}
	return w
}

// wanted classifies a datagram, unless it is nothing to be handled.
func (s *Server) wanted(b []byte) (head wire.Head, ok bool) {
	if head, ok = wire.Peek(b); !ok {
		s.metrics.dropped("unreadable")
		return head, false
	}
	// A NAT binding is kept open by the packet itself.
	return head, !head.KeepAlive && !endsRefusal(head)
}

func (s *Server) workerOf(callID []byte) *worker {
	return s.workers[hashCallID(callID)%uint64(len(s.workers))]
}

// queue puts a message into its lane, or refuses it when its worker is behind. Who
// has queued rouses the worker. The message's data is not kept.
func (s *Server) queue(w *worker, h wire.Head, p packet, now time.Time) bool {
	l := s.laneOf(h, p.data)
	if l != laneDialog && !s.admits(w, h, p, now) {
		return false
	}
	b := p.data
	p.copied(s)
	if !w.push(l, p) {
		s.noRoom(l, h, p)
		p.release(s)
		return false
	}
	w.letIn(h, b)
	return true
}

// read runs one connection: frames in, until it breaks, is too slow or says
// something that cannot be framed (S7, S8).
func (f *streamFlow) read() {
	defer f.table.remove(f)
	defer f.close()
	s := f.table.server
	var framer wire.Framer
	_ = f.conn.SetReadDeadline(time.Now().Add(firstMessageWithin)) // a dead conn fails the read
	// The first message has its own deadline, however it trickles in.
	greeted, begun := false, false
	for {
		frame, err := framer.Next()
		switch {
		case err == nil && frame.Ping:
			_ = f.send([]byte("\r\n")) // a broken connection ends the read
		case err == nil:
			f.received(frame.Data)
			greeted, begun = true, false
			_ = f.conn.SetReadDeadline(time.Time{})
		case errors.Is(err, wire.ErrIncomplete):
			if partial := framer.Partial(); greeted && partial != begun {
				begun = partial
				_ = f.conn.SetReadDeadline(deadlineOf(begun))
			}
			if framer.Fill(f.conn) != nil {
				return
			}
		default:
			s.metrics.dropped("framing")
			f.refuse(err)
			return
		}
	}
}

// deadlineOf is until when a message that has begun must be whole; an idle
// connection has no deadline.
func deadlineOf(begun bool) time.Time {
	if begun {
		return time.Now().Add(wholeMessageWithin)
	}
	return time.Time{}
}

// received queues one framed message.
func (f *streamFlow) received(b []byte) {
	s := f.table.server
	head, ok := wire.Peek(b)
	if !ok || head.KeepAlive {
		s.metrics.dropped("unreadable")
		return
	}
	if endsRefusal(head) {
		return
	}
	now := time.Now()
	w := s.workerOf(head.CallID)
	if s.queue(w, head, packet{flow: f, from: f.to, data: b, at: now}, now) {
		w.rouse()
	}
}

// refuse answers what broke the framing, if it can be answered, and closes
// when what came whole before it may have been answered too.
func (f *streamFlow) refuse(err error) {
	var fault *wire.Fault
	if !errors.As(err, &fault) {
		f.linger()
		return
	}
	s := f.table.server
	s.ownAllow(fault)
	if b := fault.Reply(f.to, newTag()); b != nil {
		f.finish(b)
	}
}

// ownAllow puts what we serve where the validation names all it lets pass.
func (s *Server) ownAllow(fault *wire.Fault) {
	for i := range fault.Extra {
		if fault.Extra[i].Name == "Allow" {
			fault.Extra[i].Value = allowHeader
		}
	}
}

// message handles one message on its worker.
func (w *worker) message(p packet) {
	w.server.taps.received(p.flow, p.data)
	if w.plainOptions(p) {
		return
	}
	m, err := w.reader.Parse(p.data)
	if err != nil {
		w.unreadable(err, p)
		return
	}
	if fault := w.server.rules.Validate(m); fault != nil {
		if m.IsRequest() {
			w.fault(fault, p)
		} else {
			w.server.metrics.dropped("bad_response")
		}
		return
	}
	if !m.IsRequest() {
		w.responseCame(m)
		return
	}
	f := p.answerFlow(m.ReplyTo(p.from))
	w.incoming(m, f)
}

// unreadable answers what cannot be parsed, if it can be answered.
func (w *worker) unreadable(err error, p packet) {
	var fault *wire.Fault
	if errors.As(err, &fault) {
		w.fault(fault, p)
		return
	}
	w.server.metrics.dropped("unreadable")
}

func (w *worker) fault(fault *wire.Fault, p packet) {
	w.server.metrics.refused("malformed")
	w.server.refusals.note("malformed", p.from, fault.Reason, fault.CallID())
	f := p.answerFlow(fault.ReplyTo(p.from))
	w.server.ownAllow(fault)
	if b := fault.Reply(p.from, w.server.tagOf(p.data)); b != nil {
		w.transmit(f, b)
	}
}

// responseCame finds the client transaction a response belongs to; one that matches
// nothing produces no packet (S11).
func (w *worker) responseCame(m *wire.Message) {
	_, method := m.CSeq()
	key := clientKey(m.Branch(), method)
	if tx := w.clients[key]; tx != nil {
		tx.response(m)
		return
	}
	if w.heardAgain(m, key) {
		return
	}
	w.server.metrics.dropped("stray_response")
}

// incoming handles a valid request. A panic on the way is answered with 500
// and leaves neither transaction nor leg behind that nobody would end.
func (w *worker) incoming(m *wire.Message, f flow) {
	defer func() {
		if p := recover(); p != nil {
			w.gaveUp(m, f)
			panic(p) // counted and logged by the worker's guard
		}
	}()
	method := m.Method()
	if method == methodAck {
		w.ackCame(m)
		return
	}
	if method == methodCancel {
		w.cancelCame(m, f)
		return
	}
	key := serverKey(m)
	if w.repeated(m, key) {
		return
	}
	if m.ToTag() != "" {
		if sub := w.subs[legKey{m.CallID(), m.ToTag()}]; sub != nil && method == methodSubscribe {
			sub.subscribeCame(m, f, key)
			return
		}
		w.inDialog(m, f)
		return
	}
	switch method {
	case methodInvite:
		w.newCall(m, f)
	case methodRegister:
		w.register(m, f, key)
	case methodOptions:
		w.reply(m, f, 200, "OK", w.server.options...)
	case methodRefer:
		w.referOutside(m, f)
	case methodSubscribe:
		w.subscribe(m, f, key)
	case methodPublish:
		w.publish(m, f, key)
	case methodMessage:
		w.textMessage(m, f, key)
	case methodBye:
		w.reply(m, f, 481, "Call/Transaction Does Not Exist")
	default:
		w.unserved(m, f)
	}
}

func (w *worker) gaveUp(m *wire.Message, f flow) {
	tx := w.servers[serverKey(m)]
	if tx == nil || tx.state != txProceeding || m.Method() == methodCancel {
		w.reply(m, f, 500, "Server Internal Error")
		return
	}
	l := tx.leg
	tx.respond(500, w.server.statelessReply(m, f, 500, "Server Internal Error"))
	if l != nil && l.state == legTrying {
		l.finish(call.CauseInternal, false)
		l.remove()
	}
}

// unserved refuses what this switch does not do outside a dialog, after the
// same question for credentials as everything else (A1).
func (w *worker) unserved(m *wire.Message, f flow) {
	if _, _, ok := w.authenticated(m, f); ok {
		w.answer(m, f, 405, "Method Not Allowed", wire.Field{Name: "Allow", Value: allowHeader})
	}
}

func (w *worker) ackCame(m *wire.Message) {
	if tx := w.servers[serverKey(m)]; tx != nil {
		tx.log.received(m, tx.flow, w.now)
		tx.ack()
		return
	}
	if l := w.legs[legKey{m.CallID(), m.ToTag()}]; l != nil && m.FromTag() == l.dialog.remoteTag {
		l.dialog.log.received(m, l.dialog.flow, w.now)
		l.acked(m)
	}
}

// cancelCame answers a CANCEL and ends the INVITE it means (RFC 3261 9.2). Only
// the flow that sent the INVITE may (S10).
func (w *worker) cancelCame(m *wire.Message, f flow) {
	key := serverKey(m)
	tx := w.servers[key]
	if tx == nil {
		w.lateCancel(m, f, key)
		return
	}
	if tx.flow != f {
		w.reply(m, f, 481, "Call/Transaction Does Not Exist")
		return
	}
	w.acceptCancel(m, f, tx.log, tx.tag)
	if tx.leg != nil && tx.state == txProceeding {
		tx.leg.cancelled(withdrawal(m))
	}
}

// lateCancel answers a CANCEL that crossed our final answer.
func (w *worker) lateCancel(m *wire.Message, f flow, key txKey) {
	r, tag := w.kept.find(key)
	if r == nil || w.kept.flow(w.server, &r.flow) != f {
		w.reply(m, f, 481, "Call/Transaction Does Not Exist")
		return
	}
	w.acceptCancel(m, f, w.logs(m.CallID(), string(tag)), string(tag))
}

func (w *worker) acceptCancel(m *wire.Message, f flow, log *messageLog, tag string) {
	if tag == "" { // else the same as in the answer to the INVITE
		tag = w.server.replyTag(m)
	}
	log.received(m, f, w.now)
	log.answered(m, f, 200, "OK", "", w.now)
	w.transmit(f, w.stateless(m, f, 200, "OK", tag))
}
