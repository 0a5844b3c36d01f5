package cordpair

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"time"
)

// Verdict is how bad a finding is.
type Verdict string

// The verdicts.
const (
	Good Verdict = "ok"
	Note Verdict = "note"
	Warn Verdict = "warn"
	Bad  Verdict = "bad"
)

// Finding is one thing doctor looked at.
type Finding struct {
	What    string
	Verdict Verdict
	Text    string
}

// Examine looks at this machine for what a switch with cfg would stumble over.
// It opens and closes the ports of cfg, so a running switch shows as a port
// that is taken.
func Examine(cfg Config) []Finding {
	var found []Finding
	for _, l := range cfg.Listen.SIP {
		found = append(found, examineListener(l))
	}
	found = append(found, examineTCP("http", cfg.Listen.HTTP), examineTCP("metrics", cfg.Listen.Metrics),
		examineMedia(cfg), examineBuffer(), examineFiles(cfg), examineClock(),
		Finding{"cores", Good, fmt.Sprintf("%d", runtime.GOMAXPROCS(0))})
	return found
}

func examineListener(l SIPListener) Finding {
	what := "sip " + l.Transport
	if l.Transport == "tcp" {
		return examineTCP(what, l.Addr)
	}
	at, err := netip.ParseAddrPort(l.Addr)
	if err != nil {
		return Finding{what, Bad, err.Error()}
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return Finding{what, Bad, err.Error()}
	}
	return closed(what, l.Addr, c)
}

func examineTCP(what, addr string) Finding {
	if addr == "" {
		return Finding{what, Note, "off"}
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return Finding{what, Bad, err.Error()}
	}
	return closed(what, addr, ln)
}

func closed(what, addr string, c interface{ Close() error }) Finding {
	if err := c.Close(); err != nil {
		return Finding{what, Bad, err.Error()}
	}
	return Finding{what, Good, addr + " is free"}
}

// examineMedia asks whether this machine has the addresses media is received at.
func examineMedia(cfg Config) Finding {
	const what = "media address"
	addrs, err := cfg.mediaAddresses()
	if err != nil {
		return Finding{what, Bad, err.Error()}
	}
	var names []string
	for _, a := range addrs {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
		if err != nil {
			return Finding{what, Bad, err.Error()}
		}
		if err := c.Close(); err != nil {
			return Finding{what, Bad, err.Error()}
		}
		names = append(names, a.String())
	}
	return Finding{what, Good, strings.Join(names, ", ")}
}

// examineClock asks whether the wall clock has been set: certificates, records
// and schedules depend on it.
func examineClock() Finding {
	now := time.Now()
	if now.Year() < 2026 {
		return Finding{"clock", Bad, "says " + now.Format(time.RFC3339) + "; is it set?"}
	}
	zone, _ := now.Zone()
	return Finding{"clock", Good, now.Format(time.RFC3339) + " " + zone}
}

// portsOf is how many sockets the media ports of cfg can take: each port at each
// address.
func portsOf(cfg Config) int {
	low, high, err := cfg.RTP.ports()
	if err != nil {
		return 0
	}
	addrs, err := cfg.mediaAddresses()
	if err != nil {
		return 0
	}
	return (high - low + 1) * len(addrs)
}

// otherFiles are the descriptors wanted beside media: the tables of the store,
// phones over TCP, HTTP connections. A store without any refuses every write.
const otherFiles = 8192

// judgeFiles says whether a limit of open files leaves enough beside media, which
// keeps two sockets for each pair of ports.
func judgeFiles(limit uint64, ports int) Finding {
	need := uint64(ports) + otherFiles
	if limit >= need {
		return Finding{"open files", Good, fmt.Sprintf("limit %d, media can take %d", limit, ports)}
	}
	return Finding{"open files", Warn, fmt.Sprintf("limit %d, media can take %d, %d should be left for store, phones over TCP and HTTP; "+
		"ulimit -n %d or fewer rtp.ports", limit, ports, otherFiles, need)}
}
