package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/cordpair/cordpair"
)

// demoPhones is how many of the extensions get a softphone's settings.
const demoPhones = 4

// softphone fills in the templates of one phone.
type softphone struct {
	User, Password   string
	Domain, Realm    string
	Transport        string
	Server, Host     string
	SIPPort, TCPPort int
	ControlPort      int
	RTPLow, RTPHigh  int
	Tone, Heard      string
}

// writePhones writes for each of the first phones a baresip folder for UDP
// (101) and TCP (101-tcp), and linphonec settings (linphonerc-101, …-tcp). Each
// phone sends a tone of its own: 101 440 Hz, 102 550 Hz, 103 660 Hz, 104 770 Hz.
func writePhones(dir string, d cordpair.Demo) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for i, x := range d.Extensions[:min(len(d.Extensions), demoPhones)] {
		tone := filepath.Join(dir, fmt.Sprintf("tone-%s.wav", x.User))
		if err := os.WriteFile(tone, toneWAV(440+110*float64(i)), 0o600); err != nil {
			return err
		}
		for j, transport := range []string{"udp", "tcp"} {
			p, err := newSoftphone(d, x, transport, 2*i+j)
			if err != nil {
				return err
			}
			p.Tone = tone
			if err := p.write(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// A softphone's ports are those of the server plus these, so that two demos on
// one machine have phones that do not meet.
const (
	sipAfter     = 100 // two ports each
	controlAfter = 200 // two each
	rtpAfter     = 300 // rtpPorts each
	rtpPorts     = 20
)

// newSoftphone gives the n-th phone ports of its own.
func newSoftphone(d cordpair.Demo, x cordpair.DemoExtension, transport string, n int) (softphone, error) {
	server := d.SIP.UDP
	if transport == "tcp" {
		server = d.SIP.TCP
	}
	host, portText, err := net.SplitHostPort(server)
	if err != nil {
		return softphone{}, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return softphone{}, err
	}
	p := softphone{
		User: x.User, Password: x.Password, Domain: d.SIP.Domain, Realm: d.SIP.Realm, Transport: transport,
		Server: server, Host: host,
		SIPPort: port + sipAfter + 2*n, TCPPort: -1, ControlPort: port + controlAfter + 2*n,
		RTPLow: port + rtpAfter + rtpPorts*n, RTPHigh: port + rtpAfter + rtpPorts*(n+1) - 1,
	}
	if transport == "tcp" {
		p.TCPPort = p.SIPPort
	}
	return p, nil
}

func (p softphone) write(dir string) error {
	name := p.User
	if p.Transport == "tcp" {
		name += "-tcp"
	}
	folder := filepath.Join(dir, name)
	p.Heard = filepath.Join(folder, "heard")
	if err := os.MkdirAll(p.Heard, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "contacts"), nil, 0o600); err != nil {
		return err
	}
	for template, file := range map[string]string{
		"baresip-config":   filepath.Join(folder, "config"),
		"baresip-accounts": filepath.Join(folder, "accounts"),
		"linphonerc":       filepath.Join(dir, "linphonerc-"+name),
	} {
		if err := render(template, file, p); err != nil {
			return err
		}
	}
	return nil
}
