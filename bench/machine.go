//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// facts are what a figure depends on besides the code.
type facts struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	System string `json:"system"`
	Go     string `json:"go"`
	Commit string `json:"commit"`
	// Changed: the tree held changes that are in no commit.
	Changed bool   `json:"changed"`
	Command string `json:"command"`
}

func machine(o options) facts {
	rev, changed := "HEAD", git("status", "--porcelain", "--", "*.go") != ""
	if o.Rev != "" {
		rev, changed = o.Rev, false
	}
	return facts{
		CPU: keyed("/proc/cpuinfo", "model name", ":"), Cores: runtime.NumCPU(),
		Kernel: strings.TrimSpace(text("/proc/sys/kernel/osrelease")),
		System: strings.Trim(keyed("/etc/os-release", "PRETTY_NAME", "="), `"`),
		Go:     runtime.Version(),
		Commit: git("rev-parse", "--short", rev), Changed: changed,
		Command: strings.TrimSpace("go run ./bench " + strings.Join(os.Args[1:], " ")),
	}
}

func (m facts) String() string {
	commit := m.Commit
	if m.Changed {
		commit += " with changes"
	}
	return fmt.Sprintf("%d cores of %s; %s, Linux %s, %s; commit %s", m.Cores, m.CPU, m.System, m.Kernel, m.Go, commit)
}

// text is a small file; empty when it cannot be read.
func text(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(b)
}

// keyed is the first value of a key in a file of "key SEPARATOR value" lines.
func keyed(name, key, separator string) string {
	for line := range strings.Lines(text(name)) {
		if k, v, ok := strings.Cut(line, separator); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

func git(args ...string) string {
	out, err := exec.Command("git", args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
