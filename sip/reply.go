package sip

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/netip"
	"strconv"

	"github.com/cordpair/cordpair/sip/wire"
)

// amplification is how many bytes we send over UDP for each byte of a request
// nobody has authenticated (S12).
const amplification = 3

// reply answers without keeping a transaction (RFC 3261 8.2.7): the same
// request gets the same answer because nothing about it but a nonce is random.
// An answer that would amplify is tried without its extra fields if it can do
// without them, and is not sent at all otherwise.
func (w *worker) reply(m *wire.Message, f flow, status int, phrase string, extra ...wire.Field) {
	tag := passingTag(m)
	b := w.render(m, f, status, phrase, tag, extra...)
	if status == 200 && amplifies(b, m, f) {
		b = w.render(m, f, status, phrase, tag)
	}
	w.sendStateless(m, f, status, phrase, b)
}

// sendStateless sends an answer that nothing is kept of, unless it would amplify.
func (w *worker) sendStateless(m *wire.Message, f flow, status int, phrase string, b []byte) {
	if len(b) == 0 || amplifies(b, m, f) {
		w.server.metrics.dropped("unanswerable")
		return
	}
	w.logOf(m).answered(m, f, status, phrase, "", w.now)
	w.transmit(f, b)
}

// render writes an answer into the worker's buffer, where it stays until the next.
// There is none to an ACK.
func (w *worker) render(m *wire.Message, f flow, status int, phrase, tag string, extra ...wire.Field) []byte {
	w.buf = wire.AppendReply(w.buf[:0], m, f.remote(), status, phrase, tag, extra...)
	return w.buf
}

// amplifies is about UDP only: over a stream the source is who it says.
func amplifies(b []byte, m *wire.Message, f flow) bool {
	return !f.reliable() && len(b) > amplification*m.Size()
}

// answer is the final response to a request whose sender is known. It makes a
// transaction, which absorbs repetitions of m for 32 s (S9): handled a second
// time, the same credentials would be a replay and the answer another one.
func (w *worker) answer(m *wire.Message, f flow, status int, phrase string, extra ...wire.Field) {
	w.answerIn(m, f, serverKey(m), status, phrase, extra...)
}

// answerIn is answer for who knows the key of m.
func (w *worker) answerIn(m *wire.Message, f flow, key txKey, status int, phrase string, extra ...wire.Field) {
	log := w.logOf(m)
	log.answered(m, f, status, phrase, "", w.now)
	b := w.render(m, f, status, phrase, w.tags.of(m), extra...)
	if m.Method() == methodInvite {
		tx := w.newServerTx(key, true, f)
		tx.log = log
		tx.respond(status, b)
		return
	}
	w.transmit(f, b)
	w.keep(key, txKey{}, f, false, b)
}

// answerWith is answer for a request that changes a dialog: 200 with our Contact,
// and a description if there is one.
func (w *worker) answerWith(l *leg, m *wire.Message, f flow, body []byte, extra ...wire.Field) {
	tx := w.newServerTx(serverKey(m), false, f)
	tx.log = l.dialog.log
	bodyType := ""
	if len(body) > 0 {
		bodyType = typeSDP
	}
	tx.log.answered(m, f, 200, "OK", bodyType, w.now)
	tx.respond(200, w.responded(m, f, 200, "OK", l.dialog.localTag, l.account.Number, body, extra...))
}

// stateless renders an answer with a tag of the caller's choice.
func (w *worker) stateless(m *wire.Message, f flow, status int, phrase, tag string, extra ...wire.Field) []byte {
	return wire.StatelessReply(m, f.remote(), status, phrase, tag, extra...)
}

func (s *Server) statelessReply(m *wire.Message, f flow, status int, phrase string, extra ...wire.Field) []byte {
	return wire.StatelessReply(m, f.remote(), status, phrase, s.replyTag(m), extra...)
}

// replyTag is the To tag of a stateless answer: a function of the request, so
// that a repeated request meets the same tag.
func (s *Server) replyTag(m *wire.Message) string {
	k := s.tags.Get().(*keyed)
	defer s.tags.Put(k)
	return k.of(m)
}

// tagOf is a tag that only we can make and that is always the same for seed.
func (s *Server) tagOf(seed []byte) string {
	k := s.tags.Get().(*keyed)
	defer s.tags.Put(k)
	k.begin()
	k.h.Write(seed)
	return k.tag()
}

// keyed is a keyed hash with the buffers it works on.
type keyed struct {
	h   hash.Hash
	in  []byte
	sum []byte
}

func newKeyed(key []byte) *keyed { return &keyed{h: hmac.New(sha256.New, key)} }

// of is the tag of an answer to m.
func (k *keyed) of(m *wire.Message) string {
	k.begin()
	for _, part := range [...]string{m.Branch(), m.CallID(), m.FromTag()} {
		k.add(part)
	}
	return k.tag()
}

func (k *keyed) begin() { k.h.Reset() }

// add takes one part; where one ends and the next begins is part of the hash.
func (k *keyed) add(part string) {
	k.in = append(append(k.in[:0], part...), '|')
	k.h.Write(k.in)
}

func (k *keyed) tag() string {
	k.sum = k.h.Sum(k.sum[:0])
	var text [16]byte
	hex.Encode(text[:], k.sum[:8])
	return string(text[:])
}

// response begins an answer inside a dialog, in the worker's buffer, with our tag, and
// where a dialog may come of it the Contact that leads to user in all of this dialog.
func (w *worker) response(m *wire.Message, f flow, status int, phrase, tag, user string) wire.Writer {
	a := wire.Answer(w.buf[:0], m, f.remote(), status, phrase, tag)
	if status < 300 {
		contactOf(&a, user, f)
		a.Field("Allow", allowHeader)
		a.Field("Supported", supportedHeader)
	}
	return a
}

// responded is response with all that is left to say.
func (w *worker) responded(m *wire.Message, f flow, status int, phrase, tag, user string, body []byte, extra ...wire.Field) []byte {
	a := w.response(m, f, status, phrase, tag, user)
	a.Fields(extra...)
	w.buf = a.End(typeSDP, body)
	return w.buf
}

// retryAfter spreads those we refuse over 5 to 30 s (O1).
func retryAfter() wire.Field {
	return wire.Field{Name: "Retry-After", Value: strconv.FormatInt(retryIn(), 10)}
}

// isOurs tells whether an address is one of our own SIP listeners, as it is
// bound or as it is announced (S14).
func (s *Server) isOurs(a netip.AddrPort) bool {
	for _, l := range s.udp {
		if l.is(l.addr, a) {
			return true
		}
	}
	for _, l := range s.tcp {
		if l.is(l.addr, a) {
			return true
		}
	}
	return false
}
