package sdp

import "strings"

// Offers as families of phones make them, two captured and the others written down
// from their habits: what each puts where, in which order, and what it leaves out.

// phone is one offer and what we answer to it with G.711 alone.
type phone struct {
	name   string
	offer  string
	err    error
	codec  string // as in an rtpmap
	pt     uint8
	events int
	remote string
	rtcp   string
	dir    Direction // ours
	held   bool
	ptime  int
	lines  string // kind and port of each m= line we answer: "audio 16384, video 0"
}

// offerOf gives the offer of the row of that name.
func offerOf(name string) string {
	for _, p := range phones {
		if p.name == name {
			return p.offer
		}
	}
	panic("no phone " + name)
}

// lines joins lines with CR LF, as the RFC wants them.
func lines(l ...string) string { return strings.Join(l, "\r\n") + "\r\n" }

const oneAudio = "audio 16384"

var phones = []phone{
	{
		name: "baresip 1.0.0, as captured",
		offer: lines("v=0", "o=- 3886067294 1215208785 IN IP4 192.0.2.10", "s=-", "c=IN IP4 192.0.2.10", "t=0 0", "a=tool:baresip 1.0.0",
			"m=audio 20044 RTP/AVP 96 9 0 8 101", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 stereo=1;sprop-stereo=1",
			"a=rtpmap:9 G722/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000",
			"a=fmtp:101 0-15", "a=sendrecv", "a=label:1", "a=rtcp-rsize", "a=ssrc:3664359949 cname:sip:101@example.org", "a=minptime:20", "a=ptime:20"),
		codec: "PCMU/8000", pt: 0, events: 101, remote: "192.0.2.10:20044", rtcp: "192.0.2.10:20045", ptime: 20, lines: oneAudio,
	},
	{
		name: "linphonec 5.1.65, as captured",
		offer: lines("v=0", "o=linphone 3834 2014 IN IP4 192.0.2.2", "s=Talk", "c=IN IP4 192.0.2.2", "t=0 0",
			"a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics", "m=audio 25130 RTP/AVP 96 97 98 0 8 18 99 100 101",
			"a=rtpmap:96 opus/48000/2", "a=fmtp:96 useinbandfec=1", "a=rtpmap:97 speex/16000", "a=fmtp:97 vbr=on", "a=rtpmap:98 speex/8000",
			"a=fmtp:98 vbr=on", "a=fmtp:18 annexb=yes", "a=rtpmap:99 telephone-event/48000", "a=rtpmap:100 telephone-event/16000",
			"a=rtpmap:101 telephone-event/8000", "a=rtcp-fb:* trr-int 5000", "a=rtcp-fb:* ccm tmmbr"),
		codec: "PCMU/8000", pt: 0, events: 101, remote: "192.0.2.2:25130", rtcp: "192.0.2.2:25131", lines: oneAudio,
	},
	{
		name: "Linphone-like, AVPF, opus first, video",
		offer: lines("v=0", "o=101 2877 2877 IN IP4 192.0.2.11", "s=Talk", "c=IN IP4 192.0.2.11", "t=0 0",
			"a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics", "a=record:off",
			"m=audio 7078 RTP/AVPF 96 97 98 0 8 18 101 99 100", "a=rtpmap:96 opus/48000/2", "a=fmtp:96 useinbandfec=1",
			"a=rtpmap:97 speex/16000", "a=fmtp:97 vbr=on", "a=rtpmap:98 speex/8000", "a=fmtp:98 vbr=on", "a=fmtp:18 annexb=yes",
			"a=rtpmap:101 telephone-event/48000", "a=rtpmap:99 telephone-event/16000", "a=rtpmap:100 telephone-event/8000",
			"a=rtcp-fb:* trr-int 5000", "a=rtcp-fb:* ccm tmmbr",
			"m=video 9078 RTP/AVPF 96", "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack pli"),
		codec: "PCMU/8000", pt: 0, events: 100, remote: "192.0.2.11:7078", rtcp: "192.0.2.11:7079", lines: "audio 16384, video 0",
	},
	{
		name: "SIPp, built in, LF only",
		offer: "v=0\no=user1 53655765 2353687637 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n" +
			"m=audio 6000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n",
		codec: "PCMU/8000", pt: 0, events: -1, remote: "127.0.0.1:6000", rtcp: "127.0.0.1:6001", lines: oneAudio,
	},
	{
		name: "Yealink-like, wide band first, direction before the maps",
		offer: lines("v=0", "o=- 20081 20081 IN IP4 192.0.2.12", "s=SDP data", "c=IN IP4 192.0.2.12", "t=0 0",
			"m=audio 11780 RTP/AVP 9 0 8 18 101", "a=rtcp:11790", "a=sendrecv", "a=ptime:20", "a=rtpmap:9 G722/8000", "a=rtpmap:0 PCMU/8000",
			"a=rtpmap:8 PCMA/8000", "a=rtpmap:18 G729/8000", "a=fmtp:18 annexb=no", "a=fmtp:101 0-15", "a=rtpmap:101 telephone-event/8000"),
		codec: "PCMU/8000", pt: 0, events: 101, remote: "192.0.2.12:11780", rtcp: "192.0.2.12:11790", ptime: 20, lines: oneAudio,
	},
	{
		name: "Yealink-like, encryption wished for in a line of its own",
		offer: lines("v=0", "o=- 20082 20082 IN IP4 192.0.2.12", "s=SDP data", "c=IN IP4 192.0.2.12", "t=0 0",
			"m=audio 11782 RTP/SAVP 8 101", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw",
			"a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000",
			"m=audio 11784 RTP/AVP 8 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000"),
		codec: "PCMA/8000", pt: 8, events: 101, remote: "192.0.2.12:11784", rtcp: "192.0.2.12:11785", lines: "audio 0, audio 16384",
	},
	{
		name: "Polycom-like, number of events 127, silence suppression noted",
		offer: lines("v=0", "o=- 1718610411 1718610411 IN IP4 192.0.2.13", "s=Polycom IP Phone", "c=IN IP4 192.0.2.13", "t=0 0",
			"a=sendrecv", "m=audio 2226 RTP/AVP 9 102 0 8 18 127", "a=rtpmap:9 G722/8000", "a=rtpmap:102 G7221/16000", "a=fmtp:102 bitrate=32000",
			"a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:18 G729/8000", "a=fmtp:18 annexb=no", "a=rtpmap:127 telephone-event/8000"),
		codec: "PCMU/8000", pt: 0, events: 127, remote: "192.0.2.13:2226", rtcp: "192.0.2.13:2227", lines: oneAudio,
	},
	{
		name: "Polycom-like, hold: session-level sendonly and the old address",
		offer: lines("v=0", "o=- 1718610411 1718610412 IN IP4 192.0.2.13", "s=Polycom IP Phone", "c=IN IP4 0.0.0.0", "t=0 0",
			"a=sendonly", "m=audio 2226 RTP/AVP 0 127", "a=rtpmap:0 PCMU/8000", "a=rtpmap:127 telephone-event/8000"),
		codec: "PCMU/8000", pt: 0, events: 127, remote: "0.0.0.0:2226", rtcp: "0.0.0.0:2227", dir: RecvOnly, held: true, lines: oneAudio,
	},
	{
		name: "Cisco-like, b= before c=, no rtpmap for what has a static type",
		offer: lines("v=0", "o=Cisco-SIPUA 11522 0 IN IP4 192.0.2.14", "s=SIP Call", "b=AS:4064", "t=0 0",
			"m=audio 16496 RTP/AVP 0 8 18 102 9 116 124 101", "b=TIAS:64000", "c=IN IP4 192.0.2.14", "a=trafficclass:conversational.audio.aq:admitted",
			"a=rtpmap:102 L16/16000", "a=rtpmap:116 iLBC/8000", "a=fmtp:116 mode=20", "a=rtpmap:124 ISAC/16000",
			"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=sendrecv"),
		codec: "PCMU/8000", pt: 0, events: 101, remote: "192.0.2.14:16496", rtcp: "192.0.2.14:16497", lines: oneAudio,
	},
	{
		name: "Cisco-like gateway, T.38 beside audio",
		offer: lines("v=0", "o=CiscoSystemsSIP-GW-UserAgent 5412 7723 IN IP4 192.0.2.15", "s=SIP Call", "c=IN IP4 192.0.2.15", "t=0 0",
			"m=audio 17120 RTP/AVP 8 19", "c=IN IP4 192.0.2.15", "a=rtpmap:8 PCMA/8000", "a=rtpmap:19 CN/8000",
			"m=image 17122 udptl t38", "c=IN IP4 192.0.2.15", "a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxRateManagement:transferredTCF"),
		codec: "PCMA/8000", pt: 8, events: -1, remote: "192.0.2.15:17120", rtcp: "192.0.2.15:17121", lines: "audio 16384, image 0",
	},
	{
		name: "Grandstream-like, ptime 20 and maxptime, G.722 with its real rate",
		offer: lines("v=0", "o=102 8000 8000 IN IP4 192.0.2.16", "s=SIP Call", "c=IN IP4 192.0.2.16", "t=0 0",
			"m=audio 5004 RTP/AVP 9 8 0 18 2 101", "a=sendrecv", "a=rtpmap:9 G722/16000", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=maxptime:60",
			"a=rtpmap:0 PCMU/8000", "a=rtpmap:18 G729/8000", "a=fmtp:18 annexb=no", "a=rtpmap:2 G726-32/8000",
			"a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"),
		codec: "PCMA/8000", pt: 8, events: 101, remote: "192.0.2.16:5004", rtcp: "192.0.2.16:5005", ptime: 20, lines: oneAudio,
	},
	{
		name: "Zoiper-like, everything it has, iLBC, GSM and Speex in between",
		offer: lines("v=0", "o=Z 1689254123 1 IN IP4 192.0.2.17", "s=Z", "c=IN IP4 192.0.2.17", "t=0 0",
			"m=audio 8000 RTP/AVP 106 9 98 101 0 8 3 97 110 112", "a=rtpmap:106 opus/48000/2", "a=fmtp:106 sprop-maxcapturerate=16000; minptime=20; useinbandfec=1",
			"a=rtpmap:98 telephone-event/48000", "a=fmtp:98 0-16", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16",
			"a=rtpmap:97 iLBC/8000", "a=fmtp:97 mode=20", "a=rtpmap:110 speex/8000", "a=rtpmap:112 speex/32000", "a=sendrecv", "a=rtcp-mux"),
		codec: "PCMU/8000", pt: 0, events: 101, remote: "192.0.2.17:8000", rtcp: "192.0.2.17:8001", lines: oneAudio,
	},
	{
		name: "IPv6 softphone, RTCP elsewhere",
		offer: lines("v=0", "o=- 1 1 IN IP6 2001:db8::20", "s=-", "c=IN IP6 2001:db8::20", "t=0 0",
			"m=audio 40000 RTP/AVP 8 101", "a=rtcp:50001 IN IP6 2001:db8::21", "a=rtpmap:101 telephone-event/8000"),
		codec: "PCMA/8000", pt: 8, events: 101, remote: "[2001:db8::20]:40000", rtcp: "[2001:db8::21]:50001", lines: oneAudio,
	},
	{
		name:  "old IPv6 hold",
		offer: lines("v=0", "o=- 1 2 IN IP6 2001:db8::20", "s=-", "c=IN IP6 ::", "t=0 0", "m=audio 40000 RTP/AVP 8"),
		codec: "PCMA/8000", pt: 8, events: -1, remote: "[::]:40000", rtcp: "[::]:40001", dir: RecvOnly, held: true, lines: oneAudio,
	},
	{
		name:  "inactive hold, direction in capitals",
		offer: lines("v=0", "o=- 1 2 IN IP4 192.0.2.18", "s=-", "c=IN IP4 192.0.2.18", "t=0 0", "m=audio 4000 RTP/AVP 0", "a=INACTIVE"),
		codec: "PCMU/8000", pt: 0, events: -1, remote: "192.0.2.18:4000", rtcp: "192.0.2.18:4001", dir: Inactive, held: true, lines: oneAudio,
	},
	{
		name:  "listener: recvonly is no hold",
		offer: lines("v=0", "o=- 1 2 IN IP4 192.0.2.18", "s=-", "c=IN IP4 192.0.2.18", "t=0 0", "m=audio 4000 RTP/AVP 0", "a=recvonly"),
		codec: "PCMU/8000", pt: 0, events: -1, remote: "192.0.2.18:4000", rtcp: "192.0.2.18:4001", dir: SendOnly, lines: oneAudio,
	},
	{
		name: "gateway without s= and t=, o= cut short, names in lower case",
		offer: lines("v=0", "o=gateway 12 12", "c=IN IP4 192.0.2.19", "m=audio 6000 rtp/avp 8 0 96", "a=rtpmap:8 pcma/8000/1",
			"a=rtpmap:0 pcmu/8000/1", "a=rtpmap:96 TELEPHONE-EVENT/8000", "X-vendor line that is none"),
		codec: "pcma/8000", pt: 8, events: 96, remote: "192.0.2.19:6000", rtcp: "192.0.2.19:6001", lines: oneAudio,
	},
	{
		name: "softphone with chat and application lines in front",
		offer: lines("v=0", "o=- 9 9 IN IP4 192.0.2.21", "s=-", "t=0 0", "m=message 7654 TCP/MSRP *", "c=IN IP4 192.0.2.21", "a=accept-types:text/plain",
			"m=application 7656 UDP/BFCP *", "c=IN IP4 192.0.2.21", "m=audio 7658 RTP/AVP 0", "c=IN IP4 192.0.2.22"),
		codec: "PCMU/8000", pt: 0, events: -1, remote: "192.0.2.22:7658", rtcp: "192.0.2.22:7659", lines: "message 0, application 0, audio 16384",
	},
	{
		name:  "host name instead of an address, short packets wished for",
		offer: lines("v=0", "o=- 9 9 IN IP4 phone.example.org", "s=-", "c=IN IP4 phone.example.org", "t=0 0", "m=audio 7000 RTP/AVP 0", "a=maxptime:10"),
		codec: "PCMU/8000", pt: 0, events: -1, remote: "invalid AddrPort", rtcp: "invalid AddrPort", ptime: 10, lines: oneAudio,
	},
	{
		name:  "first audio line off, second on",
		offer: lines("v=0", "o=- 9 9 IN IP4 192.0.2.23", "s=-", "c=IN IP4 192.0.2.23", "t=0 0", "m=audio 0 RTP/AVP 0", "m=audio 7000/2 RTP/AVP 8", "m=audio 7100 RTP/AVP 8"),
		codec: "PCMA/8000", pt: 8, events: -1, remote: "192.0.2.23:7000", rtcp: "192.0.2.23:7001", lines: "audio 0, audio 16384, audio 0",
	},
	{name: "wide band only", err: ErrNoCodec, offer: lines("v=0", "o=- 1 1 IN IP4 192.0.2.24", "s=-", "c=IN IP4 192.0.2.24", "t=0 0",
		"m=audio 7000 RTP/AVP 96 9 101", "a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000")},
	{name: "digits only", err: ErrNoCodec, offer: lines("v=0", "o=- 1 1 IN IP4 192.0.2.24", "s=-", "c=IN IP4 192.0.2.24", "t=0 0",
		"m=audio 7000 RTP/AVP 101 13", "a=rtpmap:101 telephone-event/8000")},
	{name: "PCMU at another rate", err: ErrNoCodec, offer: lines("v=0", "o=- 1 1 IN IP4 192.0.2.24", "s=-", "c=IN IP4 192.0.2.24", "t=0 0",
		"m=audio 7000 RTP/AVP 96", "a=rtpmap:96 PCMU/16000")},
	{name: "fax only", err: ErrNoMedia, offer: lines("v=0", "o=- 1 1 IN IP4 192.0.2.24", "s=-", "c=IN IP4 192.0.2.24", "t=0 0", "m=image 7000 udptl t38")},
	{name: "encrypted only", err: ErrNoProtection, offer: lines("v=0", "o=- 1 1 IN IP4 192.0.2.24", "s=-", "c=IN IP4 192.0.2.24", "t=0 0", "m=audio 7000 RTP/SAVP 0")},
	{name: "browser without gateway", err: ErrNoProtection, offer: lines("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0",
		"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "c=IN IP4 0.0.0.0", "a=rtpmap:111 opus/48000/2", "a=mid:0")},
	{name: "no line at all", err: ErrNoMedia, offer: lines("v=0", "o=- 1 1 IN IP4 192.0.2.24", "s=-", "c=IN IP4 192.0.2.24", "t=0 0")},
	{name: "all off", err: ErrNoMedia, offer: lines("v=0", "o=- 1 1 IN IP4 192.0.2.24", "s=-", "c=IN IP4 192.0.2.24", "t=0 0", "m=audio 0 RTP/AVP 0")},
}
