package secure

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"strings"
	"testing"
)

// derive is the key derivation of RFC 3711 section 4.3.3, written a second time.
func derive(master, salt []byte, label byte, n int) []byte {
	var x [16]byte
	copy(x[:], salt)
	x[7] ^= label
	block, err := aes.NewCipher(master)
	if err != nil {
		panic(err)
	}
	out := make([]byte, n)
	cipher.NewCTR(block, x[:]).XORKeyStream(out, out)
	return out
}

// The keys of RFC 3711 appendix B.3.
func TestDerivation(t *testing.T) {
	master, salt := unhex(t, "E1F97A0D3E018BE0D64FA32C06DE4139"), unhex(t, "0EC675AD498AFEEBB6960B3AABE6")
	for label, want := range []string{
		"C61E7A93744F39EE10734AFE3FF7A087",
		"CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2DC68",
		"30CBBC08863D8C85D49DB34A9AE1",
	} {
		w := unhex(t, want)
		if got := derive(master, salt, byte(label), len(w)); !bytes.Equal(got, w) {
			t.Errorf("label %d: %X", label, got)
		}
	}
}

// The packet that libsrtp's authors publish for the keys of RFC 3711 appendix B.3.
func TestKnownPacket(t *testing.T) {
	key := unhex(t, "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6")
	k, err := KeyOf(Offered()[0], key, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain := unhex(t, "800f1234decafbadcafebabe abababababababababababababababab")
	sealer, opener := contexts(t, k)
	got := seal(t, sealer, plain)
	if want := unhex(t, "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb"); !bytes.Equal(got, want) {
		t.Errorf("sealed to %x", got)
	}
	if back, err := opener.RTP(got); err != nil || !bytes.Equal(back, plain) {
		t.Errorf("opened to %x, %v", back, err)
	}
}

// independently protects a packet of rollover counter 0 by the letter of RFC 3711
// section 4.1.1 and RFC 7714 section 8.1, without the library.
func independently(k Key, plain []byte) []byte {
	x := k.suite.in()
	session, salt := derive(k.master, k.salt, 0, x.key), derive(k.master, k.salt, 2, x.salt)
	block, err := aes.NewCipher(session)
	if err != nil {
		panic(err)
	}
	var iv [16]byte
	if x.salt == 12 {
		copy(iv[2:], plain[8:12])
		copy(iv[10:], plain[2:4])
		for i, c := range salt {
			iv[i] ^= c
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			panic(err)
		}
		return gcm.Seal(bytes.Clone(plain[:12]), iv[:12], plain[12:], plain[:12])
	}
	copy(iv[4:], plain[8:12])
	copy(iv[12:], plain[2:4]) // the index; two bytes are left for the counter
	for i, c := range salt {
		iv[i] ^= c
	}
	out := bytes.Clone(plain)
	cipher.NewCTR(block, iv[:]).XORKeyStream(out[12:], out[12:])
	mac := hmac.New(sha1.New, derive(k.master, k.salt, 1, 20))
	mac.Write(out)
	mac.Write([]byte{0, 0, 0, 0})
	tag := 10
	if strings.HasSuffix(x.name, "_32") {
		tag = 4
	}
	return append(out, mac.Sum(nil)[:tag]...)
}

func TestAgainstASecondImplementation(t *testing.T) {
	for _, suite := range every() {
		k := NewKey(suite)
		s, o := contexts(t, k)
		for seq := range uint16(50) {
			plain := packet(0xcafebabe, seq*600)
			want := independently(k, plain)
			if got := seal(t, s, plain); !bytes.Equal(got, want) {
				t.Fatalf("%s: sealed to %x, not %x", suite, got, want)
			}
			if got, err := o.RTP(want); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%s: %v", suite, err)
			}
		}
	}
}
