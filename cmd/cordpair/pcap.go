package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
)

type pcapCmd struct {
	remote
	Call    string `arg:"" optional:"" help:"call_uuid of a call that is up; default: the only one."`
	Output  string `short:"o" placeholder:"FILE" help:"Where to; default: the call's id with .pcapng, - for standard output."`
	Seconds int    `placeholder:"N" help:"How long at most; default: until the call ends, at most an hour."`
}

// Run records a call until it ends or Ctrl-C.
func (c pcapCmd) Run(ctx context.Context) error {
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	if c.Call == "" {
		if c.Call, err = c.only(ctx, client); err != nil {
			return err
		}
	}
	seconds := ""
	if c.Seconds > 0 {
		seconds = strconv.Itoa(c.Seconds)
	}
	packets, err := c.send(ctx, http.MethodGet, client+"/pcap/"+url.PathEscape(c.Call)+query("seconds", seconds), nil)
	if missing(err) {
		return errors.New("no call " + c.Call + " is up")
	}
	if err != nil {
		return err
	}
	defer packets.Close()
	if c.Output == "-" {
		_, err = io.Copy(os.Stdout, packets)
		return interruptedIsFine(ctx, err)
	}
	return c.save(ctx, packets)
}

// only is the call that is up, if there is one.
func (c pcapCmd) only(ctx context.Context, client string) (string, error) {
	var answer struct {
		Calls []currentCall `json:"call_list"`
	}
	if err := c.get(ctx, client+"/current_calls/", &answer); err != nil {
		return "", err
	}
	id := ""
	for _, leg := range answer.Calls {
		if id != "" && leg.Call != id {
			return "", errors.New("which call? cordpair calls lists those that are up")
		}
		id = leg.Call
	}
	if id == "" {
		return "", errors.New("no call is up")
	}
	return id, nil
}

// save writes the file, which is for its owner only: it holds what was said.
func (c pcapCmd) save(ctx context.Context, packets io.Reader) error {
	name := c.Output
	if name == "" {
		name = plain(c.Call) + ".pcapng"
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	until := "until the call ends"
	if c.Seconds > 0 {
		until = fmt.Sprintf("for %d s, or until the call ends", c.Seconds)
	}
	fmt.Fprintf(os.Stderr, "recording to %s %s; Ctrl-C stops it\n", name, until)
	n, err := io.Copy(file, packets)
	if err := errors.Join(interruptedIsFine(ctx, err), file.Close()); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d bytes\n", n)
	return nil
}

// interruptedIsFine forgets the error of a transfer that was stopped by hand.
func interruptedIsFine(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
