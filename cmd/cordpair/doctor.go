package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"

	"github.com/cordpair/cordpair"
)

type doctorCmd struct {
	Config string `short:"c" placeholder:"FILE" help:"Look with this configuration; default: the built-in one."`
}

var errUnwell = errors.New("something will not work; see above")

// Run prints one line for each thing looked at.
func (c doctorCmd) Run() error {
	cfg := cordpair.DefaultConfig()
	if c.Config != "" {
		var err error
		if cfg, err = cordpair.LoadConfig(c.Config); err != nil {
			return err
		}
	} else if i := slices.IndexFunc(places, cordpair.Runs); i >= 0 {
		cfg.DataDir = places[i] // of the demo, perhaps, which has the ports then
	}
	findings := cordpair.Examine(cfg)
	for _, tool := range []string{"sipp", "baresip", "linphonec"} {
		findings = append(findings, examineTool(tool))
	}
	unwell := false
	for _, f := range findings {
		unwell = unwell || f.Verdict == cordpair.Bad
		fmt.Fprintf(os.Stdout, "%-5s %-22s %s\n", f.Verdict, f.What, f.Text)
	}
	if unwell {
		return errUnwell
	}
	return nil
}

// examineTool looks for a program only the tests need.
func examineTool(name string) cordpair.Finding {
	path, err := exec.LookPath(name)
	if err != nil {
		return cordpair.Finding{What: name, Verdict: cordpair.Note, Text: "not installed; only the system tests need it"}
	}
	return cordpair.Finding{What: name, Verdict: cordpair.Good, Text: path}
}
