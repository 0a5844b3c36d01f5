package ladder

import (
	"cmp"
	"strconv"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// Call is what a ladder is made of: the record of a call.
type Call struct {
	UUID    call.ID
	Started time.Time // the zero of the time axis; zero: the first row
	Legs    []Leg     // in the order they came
	Trace   []call.TraceEntry
	Events  []Event // without call.decided, which Trace holds
}

// Leg is one leg of the call.
type Leg struct {
	ID        call.LegID
	Number    string // of the party
	Name      string // of the party, may be empty
	Direction call.Direction
	Messages  []call.Message // in their order
	Stats     call.MediaStats
	Moved     call.ID // the call that took the leg over, empty if none did
	Killed    bool    // the switch was during the leg, whose counters are lost
}

// Event is one event of the call.
type Event struct {
	Seq     int
	At      time.Time
	Kind    call.EventKind
	Leg     call.LegID // the leg it is about, empty: the call
	Cause   call.Cause
	By      call.LegID // who ended the call, empty: the switch
	Other   call.ID    // of a joined call
	Finding *call.Finding
}

// Switch is the id of the lane of the switch.
const Switch = "switch"

// Ladder is a call as lanes and rows.
type Ladder struct {
	UUID    call.ID   `json:"call_uuid"`
	Started time.Time `json:"started"`
	// Columns are the lanes from left to right: the caller, the switch, the
	// called phones in the order they were rung.
	Columns []Column `json:"columns" nullable:"false"`
	Rows    []Row    `json:"rows" nullable:"false"`
}

// Column is a lane.
type Column struct {
	ID    string `json:"id" doc:"call_api_id of the leg, or switch"`
	Title string `json:"title" doc:"Number and name of the party"`
	// Peer is where the first message of the leg came from or went to.
	Peer string `json:"peer,omitempty" doc:"Transport and address of the phone"`
	// Media are the counters of the leg; none for the switch. A leg takes them
	// along to the call that takes it over.
	Media *call.MediaStats `json:"media,omitempty" doc:"Counters of the leg's audio"`
	Moved call.ID          `json:"moved_to,omitempty" doc:"The call that took the leg over; the audio is counted there"`
	// Killed says why a phone has no Media.
	Killed bool `json:"killed,omitempty" doc:"The switch was killed during the leg; its counters are not known"`
}

// Kind says what a row shows.
type Kind string

// The kinds of row.
const (
	KindMessage  Kind = "message"
	KindDecision Kind = "decision"
	KindFinding  Kind = "finding"
	KindEvent    Kind = "event"
)

// Row is one thing that happened. From and To are ids of columns; what happens in
// one place has no To.
type Row struct {
	At       time.Time `json:"at"`
	OffsetMS float64   `json:"offset_ms" doc:"Milliseconds since the call began"`
	Kind     Kind      `json:"kind" enum:"message,decision,finding,event"`
	From     string    `json:"from"`
	To       string    `json:"to,omitempty"`
	// Text is the row in a few words, Detail the rest of it.
	Text   string `json:"text"`
	Detail string `json:"detail,omitempty"`
	// Verdict comes with a decision: taken, skipped or failed.
	Verdict string `json:"verdict,omitempty"`
	// Who comes with a decision: whom it is about.
	Who string `json:"who,omitempty"`
	// Repeats counts the identical messages that followed.
	Repeats int `json:"repeats,omitempty"`
	// Seq is the number of a decision or event in the call's sequence.
	Seq int `json:"seq,omitempty"`
}

// New makes the ladder of a call. It keeps nothing of c but the counters.
func New(c Call) Ladder {
	l := Ladder{UUID: c.UUID, Started: c.Started.UTC(), Columns: columns(c.Legs), Rows: merge(sources(c))}
	if c.Started.IsZero() && len(l.Rows) > 0 {
		l.Started = l.Rows[0].At
	}
	for i := range l.Rows {
		l.Rows[i].OffsetMS = float64(l.Rows[i].At.Sub(l.Started).Microseconds()) / 1000
	}
	return l
}

// columns puts the switch behind the caller.
func columns(legs []Leg) []Column {
	lanes := make([]Column, 0, len(legs)+1)
	hub := Column{ID: Switch, Title: Switch}
	if len(legs) == 0 || legs[0].Direction != call.Inbound {
		lanes = append(lanes, hub)
	}
	for i := range legs {
		leg := &legs[i]
		lane := Column{ID: string(leg.ID), Title: title(leg), Media: &leg.Stats, Moved: leg.Moved, Killed: leg.Killed}
		if leg.Killed {
			lane.Media = nil
		}
		if len(leg.Messages) > 0 {
			lane.Peer = leg.Messages[0].Peer
		}
		lanes = append(lanes, lane)
		if i == 0 && leg.Direction == call.Inbound {
			lanes = append(lanes, hub)
		}
	}
	return lanes
}

func title(leg *Leg) string {
	if leg.Name == "" || leg.Name == leg.Number {
		return cmp.Or(leg.Number, "anonymous")
	}
	return leg.Number + " " + leg.Name
}

// sources are the rows of each leg's messages, and those of the call's sequence.
func sources(c Call) [][]Row {
	list := make([][]Row, 0, len(c.Legs)+2)
	for i := range c.Legs {
		rows := make([]Row, len(c.Legs[i].Messages))
		for j, m := range c.Legs[i].Messages {
			rows[j] = messageRow(string(c.Legs[i].ID), m)
		}
		list = append(list, rows)
	}
	decisions, events := make([]Row, len(c.Trace)), make([]Row, len(c.Events))
	for i, e := range c.Trace {
		decisions[i] = decisionRow(e)
	}
	for i, e := range c.Events {
		events[i] = eventRow(e)
	}
	return append(list, decisions, events)
}

// merge takes the earliest of the sources' first rows again and again.
func merge(list [][]Row) []Row {
	rows := []Row{}
	for {
		best := -1
		for i := range list {
			if len(list[i]) > 0 && (best < 0 || earlier(&list[i][0], &list[best][0])) {
				best = i
			}
		}
		if best < 0 {
			return rows
		}
		rows = append(rows, list[best][0])
		list[best] = list[best][1:]
	}
}

// earlier reports whether a stands before b: see Order in the package comment.
func earlier(a, b *Row) bool {
	if c := a.At.Compare(b.At); c != 0 {
		return c < 0
	}
	if c := cmp.Compare(a.rank(), b.rank()); c != 0 {
		return c < 0
	}
	return a.Seq < b.Seq
}

func (r *Row) rank() int {
	switch {
	case r.Kind != KindMessage:
		return 1
	case r.To == Switch:
		return 0
	}
	return 2
}

func (l *Ladder) lane(id string) int {
	hub := 0
	for i := range l.Columns {
		if l.Columns[i].ID == id {
			return i
		}
		if l.Columns[i].ID == Switch {
			hub = i
		}
	}
	return hub // of a leg that is not in the record any more
}

// clock is the offset of a row in seconds with milliseconds.
func (r *Row) clock() string { return strconv.FormatFloat(r.OffsetMS/1000, 'f', 3, 64) }
