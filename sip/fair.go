package sip

import "net/netip"

// spareLines is how many emptied lines are kept for the next sources.
const spareLines = 256

// fair is a lane: what waits for a worker, one message of each source in turn,
// and those of one source in the order they came. Who sends ten thousand waits
// behind himself, and everybody else one round (O3). With one source, or with
// one message from each, it is a plain queue.
type fair struct {
	// most and mostBytes bound it; one source has half of that.
	most, mostBytes int

	lines       map[netip.Addr]*line
	first, last *line // whose turn is next, and who is at the end of the round
	count       int
	bytes       int
	spare       *line
	spares      int
}

// line is what waits of one source.
type line struct {
	source netip.Addr
	jobs   []packet
	head   int // of jobs
	bytes  int
	next   *line
}

func newFair(most, mostBytes int) fair {
	return fair{most: most, mostBytes: mostBytes, lines: map[netip.Addr]*line{}}
}

// sourceOf is whom a message counts for: an address, or an IPv6 network of 64
// bits, out of which one far end may pick any address.
func sourceOf(from netip.AddrPort) netip.Addr {
	a := from.Addr()
	if a.Is6() {
		net64, _ := a.Prefix(64) // an IPv6 address has 64 bits
		return net64.Addr()
	}
	return a
}

// push puts p at the end of its source's line, or reports that there is no room.
func (q *fair) push(p packet) bool {
	source, size := sourceOf(p.from), len(p.data)
	l := q.lines[source]
	switch {
	case q.count >= q.most || q.bytes+size > q.mostBytes:
		return false
	case l != nil && (l.len() >= q.most/2 || l.bytes+size > q.mostBytes/2):
		return false
	case l == nil:
		l = q.open(source)
	}
	l.jobs = append(l.jobs, p)
	l.bytes += size
	q.bytes += size
	q.count++
	return true
}

// take appends up to n messages to batch, in the order of their turns.
func (q *fair) take(batch []packet, n int) []packet {
	for ; n > 0 && q.first != nil; n-- {
		l := q.first
		p := l.jobs[l.head]
		l.jobs[l.head] = packet{} // its data is the batch's now
		l.head++
		l.bytes -= len(p.data)
		q.bytes -= len(p.data)
		q.count--
		batch = append(batch, p)
		q.leave(l)
		if l.len() > 0 {
			q.join(l)
		} else {
			q.shut(l)
		}
	}
	return batch
}

// ahead is how many messages have their turn before the next one of a source of
// which n wait: each of the other sources has one, as often as this one has.
func (q *fair) ahead(n int) int { return min(q.count, (n+1)*len(q.lines)) }

func (l *line) len() int { return len(l.jobs) - l.head }

// open begins a line at the end of the round.
func (q *fair) open(source netip.Addr) *line {
	l := q.spare
	if l == nil {
		l = &line{}
	} else {
		q.spare, l.next = l.next, nil
		q.spares--
	}
	l.source = source
	q.lines[source] = l
	q.join(l)
	return l
}

// shut forgets an empty line.
func (q *fair) shut(l *line) {
	delete(q.lines, l.source)
	if q.spares == spareLines || cap(l.jobs) > 64 {
		return
	}
	l.jobs, l.head = l.jobs[:0], 0
	q.spare, l.next = l, q.spare
	q.spares++
}

func (q *fair) join(l *line) {
	if q.first == nil {
		q.first = l
	} else {
		q.last.next = l
	}
	q.last = l
}

// leave takes the first line out of the round.
func (q *fair) leave(l *line) {
	q.first, l.next = l.next, nil
	if q.first == nil {
		q.last = nil
	}
	if l.head > 64 && l.head > len(l.jobs)/2 {
		l.jobs, l.head = l.jobs[:copy(l.jobs, l.jobs[l.head:])], 0
	}
}
