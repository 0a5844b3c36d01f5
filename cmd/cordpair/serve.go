package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/cordpair/cordpair"
)

type serveCmd struct {
	Config string `short:"c" required:"" placeholder:"FILE" help:"YAML configuration file."`
}

// Run says when phones are answered and serves until a signal; SIGHUP reads the
// file again.
func (c serveCmd) Run(ctx context.Context) error {
	cfg, err := cordpair.LoadConfig(c.Config)
	if err != nil {
		return err
	}
	roomForDescriptors()
	sw, err := cordpair.Open(cfg)
	if err != nil {
		return err
	}
	go tendCollector(ctx) // ends with ctx
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	return sw.RunThen(ctx, func() error {
		go c.reload(ctx, sw, logger(cfg.Log), hangups) // ends with ctx
		_, err := fmt.Println("Cordpair is up: " + whereabouts(cfg))
		return err
	})
}

// whereabouts says where a switch is reached.
func whereabouts(cfg cordpair.Config) string {
	var at []string
	for _, l := range cfg.Listen.SIP {
		at = append(at, l.Transport+" "+l.Addr)
	}
	text := "SIP at " + strings.Join(at, ", ")
	if cfg.Listen.HTTP != "" {
		text += "; API at " + cfg.Listen.HTTP
	}
	return text
}

// logger writes errors as the switch does.
func logger(l cordpair.Log) *slog.Logger {
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

// reloader is what a configuration can be put into: *cordpair.Switch.
type reloader interface{ Reload(cordpair.Config) error }

// reload reads the file again for each SIGHUP until ctx ends. A file that cannot
// be used changes nothing and is an error in the log (L11).
func (c serveCmd) reload(ctx context.Context, sw reloader, log *slog.Logger, hangups <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		cfg, err := cordpair.LoadConfig(c.Config)
		if err == nil {
			err = sw.Reload(cfg)
		}
		if err != nil {
			log.Error("configuration not reloaded; the old one stays in force", "file", c.Config, "err", err)
		}
	}
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
