// Package g711 converts between linear samples and the two companding laws of
// ITU-T G.711, and between the laws themselves.
//
// All functions are pure table look-ups over caller-owned slices, allocate
// nothing and may be used from anywhere at once. Linear samples are 16 bits
// wide, left aligned: full scale is ±32767 whatever the law.
//
//	var frame [160]int16
//	n := g711.DecodePCMU(frame[:], packet.Payload)
//	g711.EncodePCMA(out, frame[:n])
package g711
