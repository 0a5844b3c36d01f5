package ladder

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/cordpair/cordpair/dialplan/call"
)

// Measures of the drawing, in pixels.
const (
	svgFirst   = 190 // first lane
	svgWide    = 330 // between two lanes
	svgNarrow  = 210 // the same with more than three
	svgTop     = 80
	svgLine    = 17
	svgRow     = 26
	svgLetter  = 6.7 // width of a character of 11 px
	svgNoteMax = 74  // characters of a note's line
)

// WriteSVG draws the ladder as a picture that stands by itself: no script, no
// style and nothing fetched, so that it shows under a strict content security
// policy. All text of the call is escaped. The error is w's.
func (l Ladder) WriteSVG(w io.Writer) error {
	d := &drawing{Ladder: &l, hub: l.lane(Switch), gap: svgWide, y: svgTop}
	if len(l.Columns) > 3 {
		d.gap = svgNarrow
	}
	for i := range l.Rows {
		d.row(&l.Rows[i])
	}
	d.y += svgRow
	foot := d.y
	d.media()
	wide := max(d.x(len(l.Columns)-1)+d.gap/2, d.right+20)
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" `+
		`font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="11">`+"\n"+
		`<title>%[3]s</title>`+"\n"+
		`<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">`+
		`<path d="M0 0L8 4L0 8z" fill="#24507a"/></marker></defs>`+"\n"+
		`<rect width="%[1]d" height="%[2]d" fill="#ffffff"/>`+"\n%[4]s%[5]s</svg>\n",
		wide, d.y+10, escaped("call "+string(l.UUID)), d.rails(foot), d.out.String())
	return err
}

// drawing is an SVG ladder being drawn.
type drawing struct {
	*Ladder
	out   strings.Builder
	hub   int // lane of the switch
	gap   int
	y     int // of the present row's line
	right int // end of what was drawn
}

func (d *drawing) x(lane int) int { return svgFirst + lane*d.gap }

// escaped is text of the call as it may stand in the picture.
func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(visible(s))) // a Builder takes everything
	return b.String()
}

func (d *drawing) text(x, y int, anchor, fill, s string) {
	fmt.Fprintf(&d.out, `<text x="%d" y="%d" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, fill, escaped(s))
	if anchor == "start" {
		d.right = max(d.right, x+int(svgLetter*float64(width(s))))
	}
}

// rails are the heads and lanes, which lie below everything else.
func (d *drawing) rails(foot int) string {
	top := &drawing{Ladder: d.Ladder, hub: d.hub, gap: d.gap}
	fmt.Fprintf(&top.out, `<text x="14" y="22" font-size="13" fill="#222222">call %s, %s UTC</text>`+"\n",
		escaped(string(d.UUID)), d.Started.UTC().Format("2006-01-02 15:04:05.000"))
	room := int(float64(d.gap-20) / svgLetter)
	for i, col := range d.Columns {
		fill := "#e8eef4"
		if i == d.hub {
			fill = "#d6e6d6"
		}
		fmt.Fprintf(&top.out, `<rect x="%d" y="34" width="%d" height="38" rx="5" fill="%s"/>`+"\n", d.x(i)-d.gap/2+10, d.gap-20, fill)
		fmt.Fprintf(&top.out, `<line x1="%[1]d" y1="72" x2="%[1]d" y2="%[2]d" stroke="#9aa7b3"/>`+"\n", d.x(i), foot)
		y := 50
		if col.Peer == "" {
			y = 57
		}
		top.text(d.x(i), y, "middle", "#111111", cut(visible(col.Title), room-2))
		top.text(d.x(i), 65, "middle", "#5a6672", cut(visible(col.Peer), room-2))
	}
	return top.out.String()
}

func (d *drawing) row(r *Row) {
	d.y += svgRow
	d.text(14, d.y+4, "start", "#5a6672", r.clock()+" s")
	switch {
	case r.Kind == KindMessage:
		d.arrow(r)
	case r.Kind == KindEvent:
		d.event(r)
	default:
		d.box(r)
	}
}

// arrow draws a message, its label above the line in the gap beside the phone;
// pointing at the label shows the whole first line.
func (d *drawing) arrow(r *Row) {
	from, to := d.lane(r.From), d.lane(r.To)
	lo, hi := d.x(min(from, to)), d.x(max(from, to))
	fmt.Fprintf(&d.out, `<line x1="%d" y1="%d" x2="%d" y2="%[2]d" stroke="#24507a" marker-end="url(#head)"/>`+"\n", d.x(from), d.y+5, d.x(to))
	if d.hub == min(from, to) {
		lo = max(lo, hi-d.gap)
	} else {
		hi = min(hi, lo+d.gap)
	}
	label := cut(visible(r.label()), int(float64(d.gap-24)/svgLetter))
	fmt.Fprintf(&d.out, `<text x="%d" y="%d" text-anchor="middle" fill="#111111"><title>%s</title>%s</text>`+"\n",
		(lo+hi)/2, d.y, escaped(r.Detail), escaped(label))
}

// event marks a lane: beside the switch's to the right, else away from it.
func (d *drawing) event(r *Row) {
	lane := d.lane(r.From)
	fmt.Fprintf(&d.out, `<circle cx="%d" cy="%d" r="3.5" fill="#4a7a4a"/>`+"\n", d.x(lane), d.y)
	if lane > d.hub {
		d.text(d.x(lane)-9, d.y+4, "end", "#3c643c", d.note(r))
	} else {
		d.text(d.x(lane)+9, d.y+4, "start", "#3c643c", d.note(r))
	}
}

// boxes are the colours of a note and its border.
var boxes = map[string][2]string{
	call.VerdictTaken:   {"#e3f0fb", "#24507a"},
	call.VerdictSkipped: {"#f4f5f6", "#c3cad0"},
	call.VerdictFailed:  {"#fbe6e3", "#b04a3a"},
}

// box draws a decision or a finding as a note at the switch.
func (d *drawing) box(r *Row) {
	colours, ok := boxes[r.Verdict]
	if !ok {
		colours = [2]string{"#fff3cf", "#b8860b"}
	}
	lines := wrap(r.mark()+" "+visible(d.note(r)), svgNoteMax)
	wide := 0
	for _, line := range lines {
		wide = max(wide, int(svgLetter*float64(width(line)))+16)
	}
	x := d.x(d.hub) - 8
	fmt.Fprintf(&d.out, `<rect x="%d" y="%d" width="%d" height="%d" rx="4" fill="%s" stroke="%s"/>`+"\n",
		x, d.y-10, wide, svgLine*len(lines)+4, colours[0], colours[1])
	d.right = max(d.right, x+wide)
	for i, line := range lines {
		d.text(x+8, d.y+4+i*svgLine, "start", "#111111", line)
	}
	d.y += svgLine * (len(lines) - 1)
}

// media tells what was heard of each party.
func (d *drawing) media() {
	for _, col := range d.Columns {
		if col.Media != nil || col.Killed {
			d.y += svgLine
			d.text(14, d.y, "start", "#333333", "audio of "+col.Title+": "+mediaText(col))
		}
	}
}
