package ladder

import (
	"fmt"
	"io"
	"strings"

	"github.com/cordpair/cordpair/dialplan/call"
)

// Measures of the text form, in columns of a terminal.
const (
	textWidth = 100
	firstLane = 17 // behind the clock and half a title
	wideGap   = 34 // between two lanes
	lowGap    = 18 // the least; with more lanes than fit the lines get longer
	lastRoom  = 14 // behind the last lane
	clockRoom = 10
)

// WriteText draws the ladder for a terminal of 100 columns; a call of more than
// five legs needs more. The error is w's.
func (l Ladder) WriteText(w io.Writer) error {
	p := newPage(&l)
	fmt.Fprintf(&p.out, "call %s   %s UTC\n\n", visible(string(l.UUID)), l.Started.UTC().Format("2006-01-02 15:04:05.000"))
	p.heads()
	for i := range l.Rows {
		p.row(&l.Rows[i])
	}
	p.line(p.rails())
	p.media()
	_, err := io.WriteString(w, p.out.String())
	return err
}

// page is a text ladder being drawn.
type page struct {
	*Ladder
	out   strings.Builder
	at    []int // column of each lane
	width int
	hub   int // lane of the switch
}

func newPage(l *Ladder) *page {
	p := &page{Ladder: l, width: textWidth, hub: l.lane(Switch)}
	gap := wideGap
	if n := len(l.Columns); n > 3 {
		gap = max(lowGap, (textWidth-firstLane-lastRoom)/(n-1))
	}
	for i := range l.Columns {
		p.at = append(p.at, firstLane+i*gap)
	}
	p.width = max(p.width, p.at[len(p.at)-1]+lastRoom)
	return p
}

// canvas is one line: a cell for each column, empty behind a wide character.
type canvas []string

// blank is an empty line.
func (p *page) blank() canvas {
	c := make(canvas, p.width)
	for i := range c {
		c[i] = " "
	}
	return c
}

// rails is a line with nothing but the lanes.
func (p *page) rails() canvas {
	c := p.blank()
	for _, x := range p.at {
		c[x] = "│"
	}
	return c
}

// put writes s from column x on; what does not fit is left out.
func (c canvas) put(x int, s string) {
	x = max(x, 0)
	last := x
	for _, r := range s {
		n := cells(r)
		if n == 0 && last < x {
			c[last] += string(r) // a mark on the character before
			continue
		}
		if x+n > len(c) {
			return
		}
		last = x
		c[x] = string(r)
		if n == 2 {
			c[x+1] = ""
		}
		x += max(n, 1)
	}
}

func (p *page) line(c canvas) {
	p.out.WriteString(strings.TrimRight(strings.Join(c, ""), " "))
	p.out.WriteByte('\n')
}

// heads names the lanes.
func (p *page) heads() {
	titles, peers := p.blank(), p.blank()
	room := 2*firstLane - 2
	if len(p.at) > 1 {
		room = min(room, p.at[1]-p.at[0]-2)
	}
	for i, col := range p.Columns {
		for line, text := range map[*canvas]string{&titles: col.Title, &peers: col.Peer} {
			text = cut(visible(text), room)
			line.put(min(p.at[i]-width(text)/2, p.width-width(text)), text)
		}
	}
	p.line(titles)
	p.line(peers)
	p.line(p.rails())
}

func (p *page) row(r *Row) {
	if r.Kind == KindMessage {
		p.arrow(r)
		return
	}
	lane := p.lane(r.From)
	text := visible(p.note(r))
	if r.Kind == KindEvent && lane > p.hub {
		c := p.rails()
		c.put(p.at[lane]-1-width(text), text+" "+r.mark())
		c.put(0, fmt.Sprintf("%*s", clockRoom, r.clock()))
		p.line(c)
		return
	}
	if r.Kind != KindEvent {
		lane = p.hub // long: beside the switch there is most room
	}
	for i, part := range wrap(text, p.width-p.at[lane]-2) {
		c := p.rails()
		for x := p.at[lane] + 1; x < min(len(c), p.at[lane]+3+width(part)); x++ {
			c[x] = " "
		}
		c.put(p.at[lane]+2, part)
		if i == 0 {
			c.put(p.at[lane], r.mark())
			c.put(0, fmt.Sprintf("%*s", clockRoom, r.clock()))
		}
		p.line(c)
	}
}

// arrow draws a message, its label in the gap beside the phone.
func (p *page) arrow(r *Row) {
	c := p.rails()
	c.put(0, fmt.Sprintf("%*s", clockRoom, r.clock()))
	from, to := p.lane(r.From), p.lane(r.To)
	left, right := min(from, to), max(from, to)
	for x := p.at[left] + 1; x < p.at[right]; x++ {
		if c[x] == "│" {
			c[x] = "┼"
		} else {
			c[x] = "─"
		}
	}
	if to > from {
		c[p.at[to]-1] = "▶"
	} else if to < from {
		c[p.at[to]+1] = "◀"
	}
	lo, hi := p.at[left], p.at[right]
	if p.hub == left && right > left {
		lo = p.at[right-1]
	} else if p.hub == right && right > left {
		hi = p.at[left+1]
	}
	text := " " + cut(visible(r.label()), max(hi-lo-7, 1)) + " "
	c.put((lo+hi+1-width(text))/2, text)
	p.line(c)
}

// media tells what was heard of each party.
func (p *page) media() {
	p.out.WriteByte('\n')
	for _, col := range p.Columns {
		if col.Media != nil || col.Killed {
			lines := wrap(visible("audio of "+col.Title+": "+mediaText(col)), p.width-2)
			p.out.WriteString(strings.Join(lines, "\n  ") + "\n")
		}
	}
}

func mediaText(col Column) string {
	if col.Killed {
		return "not known, the switch was killed"
	}
	m := *col.Media
	switch {
	case m == (call.MediaStats{}) && col.Moved != "":
		return "counted in call " + string(col.Moved) + ", where it went on"
	case m == (call.MediaStats{}):
		return "none"
	}
	text := fmt.Sprintf("%d packets received, %d sent, %d lost, jitter %.1f ms", m.PacketsReceived, m.PacketsSent, m.Lost, m.JitterMS)
	far := ""
	if m.RoundTripMS > 0 || m.FarLost > 0 {
		far = fmt.Sprintf("far end: %d lost, jitter %.1f ms, round trip %.1f ms", m.FarLost, m.FarJitterMS, m.RoundTripMS)
	}
	forged := ""
	if m.Forged > 0 {
		forged = fmt.Sprintf("%d forged", m.Forged)
	}
	return join(", ", m.Codec, text, forged, far, prefixed("from ", m.Source))
}
