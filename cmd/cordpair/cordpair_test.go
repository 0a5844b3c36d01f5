package main

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/media/g711"
	"github.com/cordpair/cordpair/media/mediatest"
)

// fake is a demo of n phones as cordpair describes it.
func fake(n int) cordpair.Demo {
	d := cordpair.Demo{
		SIP:     cordpair.DemoSIP{UDP: "127.0.0.1:5070", TCP: "127.0.0.1:5071", Domain: "demo.test", Realm: "demo.test"},
		Numbers: map[string]string{"echo": "*43"}, DataDir: "D", Explorer: "http://127.0.0.1:8080/explorer/",
		App: cordpair.DemoApp{ClientID: "APP", ClientSecret: "SECRET"},
	}
	for i := range n {
		user := strconv.Itoa(101 + i)
		d.Extensions = append(d.Extensions, cordpair.DemoExtension{User: user, Password: "secret-" + user})
	}
	return d
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSippFiles(t *testing.T) {
	dir := t.TempDir()
	if err := writeSipp(dir, fake(5)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"register.xml", "answer.xml", "call.xml", "call-rtp.xml"} {
		for d := xml.NewDecoder(strings.NewReader(strings.Replace(read(t, dir, name), "ISO-8859-1", "UTF-8", 1))); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	if text := read(t, dir, "call-rtp.xml"); !strings.Contains(text, `rtp_stream="`+dir+`/tone.pcmu,`) {
		t.Error("call-rtp.xml does not name the tone by its full path")
	}
	for name, want := range map[string][]string{
		"users.csv": {"101", "102", "103", "104", "105"},
		"echo.csv":  {"101*43", "102*43", "103*43", "104*43", "105*43"},
		"calls.csv": {"101102", "103104"},
	} {
		first, rest, _ := strings.Cut(read(t, dir, name), "\n")
		r := csv.NewReader(strings.NewReader(rest))
		r.Comma = ';'
		rows, err := r.ReadAll()
		if first != "SEQUENTIAL" || err != nil || len(rows) != len(want) {
			t.Fatalf("%s: %q, %v, %v", name, first, rows, err)
		}
		for i, row := range rows {
			who := row[0] + strings.Join(row[2:], "")
			if who != want[i] || row[1] != "[authentication username="+row[0]+" password=secret-"+row[0]+"]" {
				t.Errorf("%s: row %v, want %s", name, row, want[i])
			}
		}
	}
}

func TestPhoneFiles(t *testing.T) {
	dir := t.TempDir()
	if err := writePhones(dir, fake(6)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, user := range []string{"101", "102", "103", "104"} {
		for suffix, server := range map[string]string{"": "127.0.0.1:5070;transport=udp", "-tcp": "127.0.0.1:5071;transport=tcp"} {
			_, transport, _ := strings.Cut(server, "transport=")
			account := read(t, dir, user+suffix, "accounts")
			if !strings.HasPrefix(account, "<sip:"+user+"@demo.test;transport="+transport+`>;outbound="sip:`+server+`";auth_user=`+user+";auth_pass=secret-"+user+";") {
				t.Errorf("account %q", account)
			}
			for _, line := range strings.Split(read(t, dir, user+suffix, "config"), "\n") {
				if key, value, _ := strings.Cut(line, " "); strings.HasSuffix(key, "_listen") || key == "rtp_ports" {
					if seen[value] {
						t.Errorf("%s%s: %s is somebody else's", user, suffix, line)
					}
					seen[value] = true
				}
			}
			rc := read(t, dir, "linphonerc-"+user+suffix)
			for _, want := range []string{"username=" + user + "\n", "passwd=secret-" + user + "\n", "reg_proxy=<sip:" + server + ">\n"} {
				if !strings.Contains(rc, want) {
					t.Errorf("linphonerc-%s%s lacks %q", user, suffix, want)
				}
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "105")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a fifth phone has a folder: %v", err)
	}
}

// TestSecretsAreTheOwners: files with passwords can be read by nobody else.
func TestSecretsAreTheOwners(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(writeSipp(filepath.Join(dir, "sipp"), fake(1)), writePhones(filepath.Join(dir, "phones"), fake(1))); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(dir, "phones"), func(name string, e fs.DirEntry, err error) error {
		if info, err := e.Info(); err != nil || info.Mode()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTones(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tone.wav")
	if err := os.WriteFile(file, toneWAV(550), 0o600); err != nil {
		t.Fatal(err)
	}
	samples, rate := mediatest.ReadWAV(t, file)
	if len(samples) != rate*wavSeconds || mediatest.Share(samples, rate, 550) < -1 || math.Abs(mediatest.Level(samples)+9.03) > 0.1 {
		t.Errorf("tone: %d samples at %d Hz, 550 Hz has %.1f dB of %.1f", len(samples), rate, mediatest.Share(samples, rate, 550), mediatest.Level(samples))
	}
	ours, theirs := tonePCMU(), make([]byte, toneRate*pcmuSeconds)
	g711.EncodePCMU(theirs, tone(440, toneRate*pcmuSeconds))
	if !bytes.Equal(ours, theirs) {
		t.Error("mu-law differs from that of media/g711")
	}
	if size := binary.LittleEndian.Uint32(toneWAV(1)[4:]); int(size) != len(toneWAV(1))-8 {
		t.Errorf("RIFF size %d", size)
	}
}

func TestFreePort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	given := ports{}
	first, err := given.free(taken.Addr().String(), "udp", "tcp")
	if err != nil || first == taken.Addr().String() {
		t.Errorf("a taken port became %s, %v", first, err)
	}
	second, err := given.free(first, "tcp")
	if err != nil || second == first || netip.MustParseAddrPort(second).Addr() != netip.MustParseAddrPort(first).Addr() {
		t.Errorf("%s was given twice, or %v", second, err)
	}
	if _, err := given.free("somewhere", "tcp"); err == nil {
		t.Error("no error for what is no address")
	}
}
