package sip

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/sip/wire"
)

// asking is how one method is challenged: a registrar with 401, everything else
// with 407, as the proxies do that phones are made for.
type asking struct {
	status            int
	phrase            string
	challenge, answer string // header names
}

var (
	askUser  = asking{401, "Unauthorized", "WWW-Authenticate", "Authorization"}
	askProxy = asking{407, "Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization"}
)

func askingFor(method string) asking {
	switch method {
	case methodRegister, methodSubscribe, methodPublish: // what we are the end of
		return askUser
	}
	return askProxy
}

// authenticated finds out whose request m is and whom it shows as the caller.
// When it cannot be told, m has been answered. The directory is asked once if, as
// nearly always, the request names the account whose credentials it carries.
func (w *worker) authenticated(m *wire.Message, f flow) (Account, call.Party, bool) {
	claimed := claimedIdentity(m)
	user, host := claimed.User, claimed.Host
	anonymous := m.Method() != methodRegister && isAnonymous(claimed)
	if anonymous {
		user, host = "", m.TargetURI().Host
	}
	named, known := w.server.directory.Account(user, host)
	realm := named.Domain
	if !known {
		realm = w.server.directory.Realm(user, host)
	}
	ask := askingFor(m.Method())
	c, found, err := credentials(m, ask, realm)
	if err != nil {
		w.server.metrics.authFailed("malformed")
		w.reply(m, f, 400, "Malformed "+ask.answer)
		return Account{}, call.Party{}, false
	}
	if !found {
		w.challenge(m, f, ask, realm, named.Policy, false)
		return Account{}, call.Party{}, false
	}
	account := named
	if c.Username != user {
		account, _ = w.server.directory.Account(c.Username, realm)
	}
	if !w.verified(m, f, ask, realm, &c, account) {
		return Account{}, call.Party{}, false
	}
	itself := anonymous || c.Username == user || known && named.Extension == account.Extension
	if !itself || !w.assertsItself(m, account) {
		w.noteForbidden(m, f, "identity")
		w.answer(m, f, 403, "Forbidden")
		return Account{}, call.Party{}, false
	}
	party := account.party()
	party.Anonymous = anonymous || wantsPrivacy(m)
	return account, party, true
}

// verified checks credentials and answers when they do not hold. An account that
// does not exist is the zero one, which nothing fits.
func (w *worker) verified(m *wire.Message, f flow, ask asking, realm string, c *digest.Credentials, account Account) bool {
	uri := m.TargetURI()
	v := w.server.nonces.Verify(c, account.Secret, digest.Request{
		Method: m.Method(), User: uri.User, Host: uri.Host, Server: f.host(), Realm: realm,
		Policy: account.Policy, Source: f.remote().Addr(),
	}, w.now)
	switch v.Outcome {
	case digest.OK:
		return true
	case digest.Foreign:
		// The nonce is not used up: a repetition gets the same answer.
		w.noteForbidden(m, f, string(v.Reason))
		w.reply(m, f, 403, "Forbidden")
	case digest.Stale:
		w.challenge(m, f, ask, realm, account.Policy, true)
	default:
		w.server.metrics.authFailed("digest")
		w.server.refusals.note("authentication", f.remote(), string(v.Reason)+": "+wire.Clean(c.Username), m.CallID())
		w.challenge(m, f, ask, realm, account.Policy, false)
	}
	return false
}

// hostText is an address as it stands in a URI.
func hostText(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// challenge asks for credentials. Nothing is kept; the nonce remembers for us.
func (w *worker) challenge(m *wire.Message, f flow, ask asking, realm string, p digest.Policy, stale bool) {
	w.nonce = w.server.nonces.AppendNonce(w.nonce[:0], realm, f.remote().Addr(), w.now)
	a := wire.Answer(w.buf[:0], m, f.remote(), ask.status, ask.phrase, passingTag(m))
	for _, alg := range p.Algorithms() {
		w.value = digest.AppendChallenge(w.value[:0], realm, w.nonce, alg, stale)
		a.Field(ask.challenge, string(w.value))
	}
	w.buf = a.End("", nil)
	w.sendStateless(m, f, ask.status, ask.phrase, w.buf)
}

func (w *worker) noteForbidden(m *wire.Message, f flow, reason string) {
	w.server.metrics.authFailed("forbidden")
	w.server.refusals.note("forbidden", f.remote(), reason, m.CallID())
}

// owns tells whether the name a request shows is the authenticated one's (A5).
func (w *worker) owns(a Account, user, host string) bool {
	shown, ok := w.server.directory.Account(user, host)
	return ok && shown.Extension == a.Extension
}

// assertsItself refuses a phone that asserts or prefers somebody else's identity
// (A5); the headers themselves go no further (F5). A telephone number counts as a
// name of the phone's own domain.
func (w *worker) assertsItself(m *wire.Message, a Account) bool {
	for _, list := range [...][]wire.Address{m.AssertedIdentities(), m.PreferredIdentities()} {
		for i := range list {
			host := a.Domain
			if !isTel(&list[i]) {
				host = strings.ToLower(list[i].URI.Host)
			}
			if !w.owns(a, userOf(&list[i]), host) {
				return false
			}
		}
	}
	return true
}

func isTel(a *wire.Address) bool { return strings.EqualFold(a.URI.Scheme, "tel") }

// userOf is the name or number that an address names.
func userOf(a *wire.Address) string {
	if !isTel(a) {
		return a.URI.User
	}
	_, number, _ := strings.Cut(a.URI.String(), ":")
	number, _, _ = strings.Cut(number, ";")
	return number
}

// claimedIdentity is the To of a REGISTER and the From of anything else.
func claimedIdentity(m *wire.Message) wire.URI {
	if m.Method() == methodRegister {
		return m.ToURI()
	}
	return m.FromURI()
}

func isAnonymous(u wire.URI) bool {
	return strings.EqualFold(u.User, "anonymous") || strings.EqualFold(u.Host, "anonymous.invalid")
}

// wantsPrivacy reads Privacy (RFC 3323) for anything that hides the identity.
func wantsPrivacy(m *wire.Message) bool {
	return m.Privacy()&wire.Anonymous != 0
}

// credentials returns those meant for realm. A header that is not Digest, or of
// a kind we never asked for, counts as none.
func credentials(m *wire.Message, ask asking, realm string) (digest.Credentials, bool, error) {
	for _, name := range [...]string{ask.answer, askUser.answer, askProxy.answer} {
		for n := 0; ; n++ {
			value, ok := m.Line(name, n) // few: checked before
			if !ok {
				break
			}
			c, err := digest.Parse(value)
			if errors.Is(err, digest.ErrMalformed) {
				return c, false, err
			}
			if err == nil && strings.EqualFold(c.Realm, realm) {
				return c, true, nil
			}
		}
	}
	return digest.Credentials{}, false, nil
}
