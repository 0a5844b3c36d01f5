package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

type explainCmd struct {
	remote
	From   string   `required:"" placeholder:"NUMBER" help:"Who calls."`
	To     string   `required:"" placeholder:"NUMBER" help:"What is dialled."`
	At     string   `placeholder:"TIME" help:"When, as 2026-12-25T10:00:00Z; default now."`
	Assume []string `placeholder:"EXT=OUTCOME" sep:"," help:"What happens there: busy, no_answer, unreachable, rejected or answered."`
	Press  []string `placeholder:"DIGITS" sep:"," help:"What the caller presses."`
	JSON   bool     `name:"json" help:"The API's answer instead of text."`
}

// Run says where a call would go, and why.
func (c explainCmd) Run(ctx context.Context) error {
	body, err := c.question()
	if err != nil {
		return err
	}
	path, err := c.client(ctx)
	if err != nil {
		return err
	}
	return c.copy(ctx, http.MethodPost, path+"/explain/"+format(c.JSON), body)
}

// question is the body of the request.
func (c explainCmd) question() (map[string]any, error) {
	body := map[string]any{"from": c.From, "to": c.To}
	if c.At != "" {
		if _, err := time.Parse(time.RFC3339, c.At); err != nil {
			return nil, errors.New("--at: write 2026-12-25T10:00:00Z, or +02:00 in place of the Z")
		}
		body["at"] = c.At
	}
	assume := map[string]string{}
	for _, a := range c.Assume {
		number, outcome, ok := strings.Cut(a, "=")
		if !ok {
			return nil, errors.New("--assume: write 102=busy")
		}
		assume[number] = outcome
	}
	if len(assume) > 0 {
		body["assume"] = assume
	}
	if len(c.Press) > 0 {
		body["press"] = c.Press
	}
	return body, nil
}

// format asks for text unless a program reads it.
func format(json bool) string {
	if json {
		return ""
	}
	return query("format", "text")
}

type traceCmd struct {
	remote
	Call   string `arg:"" optional:"" help:"call_uuid of a call that is up or has ended; default: the last that ended."`
	JSON   bool   `name:"json" help:"The decisions as JSON."`
	Ladder bool   `default:"true" negatable:"" help:"The messages of all legs as well."`
	SVG    bool   `name:"svg" help:"The ladder as a picture instead."`
}

// Run prints why a call went where it went, and what was said.
func (c traceCmd) Run(ctx context.Context) error {
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	if c.Call == "" {
		if c.Call, err = c.last(ctx, client); err != nil {
			return err
		}
	}
	err = c.show(ctx, client+"/call_history/"+url.PathEscape(c.Call))
	if missing(err) {
		return errors.New("no call " + c.Call)
	}
	return err
}

// last is the call that ended last.
func (c traceCmd) last(ctx context.Context, client string) (string, error) {
	var answer struct {
		ID string `json:"call_uuid"`
	}
	err := c.get(ctx, client+"/call_history/@last/", &answer)
	if missing(err) {
		return "", errors.New("no call has ended yet; cordpair calls lists those that are up")
	}
	return answer.ID, err
}

// show prints what was asked for of the call at path.
func (c traceCmd) show(ctx context.Context, path string) error {
	if c.SVG {
		return c.copy(ctx, http.MethodGet, path+"/ladder/"+query("format", "svg"), nil)
	}
	if err := c.copy(ctx, http.MethodGet, path+"/trace/"+format(c.JSON), nil); err != nil || c.JSON || !c.Ladder {
		return err
	}
	fmt.Println()
	return c.copy(ctx, http.MethodGet, path+"/ladder/"+query("format", "text"), nil)
}
