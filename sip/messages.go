package sip

import (
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

const (
	// gistsPerLeg bounds what one leg remembers; later messages only count
	// where they repeat an earlier one.
	gistsPerLeg = 64
	// gistsAtOnce is how many an ordinary call has, so that its log grows once.
	gistsAtOnce = 8
	// usualText is how long the texts of a message are.
	usualText = 80
	// gistsKeptFor is how long the log of a leg outlives it, for the record of
	// the call.
	gistsKeptFor = 2 * time.Second
	// goneLogs bounds the logs of legs that are gone.
	goneLogs = 16384
)

// Messages is the gist of the SIP messages of a leg, in order: those of its
// dialog and of the transactions in it, repetitions counted with the first. It
// may be asked while the leg exists and for two seconds afterwards; nil for a
// leg that is not known.
func (s *Server) Messages(id call.LegID) []call.Message {
	log := s.ladders.find(id)
	if log == nil {
		return nil
	}
	return log.render()
}

// ladders are the legs whose messages may be asked for: all, and those that have just
// gone.
type ladders struct {
	mu   sync.Mutex
	legs map[call.LegID]*leg
	gone int // of logs whose leg is gone
}

func (t *ladders) find(id call.LegID) *messageLog {
	if l := t.leg(id); l != nil {
		return &l.log
	}
	return nil
}

// leg is one that is here or has just gone, nil if it is not known.
func (t *ladders) leg(id call.LegID) *leg {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.legs[id]
}

// legsOf are those of some Call-IDs.
func (t *ladders) legsOf(callIDs []string) (legs []*leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.legs {
		if slices.Contains(callIDs, l.dialog.callID) {
			legs = append(legs, l)
		}
	}
	return legs
}

func (t *ladders) add(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.legs == nil {
		t.legs = map[call.LegID]*leg{}
	}
	t.legs[l.id] = l
}

// linger reports whether there is room to keep the log of a leg that is gone.
func (t *ladders) linger() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone >= goneLogs {
		return false
	}
	t.gone++
	return true
}

// drop forgets a log; lingered tells that it took a place among the gone.
func (t *ladders) drop(id call.LegID, lingered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.legs, id)
	if lingered {
		t.gone--
	}
}

// gist is one message, kept so that nothing is rendered before somebody asks
// and nothing points into a packet.
type gist struct {
	at      int64  // Unix nanoseconds
	rest    string // Request-URI or reason phrase
	tag     uint64 // hash of what tells the dialogs of two phones behind one contact apart
	seq     uint32
	status  uint16 // 0 for a request
	repeats uint16
	sent    bool
	// Where the log has the method of CSeq, the media type of the body and the peer.
	method, body, peer uint8
}

func (g *gist) same(o *gist) bool {
	return g.seq == o.seq && g.status == o.status && g.sent == o.sent && g.tag == o.tag && g.method == o.method
}

// message is a gist for people; its texts come from t.
func (l *messageLog) message(g *gist, t *texts) call.Message {
	m := call.Message{At: time.Unix(0, g.at).UTC(), Sent: g.sent, Body: l.names[g.body], Repeats: int(g.repeats)}
	method, peer := l.names[g.method], l.peers[g.peer]
	if g.status != 0 {
		t.number(uint64(g.status))
	} else {
		t.WriteString(method)
	}
	t.WriteByte(' ')
	t.WriteString(g.rest)
	m.Line = t.cut()
	t.number(uint64(g.seq))
	t.WriteByte(' ')
	t.WriteString(method)
	m.Of = t.cut()
	t.WriteString(peer.transport())
	t.WriteByte(' ')
	var room [64]byte
	t.Write(peer.remote().AppendTo(room[:0]))
	m.Peer = t.cut()
	return m
}

// texts are written one after another and lie in one piece of memory.
type texts struct {
	strings.Builder
	at int // where the text that is being written begins
}

func (t *texts) number(n uint64) {
	var room [20]byte
	t.Write(strconv.AppendUint(room[:0], n, 10))
}

// cut is the text that was written since the last cut.
func (t *texts) cut() string {
	s := t.String()[t.at:]
	t.at = t.Len()
	return s
}

// messageLog is what a leg remembers of its messages. Its worker writes it,
// anybody may read. A nil log remembers nothing.
type messageLog struct {
	life timer // worker's

	mu    sync.Mutex
	gists []gist
	names []string // methods and media types; usualNames until there is another one
	peers []flow
	over  bool // nobody will ask any more
}

// usualNames are those of nearly every call; the first is that of no body.
var usualNames = append([]string{"", typeSDP}, knownMethods...)

// name is where s stands among the names; mu is held.
func (l *messageLog) name(s string) uint8 {
	if l.names == nil {
		l.names = usualNames[:len(usualNames):len(usualNames)]
	}
	i := slices.Index(l.names, s)
	if i < 0 && len(l.names) > math.MaxUint8 {
		return 0
	}
	if i < 0 {
		i, l.names = len(l.names), append(l.names, strings.Clone(s))
	}
	return uint8(i)
}

// peer is where f stands among the peers; mu is held.
func (l *messageLog) peer(f flow) uint8 {
	i := slices.Index(l.peers, f)
	if i < 0 {
		i, l.peers = len(l.peers), append(l.peers, f)
	}
	return uint8(i)
}

func (l *messageLog) render() []call.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]call.Message, len(l.gists))
	var t texts
	t.Grow(usualText * len(l.gists))
	for i := range l.gists {
		out[i] = l.message(&l.gists[i], &t)
	}
	return out
}

// note adds one message or counts it with the one it repeats, which is looked
// for from the latest on.
func (l *messageLog) note(g gist, f flow, method, body string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	g.method = l.name(method)
	for i := len(l.gists) - 1; i >= 0; i-- {
		if old := &l.gists[i]; old.same(&g) {
			if old.repeats < math.MaxUint16 {
				old.repeats++
			}
			return
		}
	}
	if len(l.gists) >= gistsPerLeg {
		return
	}
	if l.gists == nil {
		l.gists = make([]gist, 0, gistsAtOnce)
	}
	g.body, g.peer = l.name(body), l.peer(f)
	l.gists = append(l.gists, g)
}

// end frees what is remembered: transactions may hold on to the log itself for
// half a minute.
func (l *messageLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gists, l.names, l.peers, l.over = nil, nil, nil, true
}

// received notes a message of the far end.
func (l *messageLog) received(m *wire.Message, f flow, now time.Time) {
	if l != nil {
		_, method := m.CSeq()
		l.note(gistOf(m, now), f, method, bodyOf(m))
	}
}

// resent notes a response of ours, or an ACK, that goes out again.
func (l *messageLog) resent(b []byte, f flow, now time.Time) {
	if l == nil {
		return
	}
	if m, err := wire.Parse(b); err == nil {
		g := gistOf(m, now)
		g.sent, g.tag = true, 0
		if m.IsRequest() {
			to, _ := m.Line("To", 0)
			g.tag = tagHash(to)
		}
		_, method := m.CSeq()
		l.note(g, f, method, bodyOf(m))
	}
}

func gistOf(m *wire.Message, now time.Time) gist {
	g := gist{at: now.UnixNano()}
	g.seq, _ = m.CSeq()
	if m.IsRequest() {
		g.rest = strings.Clone(m.RequestURI())
	} else {
		g.status, g.rest, g.tag = uint16(m.Status()), phraseName(m.Status(), m.Reason()), tagHash(m.ToTag())
	}
	return g
}

// answered notes a response of ours to m.
func (l *messageLog) answered(m *wire.Message, f flow, status int, phrase, body string, now time.Time) {
	if l == nil {
		return
	}
	seq, method := m.CSeq()
	l.note(gist{at: now.UnixNano(), sent: true, seq: seq, status: uint16(status), rest: phrase}, f, method, body)
}

// asked notes a request of ours.
func (l *messageLog) asked(r *outRequest, f flow, now time.Time) {
	if l == nil {
		return
	}
	l.note(gist{at: now.UnixNano(), sent: true, seq: r.cseq, rest: r.uri, tag: tagHash(r.to)}, f, r.method, r.bodyType)
}

// logTag spreads To tags; two different ones never look like a repetition.
var logTag = maphash.MakeSeed()

func tagHash(tag string) uint64 { return maphash.String(logTag, tag) }

func bodyOf(m *wire.Message) string {
	if m.BodySize() == 0 {
		return ""
	}
	return m.MediaType()
}

// phraseName is a reason phrase that points into no message.
func phraseName(status int, phrase string) string {
	if usual := usualPhrase(status); usual == phrase {
		return usual
	}
	return strings.Clone(phrase)
}

// usualPhrase is the reason phrase nearly every phone uses.
func usualPhrase(status int) string {
	switch status {
	case 100:
		return "Trying"
	case 180:
		return "Ringing"
	case 183:
		return "Session Progress"
	case 200:
		return "OK"
	case 480:
		return "Temporarily Unavailable"
	case 486:
		return "Busy Here"
	case 487:
		return "Request Terminated"
	case 603:
		return "Decline"
	}
	return ""
}

// keepLog starts the log of a leg.
func (l *leg) keepLog() {
	l.dialog.log = &l.log
	l.w.server.ladders.add(l)
}

// retireLog keeps the log of a leg that is gone for a moment.
func (l *leg) retireLog() {
	log := l.dialog.log
	if log == nil {
		return
	}
	if t := &l.w.server.ladders; !t.linger() {
		t.drop(l.id, false)
		log.end()
		return
	}
	l.w.partings[l.key()] = log
	l.w.wakeAfter(&log.life, gistsKeptFor, l)
}

// logOver is when nobody asks for it any more.
func (l *leg) logOver() {
	delete(l.w.partings, l.key())
	l.w.server.ladders.drop(l.id, true)
	l.log.end()
}

// logOf is the log of the leg that a request inside a dialog belongs to or did a
// moment ago, nil without one.
func (w *worker) logOf(m *wire.Message) *messageLog {
	if tag := m.ToTag(); tag != "" {
		return w.logs(m.CallID(), tag)
	}
	return nil
}

// logs is the log of a leg that is here or has just gone, by its dialog.
func (w *worker) logs(callID, tag string) *messageLog {
	key := legKey{callID, tag}
	if l := w.legs[key]; l != nil {
		return l.dialog.log
	}
	return w.partings[key]
}
