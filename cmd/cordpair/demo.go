package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"

	"github.com/cordpair/cordpair"
)

type demoCmd struct {
	SIP        string `default:"127.0.0.1:5060" placeholder:"ADDR" help:"SIP address, UDP and TCP. A taken port becomes the next free one."`
	HTTP       string `default:"127.0.0.1:8080" placeholder:"ADDR" help:"HTTP address."`
	Metrics    string `default:"127.0.0.1:9090" placeholder:"ADDR" help:"Address of /metrics."`
	DataDir    string `default:"cordpair-demo" placeholder:"DIR" help:"Folder of everything durable; the same folder finds everything again."`
	SippDir    string `placeholder:"DIR" help:"Write SIPp scenarios and the users' CSV there."`
	PhonesDir  string `placeholder:"DIR" help:"Write baresip folders and linphonec settings there."`
	RTPPorts   string `name:"rtp-ports" default:"16384-32767" placeholder:"A-B" help:"Media ports."`
	Extensions int    `default:"4" placeholder:"N" help:"How many phones to have."`
	JSON       bool   `name:"json" help:"Describe the demo as one line of JSON."`
}

// Run opens the demo, says how to use it and serves until a signal.
func (c demoCmd) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	roomForDescriptors()
	sw, err := cordpair.Open(cfg)
	if err != nil {
		return err
	}
	go tendCollector(ctx) // ends with ctx
	d, err := c.prepare(ctx, sw)
	if err != nil {
		return errors.Join(err, sw.Close())
	}
	return sw.RunThen(ctx, func() error { return c.say(os.Stdout, d) })
}

func (c demoCmd) prepare(ctx context.Context, sw *cordpair.Switch) (cordpair.Demo, error) {
	d, err := sw.EnsureDemo(ctx, c.Extensions)
	if err != nil {
		return d, err
	}
	if c.SippDir != "" {
		if err := writeSipp(c.SippDir, d); err != nil {
			return d, err
		}
	}
	if c.PhonesDir != "" {
		if err := writePhones(c.PhonesDir, d); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (c demoCmd) config() (cordpair.Config, error) {
	cfg := cordpair.DefaultConfig()
	given := ports{}
	sip, err := given.free(c.SIP, "udp", "tcp")
	if err != nil {
		return cfg, fmt.Errorf("--sip: %w", err)
	}
	if cfg.Listen.HTTP, err = given.free(c.HTTP, "tcp"); err != nil {
		return cfg, fmt.Errorf("--http: %w", err)
	}
	if cfg.Listen.Metrics, err = given.free(c.Metrics, "tcp"); err != nil {
		return cfg, fmt.Errorf("--metrics: %w", err)
	}
	cfg.DataDir, cfg.RTP.Ports, cfg.Demo, cfg.DrainTime = c.DataDir, c.RTPPorts, true, 0
	cfg.Listen.SIP = []cordpair.SIPListener{
		{Name: "udp", Transport: "udp", Addr: sip},
		{Name: "tcp", Transport: "tcp", Addr: sip},
	}
	cfg.Log.Level = "warn"
	return cfg, nil
}

// portsToTry is how far free looks.
const portsToTry = 100

// ports are those that free has given away already.
type ports map[uint16]bool

// free returns addr, or the next port of it that is free in all networks. Port
// 0 takes any.
func (given ports) free(addr string, networks ...string) (string, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return "", err
	}
	taken := errNoPort
	for range portsToTry {
		port, err := tryPort(at, networks)
		if err == nil && !given[port] {
			given[port] = true
			return netip.AddrPortFrom(at.Addr(), port).String(), nil
		}
		if err != nil {
			taken = err
		}
		if at.Port() != 0 {
			at = netip.AddrPortFrom(at.Addr(), at.Port()+1)
		}
	}
	return "", taken
}

var errNoPort = errors.New("no port is free")

// tryPort opens and closes the port in every network.
func tryPort(at netip.AddrPort, networks []string) (uint16, error) {
	port := at.Port()
	for _, network := range networks {
		c, bound, err := bind(network, netip.AddrPortFrom(at.Addr(), port))
		if err != nil {
			return 0, err
		}
		defer c.Close()
		port = bound
	}
	return port, nil
}

func bind(network string, at netip.AddrPort) (io.Closer, uint16, error) {
	if network == "udp" {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		if err != nil {
			return nil, 0, err
		}
		return c, c.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
	}
	ln, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, 0, err
	}
	return ln, ln.Addr().(*net.TCPAddr).AddrPort().Port(), nil
}

// say tells a program with --json and a person otherwise how to use the demo.
func (c demoCmd) say(w io.Writer, d cordpair.Demo) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(d)
	}
	lines := "Cordpair is up. Register two phones and call from one to the other.\n\n" +
		"  SIP server     " + d.SIP.UDP + " (UDP and TCP)\n" +
		"  domain         " + d.SIP.Domain + "\n\n" +
		"  user   password\n"
	for _, x := range d.Extensions[:min(len(d.Extensions), 10)] {
		lines += fmt.Sprintf("  %-5s  %s\n", x.User, x.Password)
	}
	if n := len(d.Extensions) - 10; n > 0 {
		lines += "  … and " + strconv.Itoa(n) + " more; --json lists them all\n"
	}
	lines += "\n  *43 echo   *44 music   *45 says your number\n\n"
	if d.Explorer != "" {
		lines += "  API browser    " + d.Explorer + "\n" +
			"  client id      " + d.App.ClientID + "\n" +
			"  client secret  " + d.App.ClientSecret + "\n" +
			"  access token   " + tokenCommand(d.DataDir) + "\n\n"
	}
	lines += "  data in " + d.DataDir + ", metrics at " + d.Metrics + "; stop with Ctrl-C\n"
	_, err := io.WriteString(w, lines)
	return err
}

// tokenCommand is what prints an access token of the demo's user.
func tokenCommand(dataDir string) string {
	if slices.Contains(places, dataDir) {
		return "cordpair token demo"
	}
	return "cordpair token demo --data-dir " + dataDir
}
