//go:build linux || darwin

package main

import (
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cordpair/cordpair/media/codec/resample"
	"github.com/cordpair/cordpair/media/mediatest"
	"github.com/cordpair/cordpair/media/sounds"
)

var write = flag.Bool("write", false, "write the packets that media/codec/opus is tested with")

// What else opus_defines.h has; the modes are those of its opus_private.h.
const (
	setBandwidth = 4008
	setDTX       = 4016
	forceMode    = 11002

	silkOnly, hybrid, celtOnly         = 1000, 1001, 1002
	narrow, medium, wide, super, whole = 1101, 1102, 1103, 1104, 1105
)

// vectors are the modes that packets are made in.
var vectors = []struct {
	name                                    string
	mode, bandwidth, bitrate, channels, dtx int32
	ms                                      int
}{
	{"silk-nb", silkOnly, narrow, 20000, 1, 0, 20},
	{"silk-mb", silkOnly, medium, 20000, 1, 0, 20},
	{"silk-wb", silkOnly, wide, 24000, 1, 0, 20},
	{"silk-wb-60ms", silkOnly, wide, 24000, 1, 0, 60},
	{"silk-stereo", silkOnly, wide, 32000, 2, 0, 20},
	{"hybrid-swb-10ms", hybrid, super, 32000, 1, 0, 10},
	{"hybrid-fb", hybrid, whole, 40000, 1, 0, 20},
	{"celt-nb", celtOnly, narrow, 32000, 1, 0, 20},
	{"celt-fb", celtOnly, whole, 64000, 1, 0, 20},
	{"celt-stereo", celtOnly, whole, 64000, 2, 0, 20},
	{"dtx", silkOnly, wide, 24000, 1, 1, 20},
}

// TestVectors makes every vector, and writes them when asked to.
func TestVectors(t *testing.T) {
	lib, err := load(libopus)
	if err != nil {
		t.Skip(err)
	}
	speech, _ := sounds.New().Lookup("your-number-is")
	var up resample.Filter
	up.Reset(8000, 48000)
	spoken := make([]int16, 6*len(speech))
	up.Process(spoken, speech)
	tone, pause := mediatest.Tone(1000, 48000, time.Second, -12), make([]int16, 72000)
	for _, v := range vectors {
		var fault int32
		e := lib.create(48000, v.channels, applicationVoIP, &fault)
		for what, value := range map[int32]int32{setBitrate: v.bitrate, setBandwidth: v.bandwidth, setDTX: v.dtx, forceMode: v.mode} {
			if fault := lib.control(e, what, value); fault != 0 {
				t.Fatalf("%s: control %d: %d", v.name, what, fault)
			}
		}
		in := append(append([]int16(nil), tone...), spoken...)
		if v.dtx != 0 {
			in = append(append(append(append([]int16(nil), tone...), pause...), spoken...), pause...)
		}
		var out []byte
		var payload [1500]byte
		for frame := 48 * v.ms; len(in) >= frame; in = in[frame:] {
			pcm := make([]int16, 0, 2*frame)
			for _, s := range in[:frame] {
				if pcm = append(pcm, s); v.channels == 2 {
					pcm = append(pcm, s)
				}
			}
			n := lib.encode(e, &pcm[0], int32(frame), &payload[0], int32(len(payload)))
			if n <= 0 {
				t.Fatalf("%s: encode: %d", v.name, n)
			}
			out = append(binary.BigEndian.AppendUint16(out, uint16(n)), payload[:n]...)
		}
		lib.destroy(e)
		if *write {
			if err := os.WriteFile(filepath.Join("../../media/codec/opus/testdata", v.name+".packets"), out, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
