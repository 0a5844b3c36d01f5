// Package opus decodes Opus (RFC 6716) as it comes in RTP (RFC 7587), with
// pion/opus. It knows all modes, SILK, hybrid and CELT, in one channel or two, and
// gives one channel at 8000, 16000 or 48000 Hz. Packets made by libopus 1.3.1 decode
// to what libopus makes of them: 45 dB or more below the signal what differs in SILK
// and hybrid, 85 dB in CELT, and the level within 0.02 dB.
//
// What a packet repeats of the one before it (in-band FEC) is not used: what is lost
// is made up by codec.Concealer.
//
// A Decoder belongs to one stream and one goroutine at a time. It allocates until it
// has seen the longest packet, and pion/opus where the mode changes or a packet is
// malformed; else nothing.
//
//	d := opus.New(8000)
//	n, err := d.Decode(pcm, packet.Payload)
package opus
