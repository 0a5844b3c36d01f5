package jitter

// How the delay is found.
const (
	first = 40e6 // the delay before anything is known, in ns
	// The quickest packet counts for one to two windows.
	window = 4e9
	// Delays are counted in bins of 5 ms; old ones fade.
	binSize = 5e6
	bins    = MaxDelay/binSize + 1
	fade    = 512 // packets after which all counts are halved
	known   = 16  // packets before which nothing is known
	// lost is the share that may come too late: one in 50.
	lost = 50
	// jump is a delay that is none: the party has stopped its clock for a while.
	jump = MaxDelay + 100e6
	// A packet is overdue by up to a frame, because frames are wanted every 20 ms.
	// More than slack of that, for a whole patience of packets, is too long.
	slack    = 25e6
	patience = 25
)

// timing finds out when packets shall be played.
type timing struct {
	clock  int
	seen   bool
	ts     uint32 // the newest
	media  int64  // it in ns
	base   int64  // transit time of the quickest packet: arrival minus media time
	recent int64  // the same, in the present window only
	since  int64  // when the window began
	target int64  // delay behind the quickest packet

	counts [bins]uint32
	total  uint32
	early  int // packets in a row that were overdue by more than slack
}

func (t *timing) reset(clock int) { *t = timing{clock: clock, target: first} }

// see learns from an arrival and gives the packet's place in time.
func (t *timing) see(now int64, ts uint32) (media int64) {
	if !t.seen {
		t.seen, t.ts, t.since = true, ts, now
		t.base, t.recent = now, now
	}
	d := int32(ts - t.ts)
	media = t.media + int64(d)*1e9/int64(t.clock)
	if d > 0 {
		t.ts, t.media = ts, media
	}
	transit := now - media
	if now-t.since > window {
		t.base, t.recent, t.since = t.recent, transit, now
	}
	t.recent = min(t.recent, transit)
	t.base = min(t.base, t.recent)
	if transit-t.base > jump {
		t.base, t.recent, t.since = transit, transit, now
	}
	t.count(transit - t.base)
	return media
}

// count notes how much later than the quickest a packet came.
func (t *timing) count(delay int64) {
	t.counts[min(delay/binSize, bins-1)]++
	t.total++
	if t.total < known {
		t.target = max(t.target, min(delay+binSize, MaxDelay))
		return
	}
	if t.total%known == 0 || delay > t.target {
		t.aim()
	}
	if t.total >= fade {
		t.total = 0
		for i := range t.counts {
			t.counts[i] /= 2
			t.total += t.counts[i]
		}
	}
}

// aim sets the delay: the shortest by which all but one in fifty are there.
func (t *timing) aim() {
	left := t.total / lost
	for i := len(t.counts) - 1; i >= 0; i-- {
		if t.counts[i] > left {
			t.target = min(max(int64(i+1)*binSize, MinDelay), MaxDelay)
			return
		}
		left -= t.counts[i]
	}
}

// due is when a packet shall be played.
func (t *timing) due(media int64) int64 { return t.base + media + t.target }

// hurry tells whether packets have been overdue for so long that it is no
// accident. late is by how much this one is, in ns.
func (t *timing) hurry(late int64) bool {
	if late <= slack {
		t.early = 0
		return false
	}
	t.early++
	return t.early > patience
}
