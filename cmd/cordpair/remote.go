package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cordpair/cordpair"
)

// remote is how a command reaches a running switch: by its data folder on this
// machine, or anywhere with a token.
type remote struct {
	DataDir string `placeholder:"DIR" env:"CORDPAIR_DATA_DIR" help:"Data folder of the switch on this machine. Default: data, cordpair-demo or demo/data, whichever has a running switch."`
	URL     string `name:"url" placeholder:"URL" env:"CORDPAIR_URL" help:"API of a switch elsewhere, http://HOST:8080; needs --token."`
	Token   string `placeholder:"TOKEN" env:"CORDPAIR_TOKEN" help:"Access token for --url."`
	Client  int64  `placeholder:"ID" help:"The client meant; not needed where there is only one."`
}

// places are where a switch is looked for without --data-dir.
var places = []string{"data", "cordpair-demo", "demo/data"}

var errNoSwitch = errors.New("no switch is running here; name its --data-dir, or its --url and --token")

// connect returns the client and the URL of the API.
func (r remote) connect() (*http.Client, string, error) {
	if r.URL != "" {
		return http.DefaultClient, strings.TrimSuffix(r.URL, "/") + "/api/ver1.0", nil
	}
	dir := r.DataDir
	for _, p := range places {
		if dir != "" {
			break
		}
		if _, err := os.Stat(filepath.Join(p, "operator.sock")); err == nil {
			dir = p
		}
	}
	if dir == "" {
		return nil, "", errNoSwitch
	}
	return cordpair.Operator(dir), "http://operator/api/ver1.0", nil
}

// send makes a request and returns the answer's body, to be closed. An answer
// that is an error is returned as one.
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
		return nil, fmt.Errorf("%w (%w)", errNoSwitch, err)
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return nil, refusal(resp)
	}
	return resp.Body, nil
}

// refusal is what the switch says when it does not do something.
func refusal(resp *http.Response) error {
	var p struct {
		Message string `json:"message"`
		Detail  string `json:"detail"`
		Errors  []struct {
			Pointer string `json:"pointer"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p); err != nil || p.Message == "" {
		return errors.New(resp.Status)
	}
	text := p.Message
	for _, e := range p.Errors {
		text += "; " + strings.TrimSpace(e.Pointer+" "+e.Message)
	}
	return errors.New(text)
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
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = fmt.Sprintf("%d (%s)", c.ID, c.Name)
	}
	if len(names) == 0 {
		return "", errors.New("there is no client yet; make one with: cordpair client add")
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
