//go:build linux

package main

import (
	"time"

	"github.com/cordpair/cordpair/bench/load"
)

// job is one process that is measured and what the load does to it.
type job struct {
	section string
	phones  int    // accounts it needs
	ports   string // of the switch for RTP; empty for the usual ones
	calls   int    // relayed calls
	phases  []load.Phase
	// targets are who can do it.
	targets []string
}

// The columns.
const (
	ours      = "cordpair"
	kamailio  = "Kamailio"
	rtpengine = "rtpengine"
	cRelay    = "C relay"
)

var columns = []string{ours, kamailio, rtpengine, cRelay}

// size is one of two: for figures, and for a sanity run.
type size struct {
	phones, callPhones, idlePhones int
	load, calls, relay, idle       time.Duration
	callRates, relayed             []int
	beside                         int           // calls/s beside the most that are relayed
	attacked                       int           // calls
	attack                         time.Duration // for longer than the last one takes to begin
	flat                           []int         // relayed calls that share packets
	packets                        int           // a second
	secured, transcoded            []int         // relayed calls
	ramp                           []int         // calls/s
	step                           time.Duration // of the ramp
	flood                          int           // INVITEs a second of one source
	storm                          int           // phones that register at once
	scales                         []int         // registered phones, the fewest first
	held                           []int         // calls that are up
}

var (
	fullSize = size{
		phones: 8000, callPhones: 4000, idlePhones: 1000,
		load: 5 * time.Second, calls: 5 * time.Second, relay: 6 * time.Second, idle: 10 * time.Second,
		callRates: []int{100, 400, 1000}, relayed: []int{100, 500, 1000}, beside: 200, attacked: 24, attack: 12 * time.Second,
		flat: []int{100, 1000, 3000}, packets: 40000, secured: []int{200}, transcoded: []int{100},
		ramp: []int{300, 400, 500, 650, 800, 1000, 1250, 1600, 2000, 2500, 3200, 4000, 5000}, step: 3 * time.Second,
		flood: 50000, storm: 100000, scales: []int{1000, 20000, 100000, 1000000}, held: []int{100, 3000},
	}
	quickSize = size{
		phones: 1000, callPhones: 400, idlePhones: 200,
		load: time.Second, calls: time.Second, relay: time.Second, idle: time.Second,
		callRates: []int{100}, relayed: []int{20}, beside: 10, attacked: 12, attack: 12 * time.Second,
		flat: []int{10, 40}, packets: 2000, secured: []int{10}, transcoded: []int{10},
		ramp: []int{50, 100}, step: time.Second, flood: 2000, storm: 1000, scales: []int{100, 1000}, held: []int{10, 50},
	}
)

// talkTime is how long calls of the section calls last.
const talkTime = time.Second

// Names of phases, which are the rows' keys.
const (
	registerNew     = "register new"
	registerRefresh = "register refresh"
	optionsName     = "options"
	idleName        = "idle"
	preparing       = "" // its figures are not shown
)

// jobs are all jobs of one round.
func (o options) jobs() []job {
	s := fullSize
	if o.Quick {
		s = quickSize
	}
	if len(o.Relayed) > 0 {
		s.relayed, s.flat, s.secured, s.transcoded = o.Relayed, o.Relayed, o.Relayed, o.Relayed
	}
	register := func(n int) load.Phase { return load.Phase{Kind: load.Register, Count: n, Rate: 2000} }
	sip := []string{ours, kamailio}
	all := []job{
		{section: "registrations", phones: s.phones, targets: sip, phases: []load.Phase{
			{Kind: load.Register, Name: registerNew, Count: s.phones, Rate: o.Rate},
			{Kind: load.Refresh, Name: registerRefresh, Rate: o.Rate, Time: s.load},
		}},
		{section: "options", phones: 100, targets: sip, phases: []load.Phase{
			register(100),
			{Kind: load.Options, Rate: 500, Time: time.Second / 2},
			{Kind: load.Options, Name: optionsName, Rate: o.Rate, Time: s.load},
		}},
	}
	calls := job{section: "calls", phones: s.callPhones, targets: sip, phases: []load.Phase{
		register(s.callPhones),
		{Kind: load.Call, Rate: 100, Time: time.Second, Talk: talkTime},
	}}
	for _, rate := range s.callRates {
		calls.phases = append(calls.phases, load.Phase{Kind: load.Call, Name: callName(rate), Rate: rate, Time: s.calls, Talk: talkTime})
	}
	all = append(all, calls)
	all = append(all, s.relays()...)
	all = append(all, job{section: "idle", phones: s.idlePhones, targets: sip, phases: []load.Phase{
		register(s.idlePhones),
		{Kind: load.Idle, Time: 2 * time.Second},
		{Kind: load.Idle, Name: idleName, Time: s.idle},
	}})
	return append(all, o.limits(s)...)
}

// relays are the jobs with RTP: calls as phones have them, the most of them with others
// set up beside, and more and more calls that share one number of packets.
func (s size) relays() (all []job) {
	add := func(section string, n int, targets []string, p load.Phase) {
		p.Kind, p.Count, p.Time = load.Relay, n, s.relay
		if p.Attack {
			p.Time = s.attack
		}
		phones := 2*n + 4*p.Beside
		all = append(all, job{section: section, phones: phones, calls: n, ports: relayPorts, targets: targets, phases: []load.Phase{
			{Kind: load.Register, Count: phones, Rate: 2000}, p,
		}})
	}
	for _, n := range s.relayed {
		add("relay", n, []string{ours, rtpengine, cRelay}, load.Phase{Name: relayName(n)})
	}
	most := s.relayed[len(s.relayed)-1]
	add("beside", most, []string{ours, cRelay}, load.Phase{Name: relayBesideName(most, s.beside), Beside: s.beside, Talk: talkTime})
	add("attack", s.attacked, []string{ours, rtpengine, cRelay}, load.Phase{Name: attackName, Attack: true})
	for _, n := range s.flat {
		add("flat", n, []string{ours, cRelay}, load.Phase{Name: flatName(n), Packets: s.packets})
	}
	for _, n := range s.secured {
		add("secure-relay", n, []string{ours, cRelay}, load.Phase{Name: secureName(n), Path: load.Secure})
	}
	for _, n := range s.transcoded {
		add("transcode", n, []string{ours, cRelay}, load.Phase{Name: transcodeName(n), Path: load.Transcode})
	}
	return all
}

// relayPorts are those of the switch where RTP is measured: the load's own lie above.
const relayPorts = "14000-31999"

// shortTalk is how long calls last where only their number counts: media ports
// rest for two seconds after each.
const shortTalk = 100 * time.Millisecond

// manyPorts are enough for thousands of calls; the load's few sockets lie among
// them, and a port that is taken is passed over.
const manyPorts = "10000-61999"

// limits are the jobs that look for where it ends.
func (o options) limits(s size) []job {
	sip := []string{ours, kamailio}
	most := s.ramp[len(s.ramp)-1]
	// Enough that a phone is at rest again when its turn comes, at ten times what
	// is served.
	busy := job{section: "overload", phones: max(2*most, 400), ports: manyPorts, targets: sip}
	busy.phases = append(busy.phases, load.Phase{Kind: load.Register, Count: busy.phones, Rate: 2000})
	for _, rate := range s.ramp {
		busy.phases = append(busy.phases, load.Phase{Kind: load.Call, Name: rampName, Rate: rate, Time: s.step, Talk: shortTalk, Ramp: true})
	}
	for _, times := range []int{2, 5, 10} {
		busy.phases = append(busy.phases, load.Phase{Kind: load.Call, Name: overloadName(times), Times: times, Time: s.load, Talk: shortTalk})
	}
	jobs := []job{busy, s.flooded(sip), {section: "storm", phones: s.storm, targets: sip, phases: []load.Phase{
		{Kind: load.Register, Name: stormName, Count: s.storm, Rate: s.storm, Patient: true},
	}}}
	for _, n := range s.scales {
		jobs = append(jobs, o.scale(s, n))
	}
	besides := 4 * s.callRates[0]
	for _, n := range s.held {
		jobs = append(jobs, job{section: "scale", phones: 2*n + besides, ports: manyPorts, targets: []string{ours}, phases: []load.Phase{
			{Kind: load.Register, Count: 2*n + besides, Rate: 2000},
			{Kind: load.Call, Rate: s.callRates[0], Time: s.step, Talk: shortTalk},
			{Kind: load.Hold, Name: heldName(n), Count: n, Rate: 2 * s.callRates[0]},
			{Kind: load.Call, Name: besideName(n), Rate: s.callRates[0], Time: s.load, Talk: talkTime},
		}})
	}
	return jobs
}

// flooded is the job that floods calls at a rate that is no load by itself.
func (s size) flooded(targets []string) job {
	rate := s.callRates[0]
	return job{section: "flood", phones: 8 * rate, targets: targets, phases: []load.Phase{
		{Kind: load.Register, Count: 8 * rate, Rate: 2000},
		{Kind: load.Call, Rate: rate, Time: s.step, Talk: shortTalk},
		{Kind: load.Call, Name: floodName, Rate: 2 * rate, Time: 4 * s.load, Talk: shortTalk, Flood: s.flood},
	}}
}

// peerScale is how many phones the peer's setting has room for.
const peerScale = 20000

// scale is the job that refreshes the same number of registrations whatever n is,
// each once: of a phone that refreshes more than once, what is written behind is
// written once.
func (o options) scale(s size, n int) job {
	targets := []string{ours, kamailio}
	if n > peerScale {
		targets = targets[:1]
	}
	const rate = 8000
	return job{section: "scale", phones: n, targets: targets, phases: []load.Phase{
		{Kind: load.Register, Count: n, Rate: rate, Time: time.Duration(n/rate) * time.Second},
		{Kind: load.Idle, Time: s.step},
		{Kind: load.Refresh, Name: scaleName(n), Rate: o.Rate, Count: s.scales[0]},
	}}
}
