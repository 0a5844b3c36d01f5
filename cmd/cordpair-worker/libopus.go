//go:build linux || darwin

package main

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
)

// What opus_defines.h says.
const (
	applicationVoIP = 2048
	setBitrate      = 4002
)

// library is libopus.
type library struct {
	version string

	create  func(rate, channels, application int32, fault *int32) unsafe.Pointer
	encode  func(e unsafe.Pointer, pcm *int16, samples int32, payload *byte, room int32) int32
	control func(e unsafe.Pointer, what, value int32) int32
	destroy func(e unsafe.Pointer)
}

// load opens the library of the system.
func load(name string) (*library, error) {
	handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, err
	}
	l := &library{}
	var version func() string
	for symbol, fn := range map[string]any{
		"opus_get_version_string": &version,
		"opus_encoder_create":     &l.create,
		"opus_encode":             &l.encode,
		"opus_encoder_ctl":        &l.control,
		"opus_encoder_destroy":    &l.destroy,
	} {
		at, err := purego.Dlsym(handle, symbol)
		if err != nil {
			return nil, err
		}
		purego.RegisterFunc(fn, at)
	}
	l.version = version()
	return l, nil
}

// encoder is one stream of the library.
type encoder struct {
	lib   *library
	state unsafe.Pointer
}

// newEncoder makes a stream of one channel at a rate in Hz.
func (l *library) newEncoder(rate, bitrate int) (*encoder, error) {
	var fault int32
	e := l.create(int32(rate), 1, applicationVoIP, &fault)
	if e == nil || fault != 0 {
		return nil, fmt.Errorf("opus_encoder_create: error %d", fault)
	}
	x := &encoder{l, e}
	if fault = l.control(e, setBitrate, int32(bitrate)); fault != 0 {
		x.close()
		return nil, fmt.Errorf("opus_encoder_ctl: error %d", fault)
	}
	return x, nil
}

// encode compresses a frame of 10, 20, 40 or 60 ms.
func (e *encoder) encode(payload []byte, pcm []int16) (int, error) {
	n := e.lib.encode(e.state, &pcm[0], int32(len(pcm)), &payload[0], int32(len(payload)))
	if n < 0 {
		return 0, fmt.Errorf("opus_encode: error %d", n)
	}
	return int(n), nil
}

func (e *encoder) close() { e.lib.destroy(e.state) }
