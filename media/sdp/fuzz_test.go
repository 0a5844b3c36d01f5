package sdp

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	pion "github.com/pion/sdp/v3"
)

// FuzzParse asserts that what was read can be written and is read as the same
// again, and that any offer is either refused for a reason or answered by the
// rules, in an answer pion reads too.
func FuzzParse(f *testing.F) {
	for _, p := range phones {
		f.Add([]byte(p.offer))
	}
	for _, s := range shapes(f) {
		f.Add([]byte(s.offer))
	}
	f.Add([]byte(manyCodecs))
	for _, text := range worst() {
		f.Add([]byte(text)[:2000])
	}
	opus := codec("opus", 48000, 2, 96, "useinbandfec=1")
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		roundTrip(t, d)
		negotiate(t, d, switchPolicy())
		wide := switchPolicy()
		wide.PassThrough, wide.Prefer = true, opus
		negotiate(t, d, wide)
		negotiate(t, d, armed())
	})
}

func roundTrip(t *testing.T, d *Description) {
	body := new(Writer).Write(d)
	if len(body) > MaxSize {
		return // U+FFFD is longer than the byte it stands for
	}
	again := mustParse(t, string(body))
	pionWrites(t, again, body)
	if d.Direction != again.Direction || d.Connection != again.Connection || !slices.Equal(d.Attributes, again.Attributes) || len(d.Media) != len(again.Media) {
		t.Fatalf("session\n%+v\nbecame\n%+v", d, again)
	}
	for i := range d.Media {
		was, is := d.Media[i], again.Media[i]
		was.Unknown = nil
		if !was.Address.IsValid() { // a host name is not kept; the session's address may then show
			was.Address, was.ownAddress = is.Address, is.ownAddress
			if !was.RTCPAddress.IsValid() {
				was.RTCPAddress = is.RTCPAddress
			}
		}
		if len(was.Formats) == 0 {
			was.Formats, is.Formats = nil, nil
		}
		if !reflect.DeepEqual(was, is) {
			t.Fatalf("line\n%+v\nbecame\n%+v", was, is)
		}
	}
}

func negotiate(t *testing.T, offer *Description, p Policy) {
	answer, r, err := Answer(offer, p)
	if err != nil {
		if !errors.Is(err, ErrNoCodec) && !errors.Is(err, ErrNoMedia) && !errors.Is(err, ErrNoProtection) {
			t.Fatalf("error of another kind: %v", err)
		}
	} else {
		checkAnswer(t, offer, mustWrite(t, answer), r)
	}
	var like []Codec
	for _, m := range offer.Media {
		like = append(like, m.Codecs...)
	}
	ours, err := Offer(answer, like, p)
	if err != nil {
		t.Fatalf("we can always offer: %v", err)
	}
	seen := mustWrite(t, ours)
	var used [128]bool
	for _, c := range seen.Media[seen.audioLine()].Codecs {
		if used[c.PayloadType] {
			t.Fatalf("%d twice in %+v", c.PayloadType, seen)
		}
		used[c.PayloadType] = true
	}
	// Another switch like us can answer what we offer.
	other := p
	other.Prefer = Codec{}
	if _, _, err := Answer(seen, other); err != nil {
		t.Fatalf("we refuse our own offer: %v", err)
	}
	if r, err := ReadAnswer(ours, offer); err == nil && (len(r.Accepted) == 0 || r.Codec.IsZero()) {
		t.Fatalf("settled nothing: %+v", r)
	}
}

// pionWrites tells whether pion writes what we wrote, which was read again as d.
func pionWrites(t testing.TB, d *Description, body []byte) {
	t.Helper()
	out := pion.SessionDescription{
		Origin:                pion.Origin{Username: "-", SessionID: d.Origin.SessionID, SessionVersion: d.Origin.Version, NetworkType: "IN", AddressType: "IP4", UnicastAddress: d.Origin.Address},
		SessionName:           "-",
		ConnectionInformation: pionConnection(d.Connection),
		TimeDescriptions:      []pion.TimeDescription{{}},
		Attributes:            pionAttributes(d.Attributes),
	}
	if strings.Contains(d.Origin.Address, ":") {
		out.Origin.AddressType = "IP6"
	}
	for i := range d.Media {
		m := &d.Media[i]
		if len(m.Formats) == 0 {
			return // pion leaves a space at the end
		}
		line := &pion.MediaDescription{
			MediaName:  pion.MediaName{Media: m.Kind, Port: pion.RangedPort{Value: int(m.Port)}, Protos: strings.Split(m.Proto, "/"), Formats: m.Formats},
			Attributes: pionAttributes(m.Attributes),
		}
		if m.Ports != 1 {
			ports := int(m.Ports)
			line.MediaName.Port.Range = &ports
		}
		if m.ownAddress {
			line.ConnectionInformation = pionConnection(m.Address)
		}
		out.MediaDescriptions = append(out.MediaDescriptions, line)
	}
	want, err := out.Marshal()
	if err != nil || string(want) != string(body) {
		t.Errorf("wrote\n%s\npion\n%s\n%v", body, want, err)
	}
}

func pionConnection(a netip.Addr) *pion.ConnectionInformation {
	if !a.IsValid() {
		return nil
	}
	kind := "IP4"
	if a.Is6() {
		kind = "IP6"
	}
	return &pion.ConnectionInformation{NetworkType: "IN", AddressType: kind, Address: &pion.Address{Address: a.String()}}
}

func pionAttributes(list []Attribute) []pion.Attribute {
	out := make([]pion.Attribute, len(list))
	for i, a := range list {
		out[i] = pion.Attribute{Key: a.Key, Value: a.Value}
	}
	return out
}

// pionReads tells whether pion takes what we wrote; it knows fewer kinds of media.
func pionReads(t testing.TB, d *Description, body []byte) {
	t.Helper()
	for _, m := range d.Media {
		if !slices.Contains([]string{"audio", "video", "text", "application", "message"}, m.Kind) || m.Port == 0 {
			return
		}
	}
	if err := new(pion.SessionDescription).Unmarshal(body); err != nil {
		t.Errorf("pion: %v in\n%s", err, body)
	}
}
