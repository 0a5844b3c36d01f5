package jitter

// Bounds of the delay, in ns.
const (
	MinDelay = 20e6
	MaxDelay = 200e6
)

// capacity is how many packets are held and how far apart their numbers may be.
const capacity = 64

// patient is how many frames may be wanted in vain before the party is taken to be
// silent: many send nothing at all then.
const patient = 5

// MaxPayload is the longest payload taken, in bytes.
const MaxPayload = 1500

// Packet is one RTP packet.
type Packet struct {
	Seq uint16
	TS  uint32
	// Type is for the caller alone.
	Type uint8
	// Marker says that a talk spurt begins.
	Marker bool
	// Event packets (RFC 4733) have no length of their own and all the timestamp of
	// their beginning: they are played in order, as late as speech is.
	Event bool
	// Payload belongs to the buffer after Put has copied it, and to the caller until
	// the next Put or Next after Next has given it.
	Payload []byte

	// Torn, from Next: what came before it was left out or was long ago, so the
	// sound does not go on from there.
	Torn bool
	// Hurry, from Next: more is held back than needed; some may be cut out.
	Hurry bool
}

// Verdict is what became of a packet that arrived.
type Verdict uint8

// The verdicts.
const (
	Kept      Verdict = iota
	Late              // its time is over
	Duplicate         // it is here already
	TooLong           // more than MaxPayload
)

// Outcome is what there is to play.
type Outcome uint8

// The outcomes.
const (
	// Silence: the party says nothing, or it is not time for what it said.
	Silence Outcome = iota
	// Play: the packet.
	Play
	// Lost: a packet is missing, and a later one is here. It counts as long as the
	// last one.
	Lost
	// Starved: there should be a packet, and nothing is here.
	Starved
)

// cell is a packet that is held.
type cell struct {
	Packet
	media   int64 // its timestamp in ns
	arrived int64
	full    bool
}

// Buffer is the jitter buffer of one stream.
type Buffer struct {
	timing  timing
	cells   [capacity]cell // by the last bits of Seq
	spare   [][]byte       // payloads of empty cells
	playing []byte         // the payload the caller has
	held    int

	begun  bool   // the first packet has come
	going  bool   // the first packet is played
	spurt  bool   // the last thing played was speech, so the next is wanted right after it
	hungry int    // times it starved since there was a packet
	next   uint16 // to be played
	nextTS uint32 // where speech that goes on has its next timestamp
	ticks  uint32 // length of the last packet
	lastTS uint32 // of the last packet of speech
}

// New makes a buffer; clock is the rate of the timestamps in Hz.
func New(clock int) *Buffer {
	b := &Buffer{}
	b.timing.reset(clock)
	return b
}

// Reset forgets all packets and times: the numbering begins anew.
func (b *Buffer) Reset() {
	b.drop()
	b.timing.reset(b.timing.clock)
	b.begun, b.going, b.spurt = false, false, false
}

// Retime is Reset for timestamps at another rate, in Hz.
func (b *Buffer) Retime(clock int) {
	b.timing.clock = clock
	b.Reset()
}

// drop empties all cells.
func (b *Buffer) drop() {
	for i := range b.cells {
		b.empty(&b.cells[i])
	}
}

// Held is how many packets are held.
func (b *Buffer) Held() int { return b.held }

// Delay is what speech is held back at least, in ns.
func (b *Buffer) Delay() int64 { return b.timing.target }

// Put takes a packet that arrives now.
func (b *Buffer) Put(now int64, p Packet) Verdict {
	if len(p.Payload) > MaxPayload {
		return TooLong
	}
	switch d := int16(p.Seq - b.next); {
	case !b.begun:
		b.begun, b.next = true, p.Seq
	case d < 0 && !b.going && d > -capacity/2:
		b.next = p.Seq // overtaken by the first to arrive
	case d < 0:
		if !p.Event {
			b.timing.see(now, p.TS)
		}
		return Late
	case d >= capacity:
		b.Reset() // so much is missing that it is a new beginning
		b.begun, b.next = true, p.Seq
	}
	c := &b.cells[p.Seq%capacity]
	if c.full {
		if c.Seq == p.Seq {
			return Duplicate
		}
		b.empty(c) // only before the beginning, when an older first packet came
	}
	media := int64(0)
	if !p.Event {
		media = b.timing.see(now, p.TS)
	}
	payload := append(b.room()[:0], p.Payload...)
	*c = cell{Packet: p, media: media, arrived: now, full: true}
	c.Payload = payload
	b.held++
	return Kept
}

// room gives space for a payload.
func (b *Buffer) room() []byte {
	if n := len(b.spare); n > 0 {
		space := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return space
	}
	return nil
}

// empty gives up what a cell holds.
func (b *Buffer) empty(c *cell) {
	if c.full {
		b.spare = append(b.spare, c.Payload)
		c.full, c.Payload = false, nil
		b.held--
	}
}

// Next gives what to play now.
func (b *Buffer) Next(now int64) (Packet, Outcome) {
	if b.playing != nil {
		b.spare = append(b.spare, b.playing)
		b.playing = nil
	}
	c := b.first()
	if c == nil {
		if b.spurt {
			b.hungry++
			b.spurt = b.hungry < patient
			return Packet{}, Starved
		}
		return Packet{}, Silence
	}
	b.hungry = 0
	if c.Event {
		return b.event(c, now)
	}
	return b.speech(c, now)
}

// first is the oldest packet held, nil without one.
func (b *Buffer) first() *cell {
	if b.held == 0 {
		return nil
	}
	for i := range uint16(capacity) {
		if c := &b.cells[(b.next+i)%capacity]; c.full {
			return c
		}
	}
	return nil
}

// event plays telephone events as late after their arrival as speech is.
func (b *Buffer) event(c *cell, now int64) (Packet, Outcome) {
	switch {
	case now < c.arrived+b.timing.target && b.spurt:
		return Packet{}, Starved
	case now < c.arrived+b.timing.target:
		return Packet{}, Silence
	}
	b.spurt = false
	return b.take(c), Play
}

// speech plays a packet, or what is missing before it.
func (b *Buffer) speech(c *cell, now int64) (Packet, Outcome) {
	late := now - b.timing.due(c.media)
	if late > MaxDelay && b.held > 1 {
		return b.skip(c, now)
	}
	ahead := int32(c.TS - b.nextTS) // of what goes on
	if !b.going || !b.spurt || (c.Marker || c.Seq == b.next) && ahead != 0 {
		if late < 0 && b.held < capacity/2 {
			b.spurt = false
			return Packet{}, Silence
		}
		return b.speak(c, b.going), Play
	}
	if c.Seq != b.next && ahead > 0 && late < 0 {
		return b.lose()
	}
	torn := c.Seq != b.next
	hurry := b.timing.hurry(late)
	p := b.speak(c, torn)
	p.Hurry = hurry && !torn
	return p, Play
}

// skip leaves out what is so late that it would hold up everything after it.
func (b *Buffer) skip(c *cell, now int64) (Packet, Outcome) {
	for now-b.timing.due(c.media) > b.timing.target && b.held > 1 && !c.Event {
		b.next = c.Seq + 1
		b.empty(c)
		c = b.first()
	}
	if c.Event {
		return b.event(c, now)
	}
	return b.speak(c, true), Play
}

// lose gives up the packet that would be next.
func (b *Buffer) lose() (Packet, Outcome) {
	b.next++
	b.nextTS += b.ticks
	return Packet{}, Lost
}

// speak plays a packet of speech.
func (b *Buffer) speak(c *cell, torn bool) Packet {
	b.spurt, b.lastTS = true, c.TS
	b.nextTS = c.TS + b.ticks
	p := b.take(c)
	p.Torn = torn
	return p
}

// take hands out a packet.
func (b *Buffer) take(c *cell) Packet {
	b.going, b.next = true, c.Seq+1
	p := c.Packet
	b.playing = c.Payload
	c.full, c.Payload = false, nil
	b.held--
	return p
}

// Advance says how long the packet of speech was that Next gave last, in ticks of
// the clock. Without it the length of the one before counts.
func (b *Buffer) Advance(ticks int) {
	b.ticks = uint32(ticks)
	b.nextTS = b.lastTS + b.ticks
}

// Pause says that the packet Next gave last began a silence, such as comfort noise
// does (RFC 3389): nothing is missing until the next one is due.
func (b *Buffer) Pause() { b.spurt = false }
