//go:build linux

package load

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// callState is one call, both ends of it.
type callState struct {
	caller, callee *phone
	talk           time.Duration // 0: until somebody says so
	callID         []byte
	cseq           int
	caught         progress
	generation     int
	last           []byte // the caller's request under way
	target         []byte // whom the caller's dialog is with
	toTag          []byte // the whole To of its 2xx
	routes         []byte
	invited        time.Time // the last INVITE
	callerRTP      *flow     // nil: no RTP
	calleeRTP      *flow

	// The callee's side.
	arrived   time.Time // of the INVITE
	rang      time.Time // ringing sent
	inID      []byte
	reply     []byte // the last answer to INVITE
	final     []byte // the 200 in waiting
	answering progress
}

// progress is how far one end of a call is.
type progress uint8

const (
	fresh progress = iota
	inviting
	invitedAgain // with credentials
	ringing
	waitingACK // callee: 200 sent
	talking
	ending
	over
)

// dial begins a call.
func (e *engine) dial(from, to *phone, talk time.Duration) *callState {
	c := &callState{caller: from, callee: to, talk: talk, caught: inviting}
	c.callID = fmt.Appendf(nil, "c%d-%s@bench", len(e.calls), e.run)
	e.calls = append(e.calls, c)
	from.call, to.call = c, c
	e.live++
	return c
}

// invite sends the INVITE, with credentials when there are some.
func (e *engine) invite(c *callState, auth []byte) {
	e.fillCall(c)
	e.vals[fAuth] = auth
	e.vals[fBody] = e.sdp(c.callerRTP)
	e.vals[fLength] = strconv.AppendInt(nil, int64(len(e.vals[fBody])), 10)
	c.invited = time.Now()
	e.sendCaller(c, &inviteText, true)
}

// sdp describes a phone's RTP; nil is for a phone whose RTP nobody looks at.
func (e *engine) sdp(f *flow) []byte {
	port, text := e.sink.port, &sdpText
	if f != nil {
		port, text = f.sock.port, f.text
	}
	e.vals[fPort] = strconv.AppendInt(nil, int64(port), 10)
	return text.render(nil, &e.vals)
}

// fillCall sets what all requests of the caller have in common, with the next
// sequence number.
func (e *engine) fillCall(c *callState) {
	p := c.caller
	c.cseq++
	e.vals[fUser], e.vals[fTo], e.vals[fDomain], e.vals[fLocal] = p.user, c.callee.user, p.domain, p.sock.local
	e.vals[fTag], e.vals[fCallID] = p.tag, c.callID
	e.vals[fTarget], e.vals[fToTag], e.vals[fRoutes] = c.target, c.toTag, c.routes
	e.vals[fAuth] = nil
	e.number(c)
}

func (e *engine) number(c *callState) {
	e.vals[fCSeq] = strconv.AppendInt(nil, int64(c.cseq), 10)
	dash := bytes.IndexByte(c.callID, '@')
	e.vals[fBranch] = append(append([]byte{}, c.callID[:dash]...), e.vals[fCSeq]...)
}

// sendCaller sends a request of the caller; waits tells whether an answer is due.
func (e *engine) sendCaller(c *callState, t *template, waits bool) {
	c.last = t.render(c.last[:0], &e.vals)
	c.generation++
	if waits {
		e.resends.push(time.Now(), resend{of: c, generation: c.generation})
	}
	c.caller.sock.send(c.last)
}

func (c *callState) again(e *engine, generation, steps int, giveUp bool) resent {
	if c.generation != generation || c.caught == over {
		return settled
	}
	if giveUp {
		e.endCall(c, "no answer to "+string(firstWord(c.last)))
		return settled
	}
	if !repeatsAt(steps, c.caught != ending) {
		return waits
	}
	e.blemish(c, "%s of step %d sent again", firstWord(c.last), c.caught)
	c.caller.sock.send(c.last)
	return sent
}

// endCall ends a call; why is empty when all went well.
func (e *engine) endCall(c *callState, why string) {
	if c.caught == over {
		return
	}
	c.caught = over
	c.generation++
	for _, p := range []*phone{c.caller, c.callee} {
		if p.call == c {
			p.call = nil
		}
	}
	e.live--
	if why == "" {
		e.res.Done++
	} else {
		e.blemish(c, "%s", why)
		e.fail("call %s to %s: %s", c.caller.user, c.callee.user, why)
	}
	c.last, c.reply, c.final, c.routes = nil, nil, nil, nil
}

// onCaller takes an answer to the caller.
func (e *engine) onCaller(c *callState, m *message, at, now time.Time) {
	invite := bytes.Equal(m.method, methodInvite)
	switch {
	case c.caught == over || number(m.cseq) != c.cseq:
		e.repeated(c, m, invite)
	case !invite && c.caught == ending:
		if m.status == 200 {
			e.endCall(c, "")
		} else if m.status > 200 {
			e.endCall(c, "BYE: status "+strconv.Itoa(m.status))
		}
	case !invite:
	case m.status == 100:
		c.generation++ // no more repetitions
	case m.status < 200:
		c.generation++
		if c.caught == invitedAgain && !c.rang.IsZero() {
			c.caught = ringing
			if len(e.flows) == 0 { // beside RTP it is that which is measured
				e.hist.Add(c.arrived.Sub(c.invited) + at.Sub(c.rang))
			}
		}
	case m.status == 407 && c.caught == inviting:
		e.authorise(c, m)
	case m.status < 300 && (c.caught == invitedAgain || c.caught == ringing):
		e.established(c, m, now)
	case m.status < 300:
		e.repeated(c, m, invite)
	case m.status == 503:
		e.refused(c, m)
		e.refusal.Add(at.Sub(c.invited))
		e.turnedAway(c)
	default:
		e.refused(c, m)
		e.endCall(c, "INVITE: status "+strconv.Itoa(m.status))
	}
}

// turnedAway ends a call that was refused for want of room.
func (e *engine) turnedAway(c *callState) {
	e.blemish(c, "refused in step %d", c.caught)
	e.res.Refused++
	e.res.Done-- // endCall counts it
	e.endCall(c, "")
}

// repeated answers what came again as the first time.
func (e *engine) repeated(c *callState, m *message, invite bool) {
	if m.status < 200 {
		return
	}
	e.blemish(c, "an answer %d to %s came again", m.status, m.method)
	e.res.Repeated++
	if !invite || c.caught == over {
		return
	}
	if m.status >= 300 {
		was := c.cseq
		c.cseq = number(m.cseq)
		e.refused(c, m)
		c.cseq = was
		return
	}
	e.ack(c)
}

// refused acknowledges an answer other than 2xx.
func (e *engine) refused(c *callState, m *message) {
	c.cseq-- // fillCall counts up; this is the number of the INVITE
	e.fillCall(c)
	e.vals[fToTag] = m.to
	e.out = refusedText.render(e.out[:0], &e.vals)
	c.caller.sock.send(e.out)
}

func (e *engine) authorise(c *callState, m *message) {
	e.refused(c, m)
	ch, ok := chosen(m.challenges)
	if !ok {
		e.endCall(c, "no challenge for MD5")
		return
	}
	p := c.caller
	uri := append(append(append([]byte("sip:"), c.callee.user...), '@'), p.domain...)
	auth := ch.credentials(nil, "Proxy-Authorization", p.user, p.secret(ch.realm), methodInvite, uri, p.tag)
	c.caught = invitedAgain
	e.invite(c, auth)
}

// established takes the 200 and acknowledges it.
func (e *engine) established(c *callState, m *message, now time.Time) {
	c.caught = talking
	c.target = append([]byte{}, m.contact...)
	c.toTag = append([]byte{}, m.to...)
	for i := len(m.routes) - 1; i >= 0; i-- {
		c.routes = append(append(append(c.routes, "Route: "...), m.routes[i]...), "\r\n"...)
	}
	e.ack(c)
	if c.callerRTP != nil {
		e.connect(c.callerRTP, mediaPort(m.body))
		if err := c.callerRTP.agree(m.body); err != nil {
			e.fail("call %s to %s: %v", c.caller.user, c.callee.user, err)
		}
	}
	if c.talk > 0 {
		e.talks.delay = c.talk
		e.talks.push(now, c)
	}
}

// ack acknowledges the 200; the next request counts on.
func (e *engine) ack(c *callState) {
	c.cseq--
	e.fillCall(c)
	e.vals[fMethod] = []byte("ACK")
	e.vals[fBranch] = append(e.vals[fBranch], 'a')
	if c.caught == talking {
		e.sendCaller(c, &insideText, false)
	}
}

// hangUp sends the caller's BYE.
func (e *engine) hangUp(c *callState) {
	if c.caught != talking {
		return
	}
	c.caught = ending
	e.fillCall(c)
	e.vals[fMethod] = []byte("BYE")
	e.sendCaller(c, &insideText, true)
}
