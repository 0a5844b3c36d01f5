package summary

import (
	"errors"
	"strings"
	"testing"

	"github.com/cordpair/cordpair/sip/event"
)

// rfc is the example of RFC 3842 section 5.2, its account in a form without
// angle brackets.
const rfc = "Messages-Waiting: yes\r\n" +
	"Message-Account: sip:alice@vmail.example.com\r\n" +
	"Voice-Message: 4/8 (1/2)\r\n" +
	"Video-Message: 0/2\r\n" +
	"\r\n" +
	"To: <alice@atlanta.example.com>\r\n" +
	"From: <bob@biloxi.example.com>\r\n"

func TestParse(t *testing.T) {
	s, err := Parse([]byte(rfc))
	if err != nil {
		t.Fatal(err)
	}
	want := Summary{Waiting: true, Account: "sip:alice@vmail.example.com"}
	want.Set(Voice, Counts{4, 8, 1, 2})
	want.Set(Video, Counts{0, 2, 0, 0})
	if s != want {
		t.Errorf("%+v", s)
	}
	for body, fault := range map[string]error{
		"":                            ErrNoStatus,
		"Voice-Message: 1/1\r\n":      ErrNoStatus,
		"Messages-Waiting: maybe\r\n": ErrNoStatus,
		"messages-waiting : YES\nVOICE-message:1/2(3/4)":                        nil,
		"Messages-Waiting: no\r\nsome words":                                    ErrLine,
		"Messages-Waiting: no\r\nVoice-Message: 1\r\n":                          ErrLine,
		"Messages-Waiting: no\r\nVoice-Message: -1/0":                           ErrLine,
		"Messages-Waiting: no\r\nVoice-Message: 1/4294967296":                   ErrLine,
		"Messages-Waiting: no\r\nVoice-Message: 1/1 (1/1":                       ErrLine,
		"Messages-Waiting: no\r\nVoice-Message: 1/1\r\nVoice-Message: 1/1":      ErrLine,
		"Messages-Waiting: no\r\nMessage-Account: sip:a\tb":                     ErrLine,
		"Messages-Waiting: no\r\nSmell-Message: 1/1":                            nil,
		"Messages-Waiting: no\r\n" + "X: " + strings.Repeat("x", longestLine+1): ErrLine,
	} {
		if _, err := Parse([]byte(body)); !errors.Is(err, fault) {
			t.Errorf("%.60q: %v, want %v", body, err, fault)
		}
	}
}

// FuzzParse: what is read and written again means the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{rfc, "Messages-Waiting: no\r\n", "Messages-Waiting:yes\nText-Message: 00001/2 (3/4)\n\n", "Messages-Waiting: no\r\nNone: 0/0"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse([]byte(s.String()))
		if err != nil || again != s {
			t.Errorf("%q became %q: %v", b, s.String(), err)
		}
	})
}

type fixed Summary

func (f fixed) Summary(int64) Summary { return Summary(f) }

// TestDocument: sources and publications are added up, and what is not new is not
// said.
func TestDocument(t *testing.T) {
	var mail Summary
	mail.Set(Voice, Counts{New: 1, Old: 1})
	p := New(fixed(mail))
	q := event.Query{
		Resource: event.Resource{Extension: 1, URI: "sip:101@acme.example"}, Full: true,
		Published: []event.Publication{{Body: []byte(rfc)}, {Body: []byte("Messages-Waiting: no\r\nVoice-Message: 4294967295/0\r\n")}},
	}
	doc, ok := p.Document(q)
	want := "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n" +
		"Voice-Message: 4294967295/9 (1/2)\r\nVideo-Message: 0/2 (0/0)\r\n"
	if !ok || string(doc.Body) != want {
		t.Errorf("%q", doc.Body)
	}
	q.Full, q.Seen = false, doc.Seen
	if _, ok := p.Document(q); ok {
		t.Error("the same once more")
	}
	q.Published = nil
	if doc, ok := p.Document(q); !ok || !strings.Contains(string(doc.Body), "Message-Account: sip:101@acme.example\r\nVoice-Message: 1/1 (0/0)") {
		t.Errorf("%v %q", ok, doc.Body)
	}
}
