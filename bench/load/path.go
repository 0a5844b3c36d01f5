//go:build linux

package load

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/pion/srtp/v3"
)

// What phones say that do not take PCMU in the clear.
var (
	secureText = parseTemplate(`v=0
o=bench 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/SAVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:` + secureKey + `
a=ptime:20
a=sendrecv
`)
	pcmaText = oneFormat("8", "PCMA")
	g722Text = oneFormat("9", "G722")
)

// oneFormat is the description of a phone that speaks nothing else.
func oneFormat(payloadType, name string) template {
	return parseTemplate(`v=0
o=bench 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP ` + payloadType + `
a=rtpmap:` + payloadType + " " + name + `/8000
a=ptime:20
a=sendrecv
`)
}

// secureKey is the key of all callers: it protects nothing.
const secureKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"

// Lengths of AES_CM_128_HMAC_SHA1_80 in bytes (RFC 4568 section 6.2).
const (
	keyLength  = 16
	saltLength = 14
)

// prepare makes the two flows of a call what a path is measured with.
func (p Path) prepare(caller, callee *flow) (err error) {
	switch p {
	case Secure:
		caller.text = &secureText
		caller.secret.out, err = contextOf([]byte(secureKey))
	case Transcode:
		caller.text, caller.payloadType, caller.opaque = &pcmaText, 8, true
		callee.text, callee.payloadType, callee.opaque = &g722Text, 9, true
	}
	return err
}

// noise fills a payload with what is neither silence nor the same each time: every
// octet is a code of PCMA and of G.722.
func noise(payload []byte, seed uint32) {
	x := seed | 1
	for i := range payload {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		payload[i] = byte(x)
	}
}

// secret is SRTP of a flow; without contexts packets pass as they are.
type secret struct {
	out, in *srtp.Context
	buf     [2 * packetSize]byte
}

var errKey = errors.New("no usable key in the description")

// contextOf makes a context of the base64 text of a key with its salt.
func contextOf(text []byte) (*srtp.Context, error) {
	key, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || len(key) != keyLength+saltLength {
		return nil, errKey
	}
	c, err := srtp.CreateContext(key[:keyLength], key[keyLength:], srtp.ProtectionProfileAes128CmHmacSha1_80)
	if err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	return c, nil
}

// agree takes the far end's key from its description, if the flow has a secret.
func (f *flow) agree(sdp []byte) (err error) {
	if f.secret.out == nil {
		return nil
	}
	_, rest, _ := bytes.Cut(sdp, []byte(" AES_CM_128_HMAC_SHA1_80 inline:"))
	f.secret.in, err = contextOf(rest[:min(len(rest), len(secureKey))])
	return err
}

// seal protects a packet; it is valid until the next of the flow.
func (s *secret) seal(b []byte) []byte {
	if s.out == nil {
		return b
	}
	sealed, err := s.out.EncryptRTP(s.buf[:0], b, nil)
	if err != nil {
		return b // the target will not take it, and it counts as lost
	}
	return sealed
}

// open checks and decrypts a packet; nil is for one that is not genuine.
func (s *secret) open(b []byte) []byte {
	if s.in == nil {
		return b
	}
	plain, err := s.in.DecryptRTP(s.buf[:0], b, nil)
	if err != nil {
		return nil
	}
	return plain
}
