//go:build linux

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/cordpair/cordpair/bench/load"
)

func TestReport(t *testing.T) {
	options := load.Phase{Kind: load.Options, Name: optionsName}
	result := func(round int, target string, cpu time.Duration, doubts ...string) measured {
		return measured{round, target, load.Result{Phase: options, Done: 1000, CPU: cpu, Took: time.Second, Doubts: doubts}}
	}
	r := report{
		Options: mustParse(t, "-only", "options"),
		Missing: map[string]string{kamailio: "not installed"},
		Rounds: []measured{
			result(1, ours, 50*time.Millisecond), result(2, ours, 900*time.Millisecond, "late"), result(3, ours, 40*time.Millisecond),
			result(1, rtpengine, 9*time.Millisecond, "late"),
			{1, ours, load.Result{Phase: load.Phase{Kind: load.Register}, Failed: 1, FirstFailure: "no answer"}},
		},
	}
	r.summarise()
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{"options: CPU each", "  50  ", "not installed", "9?", "round 2, cordpair, options: late", "no answer"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if strings.Contains(text, "50?") || strings.Contains(text, "sent again") {
		t.Error("doubts a median that one round spoilt, or shows a row of zeros")
	}
	if t.Failed() {
		t.Log(text)
	}
}

func mustParse(t *testing.T, args ...string) options {
	t.Helper()
	o, err := parseOptions(args)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestOptions(t *testing.T) {
	for _, args := range [][]string{
		{"-only", "calls,nothing"}, {"-rounds", "0"}, {"-rate", "0"}, {"-pid", "1"}, {"-demo", "x"}, {"more"},
	} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	if o := mustParse(t, "-quick"); o.Rounds != 1 || len(o.jobs()) == 0 {
		t.Errorf("%+v", o)
	}
}
