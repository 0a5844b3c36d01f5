package load

import "time"

// Spec is what a load process is told, as JSON on its standard input.
type Spec struct {
	// Target is the UDP address of the registrar and proxy; empty when only
	// relays are measured.
	Target string `json:"target,omitempty"`
	// Domain is that of all phones.
	Domain string  `json:"domain,omitempty"`
	Phones []Phone `json:"phones,omitempty"`
	// PIDs are the processes whose cost is read.
	PIDs []int `json:"pids"`
	// Phases are run one after the other; registrations last for all of them.
	Phases []Phase `json:"phases"`
}

// Phone is an account.
type Phone struct {
	User     string `json:"user"`
	Password string `json:"password"`
	// Domain, if it is not that of all phones.
	Domain string `json:"domain,omitempty"`
}

// Kind names what a phase does.
type Kind string

// The kinds of phases.
const (
	// Register lets Count phones from the first register, each once, with
	// challenge and answer.
	Register Kind = "register"
	// Refresh lets phones register again: all in turn for Time or, with a Count, so
	// many of them, spread over all, once each.
	Refresh Kind = "refresh"
	// Options sends OPTIONS for Time.
	Options Kind = "options"
	// Call makes calls of Talk without RTP between the phones for Time.
	Call Kind = "call"
	// Hold has Count calls without RTP up until the run ends; their phones take
	// no part in later calls.
	Hold Kind = "hold"
	// Relay has Count calls up and sends RTP both ways for Time.
	Relay Kind = "relay"
	// Idle does nothing for Time.
	Idle Kind = "idle"
)

// Path is what a target has to do between the two phones of a call.
type Path string

// The paths. A relay without signalling does the same for all.
const (
	// Plain passes PCMU on.
	Plain Path = ""
	// Secure passes PCMU on between a caller with SRTP (RFC 4568 keys,
	// AES_CM_128_HMAC_SHA1_80) and a callee with RTP.
	Secure Path = "secure"
	// Transcode is between a caller with PCMA only and a callee with G.722 only.
	Transcode Path = "transcode"
)

// Phase is one measurement.
type Phase struct {
	Kind Kind `json:"kind"`
	// Name is carried to the result.
	Name string `json:"name,omitempty"`
	// Rate is how many operations are begun per second.
	Rate  int           `json:"rate,omitempty"`
	Count int           `json:"count,omitempty"`
	Time  time.Duration `json:"time,omitempty"`
	Talk  time.Duration `json:"talk,omitempty"`
	// Ramp phases come one after the other at rising rates; after the first that
	// was not clean the rest is left out.
	Ramp bool `json:"ramp,omitempty"`
	// Times, if not 0, makes Rate so many times the last clean one of the ramp
	// before.
	Times int `json:"times,omitempty"`
	// Flood, with Call, is how many INVITEs a second come from one more source, in
	// every second tenth of Time.
	Flood int `json:"flood,omitempty"`
	// Patient phones try again after a 503, when its Retry-After has passed, and
	// after a time-out, as phones do after an outage.
	Patient bool `json:"patient,omitempty"`
	// Packets, with Relay, is how many packets a second all flows send together; 0 is
	// 50 of each.
	Packets int `json:"packets,omitempty"`
	// Beside, with Relay, is how many calls of Talk without RTP are begun a second
	// while packets are measured.
	Beside int `json:"beside,omitempty"`
	// Attack, with Relay, has somebody at another address send to every port, from
	// the moments of AttackBegins on.
	Attack bool `json:"attack,omitempty"`
	// Path, with Relay, is what the target has to do with the packets of each call.
	Path Path `json:"path,omitempty"`
	// Flows are the ports of a relay that needs no signalling: what arrives at
	// the first comes out to whoever sends to the second, and back.
	Flows [][2]uint16 `json:"flows,omitempty"`
	// NG is the address of an rtpengine that is asked for ports.
	NG string `json:"ng,omitempty"`
}

// Result is what one phase measured.
type Result struct {
	Phase
	// Done operations came to their good end; Failed did not.
	Done   int `json:"done"`
	Failed int `json:"failed"`
	// Refused were answered with 503, Refusal after what time.
	Refused int   `json:"refused,omitempty"`
	Refusal Delay `json:"refusal"`
	// InTime of Done were over when the last call was begun.
	InTime int `json:"in_time,omitempty"`
	// Best is the last clean rate of the ramp before, Most the most calls that were
	// completed in a second of it or of what was more.
	Best int     `json:"best,omitempty"`
	Most float64 `json:"most,omitempty"`
	// Limit says what was not clean about the step of the ramp after this one.
	Limit string `json:"limit,omitempty"`
	// Blemish is the first thing that kept it from being clean.
	Blemish string `json:"blemish,omitempty"`
	// FirstFailure says what went wrong first.
	FirstFailure string `json:"first_failure,omitempty"`
	// Resent were sent again by the load, Repeated by the target.
	Resent   int `json:"resent"`
	Repeated int `json:"repeated"`
	// CPU is what the target used during Took.
	CPU  time.Duration `json:"cpu_ns"`
	Took time.Duration `json:"took_ns"`
	// RSS and PSS are bytes before the phase and at its height.
	RSSBefore int64 `json:"rss_before"`
	RSSAfter  int64 `json:"rss_after"`
	PSSBefore int64 `json:"pss_before"`
	PSSAfter  int64 `json:"pss_after"`
	// Added is the delay that the target adds: from the INVITE with credentials
	// to the ringing, without the callee's part; or of an RTP packet.
	Added Delay `json:"added"`
	// Flooding compares the parts of Time with and without Flood.
	Flooding *Flooding `json:"flooding,omitempty"`
	// Sent and Received count RTP packets.
	Sent     int `json:"rtp_sent,omitempty"`
	Received int `json:"rtp_received,omitempty"`
	// Leaks are what attacks achieved, by AttackBegins.
	Leaks []Leak `json:"leaks,omitempty"`
	// Wakeups of the target's threads.
	Wakeups int64 `json:"wakeups"`
	// Loop is how the load itself fared.
	Loop Loop `json:"loop"`
	// Doubts are reasons not to trust the figures.
	Doubts []string `json:"doubts,omitempty"`
}

// Delay sums up durations.
type Delay struct {
	N   int           `json:"n"`
	P50 time.Duration `json:"p50_ns"`
	P99 time.Duration `json:"p99_ns"`
	Max time.Duration `json:"max_ns"`
}

// Flooding sums up what one source that floods does to the calls of others.
type Flooding struct {
	// Quiet and Flooded are the medians of the parts' p99 of Added, Ratio that of each
	// pair's own ratio: what else the machine does falls on both of a pair.
	Quiet   time.Duration `json:"quiet_ns"`
	Flooded time.Duration `json:"flooded_ns"`
	Ratio   float64       `json:"ratio"`
	// Sent is how many INVITEs the flood had.
	Sent int `json:"sent"`
}

// Loop is the load's own state during a phase.
type Loop struct {
	// Share of its core that it used, and what ran on the machine besides the
	// load and the target, in cores.
	Share  float64 `json:"share"`
	Others float64 `json:"others"`
	// Late is the share of the time spent in turns of the loop that took longer
	// than LateBy, waiting included; Latest is the worst.
	Late   float64       `json:"late"`
	Latest time.Duration `json:"latest_ns"`
	// Drops are datagrams lost at full sockets of the load and of the target.
	Drops       int64 `json:"drops"`
	TargetDrops int64 `json:"target_drops"`
	// Skipped operations were not begun, because every phone was busy.
	Skipped int `json:"skipped,omitempty"`
}

// LateBy is how long a turn of the loop may take; it should take a millisecond.
const LateBy = 5 * time.Millisecond

// completed is how many operations a second were over in time.
func (r *Result) completed() float64 { return float64(r.InTime) / r.Time.Seconds() }

// Bounds of trust.
const (
	mostShare = 0.85
	mostLate  = 0.02
	leastRate = 0.97
)
