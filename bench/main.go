//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cordpair/cordpair/bench/load"
)

// options are the command line.
type options struct {
	Only                []string
	Rounds              int
	Rate                int
	Quick, JSON, Keep   bool
	Peers               bool
	Rev, Program        string
	Demo, Addr          string
	PID                 int
	SwitchCore, LoadOne int
	Nice                int
	Procs               int
	Profile             string
	Note                string
	Relayed             []int // instead of the usual numbers of calls
}

var sectionNames = []string{"registrations", "options", "calls", "relay", "beside", "attack", "flat", "secure-relay", "transcode", "idle", "overload", "flood", "storm", "scale"}

func parseOptions(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := f.String("only", strings.Join(sectionNames, ","), "sections to run")
	f.IntVar(&o.Rounds, "rounds", 3, "rounds; figures are their medians")
	f.IntVar(&o.Rate, "rate", 2000, "registrations and OPTIONS per second")
	f.BoolVar(&o.Quick, "quick", false, "one round of small sizes: a sanity run, no figures")
	f.BoolVar(&o.JSON, "json", false, "print JSON with every round instead of the table")
	f.BoolVar(&o.Keep, "keep", false, "keep the temporary folder and say where it is")
	f.BoolVar(&o.Peers, "peers", true, "measure the peers that are installed, too")
	f.StringVar(&o.Rev, "rev", "", "build the switch as committed at this git revision, not as the files are")
	f.StringVar(&o.Program, "program", "", "measure this built switch")
	f.StringVar(&o.Demo, "demo", "", "file with the line of `cordpair demo --json` of a switch that runs already")
	f.StringVar(&o.Addr, "switch-addr", "", "with -demo: its SIP address, if not the one in the file")
	f.IntVar(&o.PID, "pid", 0, "with -demo: its process")
	f.IntVar(&o.SwitchCore, "switch-core", 0, "core of what is measured")
	f.IntVar(&o.LoadOne, "load-core", 1, "core of the load")
	f.IntVar(&o.Nice, "nice", 0, "priority of all processes; below 0 on a shared machine, for root")
	f.IntVar(&o.Procs, "procs", 1, "GOMAXPROCS of the switch; 2 gives its media loop a P of its own")
	f.StringVar(&o.Profile, "cpuprofile-of-switch", "", "write perf's samples of the switch during the last phase of each section to this `prefix`")
	f.Func("relayed", "with the sections relay, beside, flat, secure-relay and transcode: their numbers of calls, \"500,1000\"", func(text string) error {
		return json.Unmarshal([]byte("["+text+"]"), &o.Relayed)
	})
	f.StringVar(&o.Note, "note", "", "a line for the table's head")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.Only = strings.Split(*only, ",")
	for _, name := range o.Only {
		if !slices.Contains(sectionNames, name) {
			return o, fmt.Errorf("-only %s: there is %s", name, strings.Join(sectionNames, ", "))
		}
	}
	if o.Quick {
		o.Rounds = 1
	}
	if o.Rounds < 1 || o.Rounds > 9 || o.Rate < 1 || o.Rate > 20000 || f.NArg() > 0 {
		return o, errors.New("1 to 9 rounds, a rate of 1 to 20000, no arguments")
	}
	if (o.Demo == "") != (o.PID == 0) {
		return o, errors.New("-demo and -pid belong together")
	}
	return o, nil
}

// wholeBound ends a run that hangs.
const wholeBound = 40 * time.Minute

func main() {
	if len(os.Args) == 2 && os.Args[1] == loadCommand {
		exit(runLoad())
	}
	roomForFiles()
	// Children die with the thread that started them, so all are started by
	// this one.
	runtime.LockOSThread()
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, wholeBound)
	err = measure(ctx, o)
	cancel()
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func measure(ctx context.Context, o options) error {
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer b.close()
	report := report{Machine: machine(o), Options: o, Begun: time.Now().UTC()}
	if report.Rounds, err = b.rounds(ctx); err != nil {
		return err
	}
	report.Missing = b.missing
	report.Took = time.Since(report.Begun).Round(time.Second)
	report.summarise()
	if o.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", " ")
		return e.Encode(report)
	}
	return report.print(os.Stdout)
}

// loadCommand is the hidden argument of the load's own process.
const loadCommand = "load"

// runLoad is that process: a Spec comes in, the Results go out.
func runLoad() error {
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var spec load.Spec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		return err
	}
	results, err := load.Run(ctx, spec)
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(results))
}
