package sdp_test

import (
	"fmt"
	"net/netip"

	"github.com/cordpair/cordpair/media/sdp"
)

func Example() {
	offer, err := sdp.Parse([]byte("v=0\no=- 1 1 IN IP4 192.0.2.9\nc=IN IP4 192.0.2.9\n" +
		"m=audio 4000 RTP/AVP 9 8 0 96\na=rtpmap:96 telephone-event/8000\nm=image 4002 udptl t38\n"))
	if err != nil {
		fmt.Println(err) // 400
		return
	}
	ours := sdp.Policy{Address: netip.MustParseAddr("198.51.100.1"), Port: 16384, Codecs: sdp.G711()}
	answer, result, err := sdp.Answer(offer, ours)
	if err != nil {
		fmt.Println(err) // 488
		return
	}
	fmt.Println(result.Codec, "as", result.Codec.PayloadType, "to", result.Remote, "with digits as", result.SendEvents)
	for _, m := range answer.Media {
		fmt.Println(m.Kind, m.Port, m.Codecs, m.Direction)
	}
	// Output:
	// PCMA/8000 as 8 to 192.0.2.9:4000 with digits as 96
	// audio 16384 [PCMA/8000 telephone-event/8000] sendrecv
	// image 0 [] sendrecv
}
