package browsertest

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	rtcmedia "github.com/pion/webrtc/v4/pkg/media"

	"github.com/cordpair/cordpair/media"
)

// browser is pion's PeerConnection with one audio track, which speaks a tone.
type browser struct {
	ear
	t     *testing.T
	pc    *webrtc.PeerConnection
	hears sync.WaitGroup
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	var how webrtc.SettingEngine
	how.SetIncludeLoopbackCandidate(true)
	how.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	how.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	how.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(how)).NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	b := &browser{t: t, pc: pc}
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}, "audio", "test")
	must(t, err)
	_, err = pc.AddTrack(track)
	must(t, err)
	pc.OnTrack(func(far *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { b.hears.Go(func() { b.listens(far) }) })
	stop := make(chan struct{})
	var speaks sync.WaitGroup
	speaks.Go(func() {
		speak(stop, func(x []byte, _ uint16) { _ = track.WriteSample(rtcmedia.Sample{Data: x, Duration: frame}) }, browserTone)
	})
	t.Cleanup(func() {
		close(stop)
		speaks.Wait()
		must(t, pc.GracefulClose())
		b.hears.Wait()
	})
	return b
}

// listens ends when the connection is closed.
func (b *browser) listens(far *webrtc.TrackRemote) {
	for {
		p, _, err := far.ReadRTP()
		if err != nil {
			return
		}
		if p.PayloadType == 0 {
			b.hear(p.Payload)
		}
	}
}

// described waits for the candidates, so that there is no trickling: SIP has none.
func (b *browser) described(d webrtc.SessionDescription, err error) []byte {
	b.t.Helper()
	must(b.t, err)
	complete := webrtc.GatheringCompletePromise(b.pc)
	must(b.t, b.pc.SetLocalDescription(d))
	<-complete
	return []byte(b.pc.LocalDescription().SDP)
}

// offers makes an offer to a session and takes the answer.
func (b *browser) offers(s *media.Session, how *webrtc.OfferOptions) (offer, answer string) {
	b.t.Helper()
	o := b.described(b.pc.CreateOffer(how))
	_, err := s.SetOffer(o)
	must(b.t, err)
	a, err := s.Answer()
	must(b.t, err)
	must(b.t, b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(a)}))
	return string(o), string(a)
}

// answers takes the offer of a session and answers it.
func (b *browser) answers(s, caller *media.Session) {
	b.t.Helper()
	o, err := s.Offer(caller)
	must(b.t, err)
	must(b.t, b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(o)}))
	a := b.described(b.pc.CreateAnswer(nil))
	_, err = s.SetAnswer(a)
	must(b.t, err)
}

// conversation waits until each hears the tone of the other.
func conversation(t *testing.T, b *browser, p *phone) {
	t.Helper()
	b.deaf()
	p.deaf()
	until(t, "tone for the browser", func() bool { return b.has(phoneTone) })
	until(t, "tone for the phone", func() bool { return p.has(browserTone) })
}

func (b *browser) connected() bool {
	return b.pc.ConnectionState() == webrtc.PeerConnectionStateConnected
}

// line gives the first line of a description that begins so.
func line(description, begins string) string {
	for l := range strings.SplitSeq(description, "\r\n") {
		if strings.HasPrefix(l, begins) {
			return l
		}
	}
	return ""
}

// TestPionCalls: the offer of a PeerConnection is answered, both hear each other;
// then a re-offer that keeps everything, and an ICE restart, which keeps the keys.
func TestPionCalls(t *testing.T) {
	e := open(t)
	p, s, b := newPhone(t, e), begin(t, e, false), newBrowser(t)
	must(t, media.Join(p.session, s))
	_, first := b.offers(s, nil)
	until(t, "connection", b.connected)
	conversation(t, b, p)
	pair, err := b.pc.GetSenders()[0].Transport().ICETransport().GetSelectedCandidatePair()
	must(t, err)
	if local := s.LocalAddr(); pair.Remote.Address != here.String() || pair.Remote.Port != local.Port() {
		t.Errorf("the pair is %s, our port %s", pair, local)
	}
	if got, want := s.Stats().Source.Port(), pair.Local.Port; got != want {
		t.Errorf("we take %d for the browser's port, it is %d", got, want)
	}

	_, second := b.offers(s, nil)
	conversation(t, b, p)
	_, third := b.offers(s, &webrtc.OfferOptions{ICERestart: true})
	conversation(t, b, p)
	for _, l := range []string{"a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:"} {
		if line(first, l) == "" || line(first, l) != line(second, l) {
			t.Errorf("%s of a re-offer's answer differs: %s", line(first, l), line(second, l))
		}
		if same := line(second, l) == line(third, l); same == strings.HasPrefix(l, "a=ice") {
			t.Errorf("%s after a restart: %s", line(second, l), line(third, l))
		}
	}
	if st := s.Stats(); st.Forged != 0 {
		t.Errorf("%d of its packets were taken for forged", st.Forged)
	}
}

// TestPionIsCalled: a PeerConnection takes our offer.
func TestPionIsCalled(t *testing.T) {
	e := open(t)
	p, s, b := newPhone(t, e), begin(t, e, true), newBrowser(t)
	b.answers(s, p.session)
	must(t, media.Join(p.session, s))
	until(t, "connection", b.connected)
	conversation(t, b, p)
}

// TestPionLeaves: after the far end has closed, which tells DTLS but not us, the
// session goes on until SIP ends it, and the other party hears of nothing.
func TestPionLeaves(t *testing.T) {
	e := open(t)
	p, s, b := newPhone(t, e), begin(t, e, false), newBrowser(t)
	must(t, media.Join(p.session, s))
	b.offers(s, nil)
	conversation(t, b, p)
	must(t, b.pc.Close())
	p.deaf()
	heard := p.session.Stats().PacketsReceived
	until(t, "packets of the phone", func() bool { return p.session.Stats().PacketsReceived > heard+10 })
	if st := s.Close(); st.PacketsReceived == 0 || st.PacketsSent == 0 || st.Forged != 0 {
		t.Errorf("%+v", st)
	}
}
