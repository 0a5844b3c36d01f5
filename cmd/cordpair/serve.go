package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cordpair/cordpair"
)

type serveCmd struct {
	Config string `short:"c" required:"" placeholder:"FILE" help:"YAML configuration file."`
}

// Run says when phones are answered and serves until a signal.
func (c serveCmd) Run(ctx context.Context) error {
	cfg, err := cordpair.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	sw, err := cordpair.Open(cfg)
	if err != nil {
		return err
	}
	return sw.RunThen(ctx, func() error {
		var at []string
		for _, l := range cfg.Listen.SIP {
			at = append(at, l.Transport+" "+l.Addr)
		}
		_, err := fmt.Println("Cordpair is up: SIP at " + strings.Join(at, ", "))
		return err
	})
}

type checkConfigCmd struct {
	Config string `arg:"" placeholder:"FILE" help:"YAML configuration file."`
}

// Run reports every mistake in a file.
func (c checkConfigCmd) Run() error {
	if _, err := cordpair.LoadConfig(c.Config); err != nil {
		return err
	}
	_, err := fmt.Println(c.Config + ": ok")
	return err
}
