package sip_test

import (
	"strings"
	"testing"

	"github.com/cordpair/cordpair/sip"
)

// machine is a transaction of RFC 3261 section 17 as a table: a row for each event, a
// cell for each state, "sent > next". Sent is what the far end hears, by method or
// status, "x4" behind what it hears four times; "(480)" is what the caller hears of
// it where that is somebody else.
type machine struct {
	name   string
	states []string
	rows   []fsmRow
	// begin makes a transaction in the first state, paths lead to the others.
	begin  func(w *walk)
	paths  map[string][]string
	events map[string]func(w *walk)
	// look tells the state by what the switch does; it is the end of the transaction.
	look func(w *walk) string
}

// fsmRow is one event. Over streams the cells of stream differ; "" is as over datagrams.
type fsmRow struct {
	event         string
	cells, stream []string
}

// walk is one transaction on its way through a machine.
type walk struct {
	e           *edge
	far, caller *rawUA  // far end of the transaction; who placed the call
	callee      *rawUA  // of the call, if there is one
	r           request // of the caller
	invite, bye got     // of the switch
	store       *slowStore
	final       got // what the far end got last of 200 and up
}

// mute is a cell of something that cannot happen there.
const mute = "-"

// machines are figures 5 to 8 with RFC 6026 (2xx of INVITE) and RFC 4320 (nothing
// but final responses to anything else).
var machines = []machine{
	{
		name: "INVITE server", begin: (*walk).call, look: (*walk).lookInviteServer, events: callEvents,
		states: []string{"trying", "proceeding", "completed", "confirmed", "accepted", "terminated"},
		paths: map[string][]string{
			"proceeding": {"180"}, "completed": {"486"}, "confirmed": {"486", "ACK"}, "accepted": {"200"}, "terminated": {"486", "ACK", "64*T1"},
		},
		rows: []fsmRow{
			{event: "INVITE", cells: []string{"100 > trying", "180 > proceeding", "486 > completed", "> confirmed", "> accepted", "407 > terminated"}},
			{event: "180", cells: []string{"180 > proceeding", "> proceeding", "> completed", "> confirmed", "> accepted", "> terminated"}},
			{event: "200", cells: []string{"200 > accepted", "200 > accepted", "> completed", "> confirmed", "> accepted", "> terminated"}},
			{event: "486", cells: []string{"486 > completed", "486 > completed", "> completed", "> confirmed", "> accepted", "> terminated"}},
			{event: "ACK", cells: []string{"> trying", "> proceeding", "> confirmed", "> confirmed", "> accepted", "> terminated"}},
			{event: "CANCEL", cells: []string{"200 487 > completed", "200 487 > completed", "200 > completed", "200 > confirmed", "200 > accepted", "481 > terminated"}},
			// Timer G, and the repetition of a 2xx by its owner.
			{event: "T1", cells: []string{"> trying", "> proceeding", "486 > completed", "> confirmed", "200 > accepted", "> terminated"},
				stream: []string{"", "", "> completed", "", "", ""}},
			// Timers H, I (32 s for the sake of CANCEL) and L; who never acknowledged its 200 gets a BYE.
			{event: "64*T1", cells: []string{"480x2 > completed", "> proceeding", "486x10 > terminated", "> terminated", "200x10 BYEx2 > terminated", "> terminated"},
				stream: []string{"480 > completed", "", "> terminated", "", "200x10 BYE > terminated", ""}},
			{event: "transport error", cells: []string{mute, mute, mute, mute, mute, mute},
				stream: []string{"> terminated", "> terminated", "> terminated", "> terminated", "> terminated", "> terminated"}},
		},
	},
	{
		name: "INVITE client", begin: (*walk).callTo, look: (*walk).lookInviteClient, events: callEvents,
		states: []string{"calling", "proceeding", "completed", "accepted", "terminated"},
		paths:  map[string][]string{"proceeding": {"180"}, "completed": {"486"}, "accepted": {"200"}, "terminated": {"486", "64*T1"}},
		rows: []fsmRow{
			// Timer D is nought over streams.
			{event: "180", cells: []string{"(180) > proceeding", "> proceeding", "> completed", "> accepted", "> terminated"},
				stream: []string{"", "", "> terminated", "", ""}},
			{event: "200", cells: []string{"ACK (200) > accepted", "ACK (200) > accepted", "> completed", "ACK > accepted", "> terminated"},
				stream: []string{"", "", "> terminated", "", ""}},
			{event: "486", cells: []string{"ACK (486) > completed", "ACK (486) > completed", "ACK > completed", "> accepted", "> terminated"},
				stream: []string{"ACK (486) > terminated", "ACK (486) > terminated", "> terminated", "", ""}},
			{event: "CANCEL", cells: []string{"(200 487) > calling", "CANCEL (200 487) > proceeding", "(200) > completed", "(200) > accepted", "(481) > terminated"},
				stream: []string{"", "", "(200) > terminated", "", ""}},
			// Timer A.
			{event: "T1", cells: []string{"INVITE > calling", "> proceeding", "> completed", "> accepted", "> terminated"},
				stream: []string{"> calling", "", "> terminated", "", ""}},
			// Timers B, D and M.
			{event: "64*T1", cells: []string{"INVITEx6 (480) > terminated", "> proceeding", "> terminated", "> terminated", "> terminated"},
				stream: []string{"(480) > terminated", "", "", "", ""}},
			{event: "transport error", cells: []string{mute, mute, mute, mute, mute},
				stream: []string{"> terminated", "> terminated", "> terminated", "> terminated", "> terminated"}},
		},
	},
	{
		name: "other server", begin: (*walk).registers, look: (*walk).lookServer, events: requestEvents,
		states: []string{"trying", "completed", "terminated"},
		paths:  map[string][]string{"completed": {"answer"}, "terminated": {"answer", "64*T1"}},
		rows: []fsmRow{
			{event: "REGISTER", cells: []string{"> trying", "200 > completed", "401 > terminated"}},
			{event: "answer", cells: []string{"200 > completed", "> completed", "> terminated"}},
			{event: "ACK", cells: []string{"> trying", "> completed", "> terminated"}},
			{event: "CANCEL", cells: []string{"481 > trying", "481 > completed", "481 > terminated"}},
			{event: "T1", cells: []string{"> trying", "> completed", "> terminated"}},
			{event: "64*T1", cells: []string{"200 > completed", "> terminated", "> terminated"}}, // timer J
			{event: "transport error", cells: []string{mute, mute, mute},
				stream: []string{"> terminated", "> terminated", "> terminated"}},
		},
	},
	{
		name: "other client", begin: (*walk).hangsUp, look: (*walk).lookClient, events: byeEvents,
		states: []string{"trying", "proceeding", "completed", "terminated"},
		paths:  map[string][]string{"proceeding": {"100"}, "completed": {"200"}, "terminated": {"200", "64*T1"}},
		rows: []fsmRow{
			{event: "100", cells: []string{"> proceeding", "> proceeding", "> completed", "> terminated"},
				stream: []string{"> trying", "> trying", "> terminated", ""}}, // nothing is repeated that could be slower
			// Timer K is nought over streams.
			{event: "200", cells: []string{"> completed", "> completed", "> completed", "> terminated"},
				stream: []string{"> terminated", "> terminated", "> terminated", ""}},
			{event: "481", cells: []string{"> completed", "> completed", "> completed", "> terminated"},
				stream: []string{"> terminated", "> terminated", "> terminated", ""}},
			// Timers E, K and F.
			{event: "T1", cells: []string{"BYE > trying", "BYE > proceeding", "> completed", "> terminated"},
				stream: []string{"> trying", "> trying", "> terminated", ""}},
			{event: "T4", cells: []string{mute, mute, "> terminated", "> terminated"}},
			{event: "64*T1", cells: []string{"BYEx10 > terminated", "BYEx8 > terminated", "> terminated", "> terminated"},
				stream: []string{"> terminated", "> terminated", "", ""}},
			{event: "transport error", cells: []string{mute, mute, mute, mute},
				stream: []string{"> terminated", "> terminated", "> terminated", "> terminated"}},
		},
	},
}

// TestTransactions walks every event in every state of each machine, over
// datagrams and streams.
func TestTransactions(t *testing.T) {
	for _, m := range machines {
		for name, open := range transports {
			t.Run(m.name+" "+name, func(t *testing.T) {
				for _, row := range m.rows {
					for i, state := range m.states {
						want := row.cells[i]
						if name == "tcp" && row.stream != nil && row.stream[i] != "" {
							want = row.stream[i]
						}
						if want == mute {
							continue
						}
						t.Run(state+" "+row.event, func(t *testing.T) { m.walk(t, open, state, row.event, want) })
					}
				}
			})
		}
	}
}

// walk checks one cell.
func (m *machine) walk(t *testing.T, open func(*edge, string) *rawUA, state, event, want string) {
	store := &slowStore{}
	inEdge(t, func(e *edge) {
		w := &walk{e: e, far: open(e, "10.0.9.1:5060"), store: store}
		m.begin(w)
		for _, step := range m.paths[state] {
			m.events[step](w)
		}
		w.heard()
		m.events[event](w)
		sent, look := w.heard(), m.look
		if w.far.tcp == nil && w.far.udp == nil {
			look = (*walk).lookBroken
		}
		if got := strings.TrimSpace(sent + " > " + look(w)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		store.wg.Wait()
	}, func(c *sip.Config) { c.Location.Store = store })
}
