//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cordpair/cordpair/bench/load"
)

// report is everything that came out.
type report struct {
	Machine facts         `json:"machine"`
	Options options       `json:"options"`
	Begun   time.Time     `json:"begun"`
	Took    time.Duration `json:"took_ns"`
	Rows    []row         `json:"rows"`
	// Missing peers and why.
	Missing map[string]string `json:"missing"`
	Doubts  []string          `json:"doubts"`
	Rounds  []measured        `json:"rounds"`
}

// row is one line of the table: the median of the rounds for each target.
type row struct {
	Name    string             `json:"name"`
	Unit    string             `json:"unit"`
	Values  map[string]float64 `json:"values"`
	Doubted map[string]bool    `json:"doubted,omitempty"`
}

// figure makes a number of a result.
type figure struct {
	name, unit string
	of         func(load.Result) float64
}

func callName(rate int) string { return "calls " + strconv.Itoa(rate) + "/s" }
func flatName(n int) string    { return "the same packets over " + strconv.Itoa(n) + " calls" }
func relayBesideName(n, rate int) string {
	return "relay " + strconv.Itoa(n) + " beside " + strconv.Itoa(rate) + " calls/s"
}
func relayName(n int) string     { return "relay " + strconv.Itoa(n) }
func secureName(n int) string    { return "SRTP to RTP " + strconv.Itoa(n) }
func transcodeName(n int) string { return "PCMA to G.722 " + strconv.Itoa(n) }

func overloadName(times int) string {
	return "overload ×" + strconv.Itoa(times)
}
func scaleName(n int) string  { return "refresh among " + strconv.Itoa(n) }
func heldName(n int) string   { return "held " + strconv.Itoa(n) }
func besideName(n int) string { return "calls beside " + strconv.Itoa(n) }

// Names of phases that look for limits; all of a ramp have one.
const (
	attackName = "attack from elsewhere"
	rampName   = "sustained"
	stormName  = "storm"
	floodName  = "flood by one source"
)

func perDone(r load.Result, x float64) float64 { return x / float64(max(r.Done, 1)) }
func micros(d time.Duration) float64           { return float64(d) / 1e3 }

var (
	cpuEach   = figure{name: "CPU each", unit: "µs", of: func(r load.Result) float64 { return perDone(r, micros(r.CPU)) }}
	failed    = figure{name: "failed", of: func(r load.Result) float64 { return float64(r.Failed) }}
	resent    = figure{name: "sent again by the load", of: func(r load.Result) float64 { return float64(r.Resent) }}
	repeats   = figure{name: "sent again by it", of: func(r load.Result) float64 { return float64(r.Repeated) }}
	dropped   = figure{name: "datagrams it dropped", of: func(r load.Result) float64 { return float64(r.Loop.TargetDrops) }}
	growth    = figure{name: "RSS growth each", unit: "kB", of: func(r load.Result) float64 { return perDone(r, float64(r.RSSAfter-r.RSSBefore)/1e3) }}
	addedP50  = figure{name: "added delay p50", unit: "µs", of: func(r load.Result) float64 { return micros(r.Added.P50) }}
	addedP99  = figure{name: "added delay p99", unit: "µs", of: func(r load.Result) float64 { return micros(r.Added.P99) }}
	relayCPU  = figure{name: "CPU per 100 calls", unit: "% of a core", of: relayShare}
	packetCPU = figure{name: "CPU per packet", unit: "µs", of: func(r load.Result) float64 { return micros(r.CPU) / float64(max(r.Received, 1)) }}
	lossShare = figure{name: "lost", unit: "%", of: func(r load.Result) float64 {
		return 100 * float64(r.Sent-r.Received) / float64(max(r.Sent, 1))
	}}
	refused = figure{name: "refused", of: func(r load.Result) float64 { return float64(r.Refused) }}
	refusal = figure{name: "refusal p99", unit: "ms", of: func(r load.Result) float64 { return float64(r.Refusal.P99) / 1e6 }}
	offered = figure{name: "offered", unit: "calls/s", of: func(r load.Result) float64 { return float64(r.Rate) }}
	// completed and goodput are what was completed while more was offered; the most is
	// that of the same round, at whatever rate.
	completed = figure{name: "completed", unit: "calls/s", of: func(r load.Result) float64 { return float64(r.InTime) / r.Time.Seconds() }}
	goodput   = figure{name: "goodput", unit: "% of most", of: func(r load.Result) float64 {
		return 100 * float64(r.InTime) / r.Time.Seconds() / max(r.Most, 1)
	}}
	floodQuiet = figure{name: "INVITE→180 added p99 without", unit: "ms", of: func(r load.Result) float64 { return micros(flooding(r).Quiet) / 1e3 }}
	floodLoud  = figure{name: "INVITE→180 added p99 with", unit: "ms", of: func(r load.Result) float64 { return micros(flooding(r).Flooded) / 1e3 }}
	floodRatio = figure{name: "ratio of a pair", unit: "×", of: func(r load.Result) float64 { return flooding(r).Ratio }}
	floodSent  = figure{name: "flood", unit: "INVITEs/s", of: func(r load.Result) float64 { return float64(flooding(r).Sent) / (r.Time.Seconds() / 2) }}
	floodRSS   = figure{name: "RSS growth", unit: "MB", of: func(r load.Result) float64 { return float64(r.RSSAfter-r.RSSBefore) / 1e6 }}
	allIn      = figure{name: "all registered after", unit: "s", of: func(r load.Result) float64 { return r.Took.Seconds() }}
	idleCPU    = figure{name: "CPU", unit: "% of a core", of: func(r load.Result) float64 { return 100 * r.CPU.Seconds() / r.Took.Seconds() }}
	idleWakes  = figure{name: "wake-ups", unit: "/s", of: func(r load.Result) float64 { return float64(r.Wakeups) / r.Took.Seconds() }}
	idleRSS    = figure{name: "RSS", unit: "MB", of: func(r load.Result) float64 { return float64(r.RSSAfter) / 1e6 }}
	idlePSS    = figure{name: "PSS", unit: "MB", of: func(r load.Result) float64 { return float64(r.PSSAfter) / 1e6 }}
)

// flooding is that of a phase that had it.
func flooding(r load.Result) load.Flooding {
	if r.Flooding == nil {
		return load.Flooding{}
	}
	return *r.Flooding
}

// leakFigures are two for each beginning of an attack.
func leakFigures() (all []figure) {
	for i, begins := range load.AttackBegins {
		leak := func(r load.Result) load.Leak {
			if i < len(r.Leaks) {
				return r.Leaks[i]
			}
			return load.Leak{}
		}
		share := func(n int, l load.Leak) float64 { return 100 * float64(n) / float64(max(l.Sent, 1)) }
		all = append(all,
			figure{name: fmt.Sprintf("begun at %v: let in", begins), unit: "%", of: func(r load.Result) float64 { return share(leak(r).In, leak(r)) }},
			figure{name: fmt.Sprintf("begun at %v: sent to it", begins), unit: "%", of: func(r load.Result) float64 { return share(leak(r).Out, leak(r)) }})
	}
	return all
}

func relayShare(r load.Result) float64 {
	return 100 * r.CPU.Seconds() / r.Took.Seconds() * 100 / float64(max(r.Done, 1))
}

// figuresOf are those of a kind of phase.
func figuresOf(p load.Phase) []figure {
	switch p.Kind {
	case load.Register:
		if p.Patient {
			return []figure{allIn, cpuEach, failed, refused, resent}
		}
		return []figure{cpuEach, growth, failed, resent, repeats, dropped}
	case load.Refresh, load.Options:
		return []figure{cpuEach, failed, resent, repeats, dropped}
	case load.Hold:
		return []figure{growth, failed, refused}
	case load.Call:
		if p.Ramp {
			return []figure{{name: "most", unit: "calls/s", of: offered.of}, cpuEach, addedP50, addedP99, failed, refused, resent, repeats}
		}
		if p.Flood > 0 {
			return []figure{floodSent, floodQuiet, floodLoud, floodRatio, floodRSS, failed, refused, resent, repeats, dropped}
		}
		if p.Times > 0 {
			return []figure{offered, completed, goodput, refusal, failed, refused, resent, repeats, dropped}
		}
		return []figure{cpuEach, {name: "INVITE→180 added p50", unit: "µs", of: addedP50.of},
			{name: "INVITE→180 added p99", unit: "µs", of: addedP99.of}, failed, refused, resent, repeats, dropped}
	case load.Relay:
		if p.Attack {
			return append(leakFigures(), lossShare, failed)
		}
		if p.Packets > 0 {
			return []figure{packetCPU, addedP50, addedP99, lossShare, failed, dropped}
		}
		if p.Beside > 0 {
			return []figure{addedP50, addedP99, lossShare, failed, dropped, resent, repeats}
		}
		if p.Path == load.Transcode {
			return []figure{relayCPU, lossShare, growth, failed, dropped}
		}
		return []figure{relayCPU, addedP50, addedP99, lossShare, growth, failed, dropped}
	case load.Idle:
		return []figure{idleCPU, idleWakes, idleRSS, idlePSS}
	}
	return nil
}

// summarise makes rows and doubts of the rounds.
func (r *report) summarise() {
	type key struct{ phase, target string }
	results := map[key][]load.Result{}
	var order []load.Phase
	for _, m := range r.Rounds {
		if m.Name == preparing {
			if m.Failed > 0 {
				r.Doubts = append(r.Doubts, fmt.Sprintf("round %d, %s, preparing: %d failed, %s", m.Round, m.Target, m.Failed, m.FirstFailure))
			}
			continue
		}
		if !slices.ContainsFunc(order, func(p load.Phase) bool { return p.Name == m.Name }) {
			order = append(order, m.Phase)
		}
		k := key{m.Name, m.Target}
		results[k] = append(results[k], m.Result)
		if len(m.Doubts) > 0 {
			r.Doubts = append(r.Doubts, fmt.Sprintf("round %d, %s, %s: %s", m.Round, m.Target, m.Name, strings.Join(m.Doubts, "; ")))
		}
		if m.Limit != "" {
			r.Doubts = append(r.Doubts, fmt.Sprintf("round %d, %s, %s ended: %s", m.Round, m.Target, m.Name, m.Limit))
		}
		if m.Failed > 0 {
			r.Doubts = append(r.Doubts, fmt.Sprintf("round %d, %s, %s: first failure: %s", m.Round, m.Target, m.Name, m.FirstFailure))
		}
	}
	for _, p := range order {
		for _, f := range figuresOf(p) {
			line := row{Name: p.Name + ": " + f.name, Unit: f.unit, Values: map[string]float64{}, Doubted: map[string]bool{}}
			for _, target := range columns {
				if rs := results[key{p.Name, target}]; len(rs) > 0 {
					line.Values[target], line.Doubted[target] = median(rs, f.of)
				}
			}
			r.Rows = append(r.Rows, line)
		}
	}
}

// median of the results; it is doubted when most of them are.
func median(rs []load.Result, of func(load.Result) float64) (float64, bool) {
	var values []float64
	doubted := 0
	for _, r := range rs {
		values = append(values, of(r))
		if len(r.Doubts) > 0 {
			doubted++
		}
	}
	slices.Sort(values)
	return values[len(values)/2], 2*doubted > len(rs)
}

// print writes the table for people.
func (r *report) print(w io.Writer) error {
	fmt.Fprintf(w, "%s\n%s, %s, took %v, median of %d\n", r.Machine, r.Machine.Command, r.Begun.Format("2006-01-02 15:04 UTC"), r.Took, r.Options.Rounds)
	if r.Options.Note != "" {
		fmt.Fprintln(w, r.Options.Note)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	shown := r.shown()
	fmt.Fprintf(t, "%s\t\n", strings.Join(append([]string{"", ""}, shown...), "\t"))
	for _, line := range r.Rows {
		if !line.worth() {
			continue
		}
		cells := []string{line.Name, line.Unit}
		for _, target := range shown {
			cells = append(cells, line.cell(target, r.Missing[target]))
		}
		fmt.Fprintf(t, "%s\t\n", strings.Join(cells, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(r.Doubts) > 0 {
		fmt.Fprintln(w, "\n? = the load has doubts:")
	}
	for _, d := range r.Doubts {
		fmt.Fprintln(w, "  "+d)
	}
	return nil
}

// shown are the columns that a run was about.
func (r *report) shown() []string {
	if !r.Options.Peers {
		return []string{ours}
	}
	return columns
}

// worth: a row of counts is left out while all are zero, but for failures.
func (l row) worth() bool {
	if l.Unit != "" || strings.HasSuffix(l.Name, ": failed") {
		return true
	}
	for _, v := range l.Values {
		if v != 0 {
			return true
		}
	}
	return false
}

// cell is the text of one target.
func (l row) cell(target, missing string) string {
	v, ok := l.Values[target]
	switch {
	case !ok && missing != "":
		return missing
	case !ok:
		return "–"
	}
	text := strconv.FormatFloat(v, 'f', digits(v), 64)
	if l.Doubted[target] {
		text += "?"
	}
	return text
}

// digits keeps three digits or so.
func digits(v float64) int {
	switch {
	case v == float64(int(v)) || v >= 100:
		return 0
	case v >= 10:
		return 1
	}
	return 2
}
