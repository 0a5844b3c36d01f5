package main

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/cordpair/cordpair/media/codec/worker"
)

const (
	bitrate = 48000 // bits a second: speech of full band
	waiting = 1024  // frames that wait for a shard
	// idle is how long a stream may be quiet before its encoder is given up.
	idle = 10 * time.Second
)

// job is a frame to encode.
type job struct {
	stream, number uint32
	rate, n        int
	pcm            [2880]int16
}

// jobs are those nobody works on.
var jobs = sync.Pool{New: func() any { return new(job) }}

// stream is an encoder and when it was used.
type stream struct {
	encoder *encoder
	rate    int
	used    time.Time
}

// shard encodes some of the streams, in one goroutine.
type shard struct {
	lib     *library
	to      *output
	jobs    chan *job
	streams map[uint32]*stream
	payload [worker.MaxPacket]byte
	out     []byte
}

func newShard(lib *library, to *output) *shard {
	return &shard{lib: lib, to: to, jobs: make(chan *job, waiting), streams: map[uint32]*stream{}}
}

// run encodes until there are no more jobs.
func (s *shard) run() {
	sweep := time.NewTicker(idle)
	defer sweep.Stop()
	for {
		select {
		case j, ok := <-s.jobs:
			if !ok {
				s.forget(time.Now())
				return
			}
			s.encode(j, time.Now())
			jobs.Put(j)
		case now := <-sweep.C:
			s.forget(now.Add(-idle))
		}
	}
}

// encode sends the packet of a frame. A frame the library refuses is lost.
func (s *shard) encode(j *job, now time.Time) {
	x := s.streams[j.stream]
	if x == nil {
		e, err := s.lib.newEncoder(j.rate, bitrate)
		if err != nil {
			return
		}
		x = &stream{encoder: e, rate: j.rate}
		s.streams[j.stream] = x
	}
	x.used = now
	if x.rate != j.rate {
		return // a stream keeps its rate
	}
	n, err := x.encoder.encode(s.payload[:], j.pcm[:j.n])
	if err != nil {
		return
	}
	s.out = worker.Append(s.out[:0], worker.Packet, j.stream, 4+n)
	s.out = binary.BigEndian.AppendUint32(s.out, j.number)
	s.out = append(s.out, s.payload[:n]...)
	s.to.packet(s.out, len(s.jobs) > 0)
}

// forget ends the streams that were last used before a moment.
func (s *shard) forget(before time.Time) {
	for id, x := range s.streams {
		if x.used.Before(before) {
			x.encoder.close()
			delete(s.streams, id)
		}
	}
}
