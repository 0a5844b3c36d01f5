// Package codec is the table of the audio formats we can turn into samples and
// back, and what one stream of each needs: a Decoder or an Encoder.
//
// Everything works at the rate the caller asks for, 8000, 16000 or 48000 Hz: a
// format that has no such rate of its own is resampled. Two parties are best
// brought together at the lower of their rates.
//
// A Decoder or Encoder belongs to one stream and one goroutine at a time; making
// one allocates, using it does not. Frames are given in order: what was lost is
// the caller's business (Concealer).
//
//	f, ok := codec.Find("G722", 8000, 1)
//	d, err := f.NewDecoder(8000)
//	n, err := d.Decode(pcm, packet.Payload)
package codec
