//go:build linux

package main

import (
	"time"

	"github.com/cordpair/cordpair/bench/load"
)

// job is one process that is measured and what the load does to it.
type job struct {
	section string
	phones  int // accounts it needs
	calls   int // relayed calls
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
}

var (
	fullSize = size{
		phones: 8000, callPhones: 4000, idlePhones: 1000,
		load: 5 * time.Second, calls: 5 * time.Second, relay: 6 * time.Second, idle: 10 * time.Second,
		callRates: []int{100, 400, 1000}, relayed: []int{100, 500},
	}
	quickSize = size{
		phones: 1000, callPhones: 400, idlePhones: 200,
		load: time.Second, calls: time.Second, relay: time.Second, idle: time.Second,
		callRates: []int{100}, relayed: []int{20},
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
	for _, n := range s.relayed {
		all = append(all, job{section: "relay", phones: 2 * n, calls: n, targets: []string{ours, rtpengine, cRelay}, phases: []load.Phase{
			register(2 * n),
			{Kind: load.Relay, Name: relayName(n), Count: n, Time: s.relay},
		}})
	}
	return append(all, job{section: "idle", phones: s.idlePhones, targets: sip, phases: []load.Phase{
		register(s.idlePhones),
		{Kind: load.Idle, Time: 2 * time.Second},
		{Kind: load.Idle, Name: idleName, Time: s.idle},
	}})
}
