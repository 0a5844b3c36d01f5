// Package g722 is ITU-T G.722 at 64 kbit/s: two ADPCM coders, six bits for the
// band below 4 kHz and two for the one above, behind a pair of mirror filters.
//
// A byte is two samples at 16 kHz (RFC 3551 section 4.5.2: the RTP clock runs at
// 8000 Hz all the same, so it is one tick). Both directions also work at 8 kHz:
// the lower band is an 8 kHz signal of its own, so that a call between G.722 and
// a narrow-band codec needs neither the filters nor the upper band.
//
// A Decoder or Encoder is the state of one stream, belongs to whoever uses it,
// allocates nothing and may be copied. The zero value is not usable; see Reset.
//
//	var e g722.Encoder
//	e.Reset(16000)
//	n := e.Encode(payload, frame[:320]) // 160 bytes
package g722
