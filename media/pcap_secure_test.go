package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/pion/rtp"
)

// TestTapEncrypted: of an encrypted party a capture has in the clear what was said both
// ways, and a description under which that is read as plain RTP.
func TestTapEncrypted(t *testing.T) {
	for _, kind := range []string{"savp AES_CM_128_HMAC_SHA1_80", "dtls", "browser"} {
		t.Run(strings.Fields(kind)[0], func(t *testing.T) {
			onBoth(t, Config{}, func(t *testing.T, r *rig) {
				a, b := r.encrypted("1:0", kind), r.encrypted("2:0", "plain")
				mustCall(t, a.calls())
				mustCall(t, b.calls())
				mustCall(t, Join(a.session, b.session))
				r.settle()
				a.meets()
				b.meets()
				c := NewCapture()
				a.session.Tap(c)
				r.settle()
				talk(t, r, a, b, 20)
				a.session.Untap(c)
				r.settle()
				said := speechIn(t, c)
				if said[0x11] != 20 || said[0x22] != 20 || len(said) != 2 {
					t.Errorf("packets by what they say: %v", said)
				}
				theirs, ours := a.session.InForce()
				for _, d := range [][]byte{theirs, ours} {
					if !bytes.Contains(d, []byte(" RTP/AVP 0")) || !bytes.Contains(d, []byte("a=rtpmap:0 PCMU/8000")) {
						t.Errorf("in force: %q", d)
					}
				}
			})
		})
	}
}

// speechIn counts the RTP packets of a capture by the octet they are full of.
func speechIn(t *testing.T, c *Capture) map[byte]int {
	t.Helper()
	c.End()
	var file bytes.Buffer
	if err := c.Stream(context.Background(), &file, captureRoom, stay); err != nil {
		t.Fatal(err)
	}
	said := map[byte]int{}
	for _, block := range blocks(t, file.Bytes())[blockPacket] {
		udp := block[20:][:binary.LittleEndian.Uint32(block[12:])][20+8:]
		var p rtp.Packet
		if isRTCP(udp) {
			continue
		}
		if err := p.Unmarshal(udp); err != nil {
			t.Fatal(err)
		}
		for _, octet := range p.Payload {
			if octet != p.Payload[0] {
				t.Fatalf("payload %x", p.Payload)
			}
		}
		said[p.Payload[0]]++
	}
	return said
}
