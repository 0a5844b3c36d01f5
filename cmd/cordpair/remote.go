package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/cordpair/cordpair"
)

// remote is how a command reaches a running switch: by its data folder on this
// machine, or anywhere with a token.
type remote struct {
	DataDir string `group:"which switch" placeholder:"DIR" env:"CORDPAIR_DATA_DIR" help:"Data folder of the switch on this machine. Default: data, cordpair-demo or demo/data, whichever has a running switch."`
	URL     string `group:"which switch" name:"url" placeholder:"URL" env:"CORDPAIR_URL" help:"API of a switch elsewhere, http://HOST:8080; needs --token."`
	Token   string `group:"which switch" placeholder:"TOKEN" env:"CORDPAIR_TOKEN" help:"Access token for --url."`
	Client  int64  `group:"which switch" placeholder:"ID" help:"The client meant; not needed where there is only one."`
}

// places are where a switch is looked for without --data-dir.
var places = []string{"data", "cordpair-demo", "demo/data"}

// What keeps a command from reaching a switch.
var (
	errNoSwitch = errors.New("no switch is running here (looked in " + strings.Join(places, ", ") + "); name its --data-dir, or its --url and --token")
	errNoToken  = errors.New("--url needs a --token; on the machine of the switch, cordpair token LOGIN prints one")
	errOthers   = errors.New("the switch here belongs to another user: permission denied")
	errBadURL   = errors.New("--url: write http://HOST:PORT")
)

const apiPath = "/api/ver1.0"

// connect returns the client and the URL of the API.
func (r remote) connect() (*http.Client, string, error) {
	if r.URL != "" {
		base, err := url.Parse(r.URL)
		if err != nil || base.Host == "" {
			return nil, "", errBadURL
		}
		if r.Token == "" {
			return nil, "", errNoToken
		}
		base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), apiPath) + apiPath
		return http.DefaultClient, base.String(), nil
	}
	dir := r.DataDir
	if dir == "" {
		i := slices.IndexFunc(places, cordpair.Runs)
		if i < 0 {
			return nil, "", errNoSwitch
		}
		dir = places[i]
	}
	return cordpair.Operator(dir), "http://operator" + apiPath, nil
}

// unreachable says why nobody answered.
func (r remote) unreachable(err error) error {
	var inner *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case r.URL != "":
		if errors.As(err, &inner) {
			err = inner // without the whole URL in front
		}
		return fmt.Errorf("no answer from %s: %w", r.URL, err)
	case errors.Is(err, fs.ErrPermission):
		return errOthers
	case r.DataDir != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)):
		return fmt.Errorf("no switch is running over %s", r.DataDir)
	}
	return fmt.Errorf("the switch did not answer: %w", err)
}

// send makes a request and returns the answer's body, to be closed. An answer
// that is an error is returned as a *refusal.
func (r remote) send(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	client, base, err := r.connect()
	if err != nil {
		return nil, err
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, r.unreachable(err)
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return nil, readRefusal(resp)
	}
	return resp.Body, nil
}

// refusal is what the switch says when it does not do something.
type refusal struct {
	code string // the API's; empty if it was somebody else who answered
	text string
}

// Error implements error.
func (e *refusal) Error() string { return e.text }

// readRefusal reads an answer that is an error.
func readRefusal(resp *http.Response) error {
	var p struct {
		Message string `json:"message"`
		Code    string `json:"code"`
		Errors  []struct {
			Pointer string `json:"pointer"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	e := &refusal{text: resp.Status}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p); err != nil || p.Message == "" {
		return e // not the API's
	}
	e.code = p.Code
	var fields []string
	for _, f := range p.Errors {
		fields = append(fields, strings.Trim(strings.TrimPrefix(f.Pointer, "/")+": "+f.Message, ": "))
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		e.text = "the switch does not know this token, or not any more; cordpair token LOGIN prints another"
	case len(fields) > 0:
		e.text = strings.Join(fields, "; ")
	case resp.StatusCode == http.StatusNotFound:
		e.text = strings.ReplaceAll(p.Code, "_", " ") // client not found
	default:
		e.text = p.Message
	}
	e.text = plain(e.text)
	return e
}

// missing reports whether the switch does not have what was asked for, while it
// knows whom it was asked of.
func missing(err error) bool {
	var e *refusal
	return errors.As(err, &e) && e.code == "not_found"
}

// get reads a resource into v.
func (r remote) get(ctx context.Context, path string, v any) error {
	return r.ask(ctx, http.MethodGet, path, nil, v)
}

// ask sends body and reads the answer into v.
func (r remote) ask(ctx context.Context, method, path string, body, v any) error {
	answer, err := r.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	return json.NewDecoder(answer).Decode(v)
}

// copy prints an answer as it is.
func (r remote) copy(ctx context.Context, method, path string, body any) error {
	answer, err := r.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	_, err = io.Copy(os.Stdout, answer)
	return err
}

// client is the path of the client meant: the one given, the token's own, or the
// only one there is.
func (r remote) client(ctx context.Context) (string, error) {
	if r.Client != 0 {
		return "/client/" + strconv.FormatInt(r.Client, 10), nil
	}
	if r.URL != "" {
		return "/client/@me", nil
	}
	var all []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	if err := r.get(ctx, "/admin/client/", &all); err != nil {
		return "", err
	}
	if len(all) == 1 {
		return "/client/" + strconv.FormatInt(all[0].ID, 10), nil
	}
	if len(all) == 0 {
		return "", errors.New("there is no client yet; make one with: cordpair client add")
	}
	const most = 10
	var names []string
	for _, c := range all[:min(len(all), most)] {
		names = append(names, fmt.Sprintf("%d (%s)", c.ID, plain(c.Name)))
	}
	if len(all) > most {
		names = append(names, fmt.Sprintf("and %d more", len(all)-most))
	}
	return "", errors.New("which --client? there are " + strings.Join(names, ", "))
}

func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
