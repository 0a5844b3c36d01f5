//go:build linux

package peers

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/cordpair/cordpair/bench/load"
)

// demo is the line of `cordpair demo --json`, as far as it is needed.
type demo struct {
	Ready bool `json:"ready"`
	SIP   struct {
		UDP    string `json:"udp"`
		Domain string `json:"domain"`
	} `json:"sip"`
	Extensions []struct {
		User     string `json:"user"`
		Password string `json:"password"`
		Domain   string `json:"domain"`
	} `json:"extensions"`
}

// Switch starts Setting.Program as `cordpair demo`.
func Switch(s Setting) (*Peer, error) {
	// Every port once used stays open, and the usual limit of 20,000 files must
	// leave some for the rest.
	ports := s.Ports
	if ports == "" {
		ports = "14000-31999"
	}
	p, err := start(s, s.Program, "demo", "--json", "--extensions", strconv.Itoa(s.Phones), "--sip", "127.0.0.1:0",
		"--http", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--rtp-ports", ports, "--data-dir", filepath.Join(s.Dir, "data"))
	if err != nil {
		return nil, err
	}
	line, err := p.line()
	if err == nil {
		err = p.Describe([]byte(line))
	}
	if err != nil {
		return nil, p.failed(err)
	}
	return p, nil
}

// Describe takes the address and the accounts from a line of `cordpair demo
// --json`.
func (p *Peer) Describe(line []byte) error {
	var d demo
	if err := json.Unmarshal(line, &d); err != nil || !d.Ready {
		return fmt.Errorf("the demo says %.200q: %w", line, err)
	}
	p.Addr, p.Domain = d.SIP.UDP, d.SIP.Domain
	for _, x := range d.Extensions {
		p.Phones = append(p.Phones, load.Phone{User: x.User, Password: x.Password, Domain: x.Domain})
	}
	return nil
}
