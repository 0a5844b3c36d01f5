//go:build linux

package load

import (
	"container/heap"
	"fmt"
	"strconv"
	"time"
)

// phone is one account at its socket.
type phone struct {
	user     []byte
	password []byte
	domain   []byte
	a1       hexSum
	a1Realm  string // what a1 was made for
	sock     *socket
	tag      []byte
	callID   []byte // of its registrations
	optID    []byte // of its OPTIONS
	cseq     int
	// generation goes up whenever a request no longer waits.
	generation int
	step       step
	last       []byte // the request under way
	call       *callState
}

// step is how far a phone's request is.
type step uint8

const (
	atRest   step = iota
	asked         // sent without credentials
	answered      // sent with credentials
	optionsSent
)

func newPhone(p Phone, i int, s *socket, run, domain string) *phone {
	if p.Domain != "" {
		domain = p.Domain
	}
	return &phone{
		user: []byte(p.User), password: []byte(p.Password), domain: []byte(domain), sock: s,
		tag:    fmt.Appendf(nil, "%s%d", run, i),
		callID: fmt.Appendf(nil, "r%d-%s@bench", i, run),
		optID:  fmt.Appendf(nil, "o%d-%s@bench", i, run),
	}
}

// secret is the digest's H(A1) for a realm.
func (p *phone) secret(realm []byte) hexSum {
	if p.a1Realm != string(realm) {
		p.a1, p.a1Realm = sum(p.user, realm, p.password), string(realm)
	}
	return p.a1
}

var (
	methodRegister = []byte("REGISTER")
	methodInvite   = []byte("INVITE")
)

// request renders and sends a request of a phone outside a call.
func (e *engine) request(p *phone, t *template, callID, auth []byte, now time.Time) {
	p.cseq++
	var number [20]byte
	e.vals[fUser], e.vals[fDomain], e.vals[fLocal], e.vals[fTag] = p.user, p.domain, p.sock.local, p.tag
	e.vals[fCSeq] = strconv.AppendInt(number[:0], int64(p.cseq), 10)
	e.vals[fCallID], e.vals[fAuth] = callID, auth
	// Where the phone's number ends and the sequence number begins must be seen, or
	// two phones have one branch.
	e.vals[fBranch] = append(append(append(append([]byte{}, callID[:1]...), p.tag...), '.'), e.vals[fCSeq]...)
	p.last = t.render(p.last[:0], &e.vals)
	p.generation++
	e.resends.push(now, resend{of: p, generation: p.generation})
	p.sock.send(p.last)
}

func (p *phone) again(e *engine, generation, steps int, giveUp bool) resent {
	if p.step == atRest || p.generation != generation {
		return settled
	}
	if giveUp {
		e.unheard(p)
		return settled
	}
	if !repeatsAt(steps, false) {
		return waits
	}
	p.sock.send(p.last)
	return sent
}

// unheard ends a request without an answer; who is patient begins anew.
func (e *engine) unheard(p *phone) {
	if e.res.Patient {
		e.comeBackIn(p, 0)
		return
	}
	e.endRequest(p, false, "no answer")
}

// endRequest ends the operation of a phone.
func (e *engine) endRequest(p *phone, good bool, why string) {
	p.step = atRest
	p.generation++
	e.live--
	if good {
		e.res.Done++
	} else {
		e.fail("%s of %s: %s", firstWord(p.last), p.user, why)
	}
}

func firstWord(b []byte) []byte {
	for i, c := range b {
		if c == ' ' {
			return b[:i]
		}
	}
	return b
}

// onRegister takes an answer to a REGISTER.
func (e *engine) onRegister(p *phone, m *message, now time.Time) {
	switch {
	case number(m.cseq) != p.cseq || p.step != asked && p.step != answered:
		e.res.Repeated++
	case m.status < 200:
	case m.status == 401 && p.step == asked:
		c, ok := chosen(m.challenges)
		if !ok {
			e.endRequest(p, false, "no challenge for MD5")
			return
		}
		p.step = answered
		uri := append([]byte("sip:"), p.domain...)
		e.out = c.credentials(e.out[:0], "Authorization", p.user, p.secret(c.realm), methodRegister, uri, p.tag)
		e.request(p, &registerText, p.callID, e.out, now)
	case m.status == 503 && e.res.Patient:
		e.res.Refused++
		e.comeBackIn(p, time.Duration(number(m.retryAfter))*time.Second)
	default:
		e.endRequest(p, m.status == 200, "status "+strconv.Itoa(m.status))
	}
}

// onOptions takes an answer to an OPTIONS.
func (e *engine) onOptions(p *phone, m *message) {
	switch {
	case number(m.cseq) != p.cseq || p.step != optionsSent:
		e.res.Repeated++
	case m.status >= 200:
		e.endRequest(p, m.status == 200, "status "+strconv.Itoa(m.status))
	}
}

// phoneTask has phones send requests at a rate.
type phoneTask struct {
	*engine
	pace   pace
	phones []*phone
	next   int
	begin1 func(p *phone, now time.Time)
}

func newPhoneTask(e *engine, p Phase, begin1 func(*phone, time.Time)) (*phoneTask, error) {
	if len(e.phones) == 0 || p.Count > len(e.phones) || p.Rate < 1 {
		return nil, fmt.Errorf("%d phones at %d/s of %d", p.Count, p.Rate, len(e.phones))
	}
	t := &phoneTask{engine: e, phones: e.phones, begin1: begin1}
	switch {
	case p.Count > 0 && p.Kind == Refresh:
		t.phones = spread(e.phones, p.Count)
	case p.Count > 0:
		t.phones = e.phones[:p.Count]
	}
	t.pace = pace{rate: p.Rate, most: int(float64(p.Rate) * p.Time.Seconds())}
	if p.Kind == Register || p.Kind == Refresh && p.Count > 0 {
		t.pace.most = len(t.phones)
	}
	return t, nil
}

// spread is n of phones, equally far from each other.
func spread(phones []*phone, n int) []*phone {
	some := make([]*phone, n)
	for i := range some {
		some[i] = phones[i*len(phones)/n]
	}
	return some
}

func newRegisterTask(e *engine, p Phase) (task, error) {
	return newPhoneTask(e, p, e.register)
}

// register begins a registration.
func (e *engine) register(p *phone, now time.Time) {
	p.step = asked
	e.request(p, &registerText, p.callID, nil, now)
}

// timedPhone is a phone that registers again at a time.
type timedPhone struct {
	at    time.Time
	phone *phone
}

// timedPhones is a heap, the next one first.
type timedPhones []timedPhone

func (t timedPhones) Len() int           { return len(t) }
func (t timedPhones) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t timedPhones) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }

// Push implements heap.Interface.
func (t *timedPhones) Push(x any) { *t = append(*t, x.(timedPhone)) }

// Pop implements heap.Interface.
func (t *timedPhones) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	*t = (*t)[:last]
	return x
}

// comeBackIn lets a phone whose registration is under way begin again after d.
func (e *engine) comeBackIn(p *phone, d time.Duration) {
	p.step = atRest
	p.generation++
	heap.Push(&e.later, timedPhone{time.Now().Add(d), p})
}

// comeBack lets those begin whose time has come.
func (e *engine) comeBack(now time.Time) {
	for len(e.later) > 0 && !e.later[0].at.After(now) {
		e.register(heap.Pop(&e.later).(timedPhone).phone, now)
	}
}

func newOptionsTask(e *engine, p Phase) (task, error) {
	return newPhoneTask(e, p, func(ph *phone, now time.Time) {
		ph.step = optionsSent
		e.request(ph, &optionsText, ph.optID, nil, now)
	})
}

func (t *phoneTask) begin(now time.Time) error {
	t.pace.start = now.Add(10 * time.Millisecond)
	return nil
}

func (t *phoneTask) tick(now time.Time) {
	for range t.pace.due(now) {
		p := t.phones[t.next%len(t.phones)]
		t.next++
		if p.step != atRest {
			t.res.Loop.Skipped++
			continue
		}
		t.live++
		t.begin1(p, now)
	}
}

func (t *phoneTask) measuring(time.Time) bool { return !t.over(time.Time{}) }
func (t *phoneTask) over(time.Time) bool      { return t.pace.over() && t.live == 0 }
func (t *phoneTask) end()                     {}
