//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/cordpair/cordpair/bench/gauge"
	"github.com/cordpair/cordpair/bench/load"
	"github.com/cordpair/cordpair/bench/peers"
)

// bench runs jobs.
type bench struct {
	options
	dir      string
	program  string // the built switch
	relay    string // the built C relay; empty without gcc
	missing  map[string]string
	jobsDone int
}

// measured is one phase of one target in one round.
type measured struct {
	Round  int    `json:"round"`
	Target string `json:"target"`
	load.Result
}

func newBench(o options) (*bench, error) {
	dir, err := os.MkdirTemp("", "cordpair-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, dir: dir, program: o.Program, missing: map[string]string{}}
	if o.Demo == "" && o.Program == "" {
		if err := b.build(); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

// build makes the switch, static, from the files as they are or as they were
// committed.
func (b *bench) build() error {
	b.program = filepath.Join(b.dir, "cordpair")
	build := exec.Command("go", "build", "-trimpath", "-o", b.program, module+"/cmd/cordpair")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if b.Rev != "" {
		build.Dir = filepath.Join(b.dir, "source")
		if err := b.checkOut(build.Dir); err != nil {
			return err
		}
	}
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, text)
	}
	return nil
}

// checkOut writes a revision's files to a folder; the work tree stays as it is.
func (b *bench) checkOut(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	top, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return fmt.Errorf("git: %w", err)
	}
	tar := filepath.Join(b.dir, "source.tar")
	archive := exec.Command("git", "archive", "-o", tar, b.Rev)
	archive.Dir = string(bytes.TrimSpace(top)) // elsewhere it packs a part
	for _, cmd := range []*exec.Cmd{archive, exec.Command("tar", "-xf", tar, "-C", dir)} {
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", cmd.Args[0], err, text)
		}
	}
	return nil
}

const module = "github.com/cordpair/cordpair"

func (b *bench) close() {
	if b.Keep {
		fmt.Fprintln(os.Stderr, "kept:", b.dir)
		return
	}
	_ = os.RemoveAll(b.dir) // it is in the temporary folder
}

// rounds runs every job of every round. A peer that is missing or fails costs its
// column only; the switch itself must not fail.
func (b *bench) rounds(ctx context.Context) ([]measured, error) {
	b.buildRelay()
	var all []measured
	for round := 1; round <= b.Rounds; round++ {
		for _, j := range b.jobs() {
			for _, target := range j.targets {
				if !slices.Contains(b.Only, j.section) || b.missing[target] != "" || !b.Peers && target != ours {
					continue
				}
				fmt.Fprintf(os.Stderr, "round %d of %d: %s, %s\n", round, b.Rounds, j.section, target)
				results, err := b.job(ctx, target, j)
				switch {
				case errors.Is(err, peers.ErrNotInstalled):
					b.missing[target] = "not installed"
				case err != nil && (target == ours || ctx.Err() != nil):
					return nil, fmt.Errorf("%s of %s: %w", j.section, target, err)
				case err != nil:
					b.missing[target] = "failed"
					fmt.Fprintf(os.Stderr, "%s of %s: %v\n", j.section, target, err)
				}
				for _, r := range results {
					all = append(all, measured{round, target, r})
				}
			}
		}
	}
	return all, nil
}

func (b *bench) buildRelay() {
	relays := []string{"relay", "beside", "attack", "flat", "secure-relay", "transcode"}
	if !b.Peers || !slices.ContainsFunc(b.Only, func(section string) bool { return slices.Contains(relays, section) }) {
		return
	}
	source := filepath.Join(b.dir, "relay.c")
	err := os.WriteFile(source, relaySource, 0o600)
	if err == nil {
		b.relay = filepath.Join(b.dir, "relay")
		err = peers.BuildRelay(source, b.relay)
	}
	switch {
	case errors.Is(err, peers.ErrNotInstalled):
		b.missing[cRelay] = "not installed"
	case err != nil:
		b.missing[cRelay] = "failed"
		fmt.Fprintln(os.Stderr, err)
	}
}

// job starts the target, loads it and ends it.
func (b *bench) job(ctx context.Context, target string, j job) ([]load.Result, error) {
	b.jobsDone++
	dir := filepath.Join(b.dir, strconv.Itoa(b.jobsDone))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	p, err := b.start(ctx, target, j, dir)
	if err != nil {
		return nil, err
	}
	if target != ours || b.Demo == "" {
		defer p.Stop()
	}
	spec := load.Spec{Target: p.Addr, Domain: p.Domain, Phones: p.Phones[:min(len(p.Phones), j.phones)], PIDs: p.PIDs}
	for _, phase := range j.phases {
		if p.Addr == "" && phase.Kind != load.Relay {
			continue // it has no signalling
		}
		if phase.Kind == load.Relay {
			phase.Flows, phase.NG = p.Flows, p.NG
		}
		spec.Phases = append(spec.Phases, phase)
	}
	if b.Profile != "" && target == ours {
		stop := b.profile(p.PIDs[0], j)
		defer stop()
	}
	results, err := b.load(ctx, spec)
	return results, errors.Join(err, p.Died())
}

func (b *bench) start(ctx context.Context, target string, j job, dir string) (*peers.Peer, error) {
	s := peers.Setting{
		Dir: dir, Phones: j.phones, Ports: j.ports, Calls: j.calls, Program: b.program, Procs: b.Procs,
		Place: gauge.Place{Core: b.SwitchCore, Nice: b.Nice},
	}
	switch {
	case target == ours && b.Demo != "":
		text, err := os.ReadFile(b.Demo)
		if err != nil {
			return nil, err
		}
		p := &peers.Peer{PIDs: []int{b.PID}}
		err = p.Describe(text)
		if b.Addr != "" {
			p.Addr = b.Addr
		}
		return p, err
	case target == ours:
		return peers.Switch(s)
	case target == kamailio:
		return peers.Kamailio(ctx, s)
	case target == rtpengine:
		return peers.RTPEngine(ctx, s)
	}
	s.Program = b.relay
	return peers.Relay(s)
}

// load runs the load in a process of its own.
func (b *bench) load(ctx context.Context, spec load.Spec) ([]load.Result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	in, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	var out, text bytes.Buffer
	cmd := exec.CommandContext(ctx, self, loadCommand)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &text
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(cmd.Environ(), "GOMAXPROCS=1")
	if err := gauge.Start(cmd, gauge.Place{Core: b.LoadOne, Nice: b.Nice}); err != nil {
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("load: %w: %s", err, text.Bytes())
	}
	var results []load.Result
	err = json.Unmarshal(out.Bytes(), &results)
	return results, err
}

// profile samples the switch with perf until the function it returns is called.
func (b *bench) profile(pid int, j job) (stop func()) {
	file := fmt.Sprintf("%s-%s-%d.perf", b.Profile, j.section, b.jobsDone)
	cmd := exec.Command("perf", "record", "-q", "-g", "-e", "cpu-clock", "-F", "999", "-o", file, "-p", strconv.Itoa(pid))
	if err := gauge.Start(cmd, gauge.Place{Core: b.LoadOne}); err != nil {
		fmt.Fprintln(os.Stderr, "perf:", err)
		return func() {}
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt) // it writes its file then
		gauge.Stop(cmd, 10*time.Second)
		fmt.Fprintln(os.Stderr, "perf report -i", file)
	}
}
