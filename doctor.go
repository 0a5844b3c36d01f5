package cordpair

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
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
// It opens and closes the ports of cfg; one that is taken is bad, unless a switch
// runs over the data folder of cfg and will be the one who has it.
func Examine(cfg Config) []Finding {
	var found []Finding
	ports := ports{running: Runs(cfg.DataDir)}
	for _, l := range cfg.Listen.SIP {
		found = append(found, ports.listener(l))
	}
	found = append(found, ports.tcp("http", cfg.Listen.HTTP), ports.tcp("metrics", cfg.Listen.Metrics),
		examineMedia(cfg), examineBuffer(), examineFiles(cfg), examineClock(), examineOpus(cfg),
		Finding{"cores", Good, fmt.Sprintf("%d", runtime.GOMAXPROCS(0))})
	return found
}

// ports examines what a switch listens at, beside one that is running or not.
type ports struct{ running bool }

func (p ports) listener(l SIPListener) Finding {
	what := "sip " + l.Transport
	if l.Transport == "tcp" {
		return p.tcp(what, l.Addr)
	}
	at, err := netip.ParseAddrPort(l.Addr)
	if err != nil {
		return Finding{what, Bad, err.Error()}
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return p.taken(what, l.Addr, err)
	}
	return closed(what, l.Addr, c)
}

func (p ports) tcp(what, addr string) Finding {
	if addr == "" {
		return Finding{what, Note, "off"}
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return p.taken(what, addr, err)
	}
	return closed(what, addr, ln)
}

func (p ports) taken(what, addr string, err error) Finding {
	if p.running && errors.Is(err, syscall.EADDRINUSE) {
		return Finding{what, Note, addr + " is in use; the switch of this data folder is running"}
	}
	return Finding{what, Bad, err.Error()}
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
