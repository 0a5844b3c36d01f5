//go:build linux

package peers

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"text/template"
	"time"

	"github.com/cordpair/cordpair/bench/load"
)

//go:embed kamailio.cfg.tmpl
var kamailioText string

// kamailioConfig fills the template.
type kamailioConfig struct {
	Addr, Domain  string
	Phones, First int
}

const (
	peerDomain = "bench.test"
	firstPhone = 10001
)

// Kamailio starts Kamailio as registrar and stateful proxy: no media.
func Kamailio(ctx context.Context, s Setting) (*Peer, error) {
	if err := installed("kamailio"); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cfg := kamailioConfig{Addr: fmt.Sprintf("127.0.0.1:%d", port), Domain: peerDomain, Phones: s.Phones, First: firstPhone}
	text, err := cfg.render()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.Dir, "kamailio.cfg")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	p, err := start(s, "kamailio", "-DD", "-E", "-f", file, "-Y", s.Dir, "-m", "256", "-M", "8")
	if err != nil {
		return nil, err
	}
	p.Addr, p.Domain = cfg.Addr, cfg.Domain
	for i := range s.Phones {
		user := strconv.Itoa(firstPhone + i)
		p.Phones = append(p.Phones, load.Phone{User: user, Password: "secret of " + user})
	}
	if err := p.await(ctx, func() error { return knock(cfg.Addr, cfg.Domain) }); err != nil {
		return nil, p.failed(err)
	}
	return p, nil
}

func (c kamailioConfig) render() ([]byte, error) {
	t, err := template.New("kamailio").Parse(kamailioText)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, c)
	return b.Bytes(), err
}

// knock sends an OPTIONS and wants any answer.
func knock(addr, domain string) error {
	c, err := net.Dial("udp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = fmt.Fprintf(c, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKknock;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:knock@%[1]s>;tag=k\r\nTo: <sip:%[1]s>\r\nCall-ID: knock\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		domain, c.LocalAddr())
	if err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 4096))
	return err
}
