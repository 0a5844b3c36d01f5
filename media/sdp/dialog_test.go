package sdp

import (
	"fmt"
	"strings"
	"testing"
)

// step is one description in a dialog: what the far end offers and we answer, or with
// an empty body what we offer, and in the end the version and the lines of ours.
type step struct {
	why  string
	body string // m= lines and below of the far end's offer; empty: we offer
	like []Codec
	hold Direction // ours
	want string    // version, then kind, port, formats and direction of each line
}

// TestDialogs holds whole dialogs against RFC 3264 section 8: lines keep their places
// for good, their number only grows, payload types keep their meaning, and the
// version rises with every change and only then.
func TestDialogs(t *testing.T) {
	const audio = "m=audio 6000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	const off, video, fax = "m=audio 0 RTP/AVP 0\r\n", "m=video 6002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n", "m=image 6004 udptl t38\r\n"
	gsm, ilbc := codec("GSM", 8000, 1, 3, ""), codec("iLBC", 8000, 1, 97, "mode=20")
	speex := codec("speex", 8000, 1, 97, "")
	for name, steps := range map[string][]step{
		"a refresh changes nothing": {
			{"call", audio, nil, SendRecv, "1 audio 16384 [0 101] sendrecv"},
			{"the same again", audio, nil, SendRecv, "1 audio 16384 [0 101] sendrecv"},
		},
		"hold and resume": {
			{"call", audio, nil, SendRecv, "1 audio 16384 [0 101] sendrecv"},
			{"hold", audio + "a=sendonly\r\n", nil, SendRecv, "2 audio 16384 [0 101] recvonly"},
			{"hold at both ends", audio + "a=sendonly\r\n", nil, SendOnly, "3 audio 16384 [0 101] inactive"},
			{"by address", audio + "c=IN IP4 0.0.0.0\r\n", nil, SendRecv, "4 audio 16384 [0 101] recvonly"},
			{"resume", audio, nil, SendRecv, "5 audio 16384 [0 101] sendrecv"},
		},
		"lines come and go": {
			{"call", audio, nil, SendRecv, "1 audio 16384 [0 101] sendrecv"},
			{"a camera is added", audio + video, nil, SendRecv, "2 audio 16384 [0 101] sendrecv, video 0 [96]"},
			{"and a fax", audio + video + fax, nil, SendRecv, "3 audio 16384 [0 101] sendrecv, video 0 [96], image 0 [t38]"},
			{"all but the audio is off", audio + "m=video 0 RTP/AVP 96\r\nm=image 0 udptl t38\r\n", nil, SendRecv, "3 audio 16384 [0 101] sendrecv, video 0 [96], image 0 [t38]"},
			{"we offer: the lines stay", "", nil, SendRecv, "4 audio 16384 [8 0 101] sendrecv, video 0 [96], image 0 [t38]"},
			{"the audio moves to a new line", off + "m=video 0 RTP/AVP 96\r\nm=image 0 udptl t38\r\n" + audio, nil, SendRecv,
				"5 audio 0 [0], video 0 [96], image 0 [t38], audio 16384 [0 101] sendrecv"},
			{"we offer: it stays there", "", nil, SendRecv, "6 audio 0 [0], video 0 [96], image 0 [t38], audio 16384 [8 0 101] sendrecv"},
		},
		"we offer first": { // the far end calls without an offer, or we call
			{"offer", "", []Codec{ilbc, PCMU}, SendRecv, "1 audio 16384 [97 0 8 101] sendrecv"},
			{"hold", "", []Codec{ilbc, PCMU}, SendOnly, "2 audio 16384 [97 0 8 101] sendonly"},
			{"a number keeps its format", "", []Codec{speex, PCMU}, SendOnly, "3 audio 16384 [96 0 8 101] sendonly"},
			{"and the format its number", "", []Codec{gsm, ilbc, speex}, SendOnly, "4 audio 16384 [3 97 96 8 0 101] sendonly"},
			{"the far end offers with its own", "m=audio 6000 RTP/AVP 8 97\r\na=rtpmap:97 telephone-event/8000\r\n", nil, SendRecv, "5 audio 16384 [8 97] sendrecv"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var w Writer
			var sent *Description
			var used []Codec
			for _, s := range steps {
				p := switchPolicy()
				p.PassThrough, p.Direction, p.Used = true, s.hold, used
				if sent != nil {
					used = append(used, sent.Audio().Codecs...)
				}
				var err error
				if s.body == "" {
					sent, err = Offer(sent, s.like, p)
				} else {
					sent, _, err = Answer(mustParse(t, "v=0\r\no=- 5 5 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"+s.body), p)
				}
				if err != nil {
					t.Fatalf("%s: %v", s.why, err)
				}
				if got := inShort(mustParse(t, string(w.Write(sent)))); got != s.want {
					t.Errorf("%s:\n%s, want\n%s", s.why, got, s.want)
				}
			}
		})
	}
}

// inShort is the version and the lines of a description.
func inShort(d *Description) string {
	var out []string
	for _, m := range d.Media {
		line := fmt.Sprintf("%s %d %v", m.Kind, m.Port, m.Formats)
		if m.Port != 0 {
			line += " " + m.Direction.String()
		}
		out = append(out, line)
	}
	return fmt.Sprint(d.Origin.Version, " ", strings.Join(out, ", "))
}
