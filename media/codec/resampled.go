package codec

import (
	"fmt"

	"github.com/cordpair/cordpair/media/codec/g722"
	"github.com/cordpair/cordpair/media/codec/opus"
	"github.com/cordpair/cordpair/media/codec/resample"
	"github.com/cordpair/cordpair/media/g711"
)

// resampledDecoder gives another rate than its format has.
type resampledDecoder struct {
	Decoder
	filter resample.Filter
	pcm    []int16 // Longest at the rate of the format
}

// decodeAt makes a decoder that works at one rate work at another.
func decodeAt(d Decoder, from, to int) Decoder {
	if from == to {
		return d
	}
	r := &resampledDecoder{Decoder: d, pcm: make([]int16, from/1000*Longest)}
	r.filter.Reset(from, to)
	return r
}

// Decode implements Decoder.
func (r *resampledDecoder) Decode(pcm []int16, payload []byte) (int, error) {
	n, err := r.Decoder.Decode(r.pcm, payload)
	return r.filter.Process(pcm, r.pcm[:n]), err
}

// resampledEncoder takes another rate than its format has.
type resampledEncoder struct {
	Encoder
	filter resample.Filter
	pcm    []int16
}

// encodeAt makes an encoder that works at one rate work at another.
func encodeAt(e Encoder, from, to int) Encoder {
	if from == to {
		return e
	}
	r := &resampledEncoder{Encoder: e, pcm: make([]int16, to/1000*Longest)}
	r.filter.Reset(from, to)
	return r
}

// Encode implements Encoder.
func (r *resampledEncoder) Encode(payload []byte, pcm []int16) int {
	return r.Encoder.Encode(payload, r.pcm[:r.filter.Process(r.pcm, pcm)])
}

type (
	lawDecoder func(dst []int16, src []byte) int
	lawEncoder func(dst []byte, src []int16) int
)

func (f lawDecoder) Decode(pcm []int16, payload []byte) (int, error) { return f(pcm, payload), nil }
func (f lawEncoder) Encode(payload []byte, pcm []int16) int          { return f(payload, pcm) }

func newMuLawDecoder(rate int) Decoder { return decodeAt(lawDecoder(g711.DecodePCMU), 8000, rate) }
func newALawDecoder(rate int) Decoder  { return decodeAt(lawDecoder(g711.DecodePCMA), 8000, rate) }
func newMuLawEncoder(rate int) Encoder { return encodeAt(lawEncoder(g711.EncodePCMU), rate, 8000) }
func newALawEncoder(rate int) Encoder  { return encodeAt(lawEncoder(g711.EncodePCMA), rate, 8000) }

type g722Decoder struct{ g722.Decoder }

func (d *g722Decoder) Decode(pcm []int16, payload []byte) (int, error) {
	return d.Decoder.Decode(pcm, payload), nil
}

// newG722Decoder works at both rates of the format without resampling.
func newG722Decoder(rate int) Decoder {
	native := min(rate, 16000)
	d := &g722Decoder{}
	d.Reset(native)
	return decodeAt(d, native, rate)
}

func newG722Encoder(rate int) Encoder {
	native := min(rate, 16000)
	e := &g722.Encoder{}
	e.Reset(native)
	return encodeAt(e, rate, native)
}

type opusDecoder struct{ *opus.Decoder }

func (d opusDecoder) Decode(pcm []int16, payload []byte) (int, error) {
	n, err := d.Decoder.Decode(pcm, payload)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	return n, nil
}

// newOpusDecoder works at all our rates without resampling.
func newOpusDecoder(rate int) Decoder { return opusDecoder{opus.New(rate)} }
