package worker

import (
	"encoding/binary"
	"sync"
	"time"
)

// ahead is how many frames of a stream may be on their way at once.
const ahead = 8

// idle is how long a stream is remembered after its last frame, at either end.
const idle = 10 * time.Second

// Tag is what the caller wants to know of a packet again.
type Tag struct {
	Epoch uint64
	Seq   uint16
	TS    uint32
	At    int64
}

// slot is a frame on its way, or the packet it has become.
type slot struct {
	tag    Tag
	number uint32
	n      int // bytes; 0 while it is on its way
	packet [MaxPacket]byte
}

// Encoder is one stream. Encode and Take are for one goroutine at a time.
type Encoder struct {
	worker *Worker
	rate   int

	// under the lock of the worker
	stream uint32 // 0 while the worker does not know it
	used   time.Time

	mu    sync.Mutex
	next  uint32 // number of the next frame
	taken uint32 // number of the next packet to be taken
	slots [ahead]slot
}

// Encode hands in 10, 20, 40 or 60 ms of samples; it does not keep them. It is false
// if nothing will come of them.
func (e *Encoder) Encode(tag Tag, pcm []int16) bool {
	e.mu.Lock()
	number := e.next
	s := &e.slots[number%ahead]
	s.tag, s.number, s.n = tag, number, 0
	e.next++
	e.mu.Unlock()
	return e.worker.post(e, number, pcm)
}

// Take copies the next packet that is ready; payload has room for MaxPacket bytes.
// They come in the order of their frames, and what comes late is left out.
func (e *Encoder) Take(payload []byte) (tag Tag, n int, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.next-e.taken > ahead {
		e.taken = e.next - ahead
	}
	for at := e.taken; at != e.next; at++ {
		if s := &e.slots[at%ahead]; s.n > 0 {
			e.taken = at + 1
			return s.tag, copy(payload, s.packet[:s.n]), true
		}
	}
	return Tag{}, 0, false
}

// done takes a packet the worker has made.
func (e *Encoder) done(body []byte) {
	if len(body) < 5 || len(body)-4 > MaxPacket {
		return
	}
	number := binary.BigEndian.Uint32(body)
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := &e.slots[number%ahead]; s.number == number && s.n == 0 {
		s.n = copy(s.packet[:], body[4:])
	}
}
