//go:build system

package system

import (
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestScenarios: each scenario that ships runs over UDP and TCP.
func TestScenarios(t *testing.T) {
	need(t, "sipp")
	for _, transport := range []string{"u1", "t1"} {
		t.Run(transport, func(t *testing.T) {
			d := startDemo(t, 4)
			phones := d.sipp(t, d.sippPort(t), "-t", transport, "-sf", d.scenario("register.xml"), "-oocsf", d.scenario("answer.xml"),
				"-rtp_echo", "-inf", d.scenario("users.csv"), "-m", "4", "-d", "600000")
			d.awaitMetric(t, "cordpair_sip_bindings", 4)
			for _, c := range []struct {
				scenario, calls string
				n               int
			}{
				{"call.xml", "echo.csv", 8},
				{"call.xml", "calls.csv", 8},
				{"call-rtp.xml", "echo.csv", 4},
			} {
				s := d.sipp(t, d.sippPort(t), "-t", transport, "-sf", d.scenario(c.scenario), "-inf", d.scenario(c.calls),
					"-m", strconv.Itoa(c.n), "-r", "20", "-d", "0")
				s.clean(t, c.n, time.Minute)
			}
			before := d.metrics(t)["cordpair_media_packets_received_total"]
			s := d.sipp(t, d.sippPort(t), "-t", transport, "-sf", d.scenario("call-rtp.xml"), "-inf", d.scenario("calls.csv"),
				"-m", "2", "-d", "2000")
			s.clean(t, 2, time.Minute)
			// 100 packets per call and the echo of each: fewer than half would be a fault.
			if n := d.metrics(t)["cordpair_media_packets_received_total"] - before; n < 200 {
				t.Errorf("%v RTP packets in two calls of 2 s with an echo", n)
			}
			phones.signal(t, syscall.SIGKILL) // their pause is long
			d.stop(t)
		})
	}
}

// TestLoad: calls of two seconds from phone to phone, one in twenty with RTP
// both ways, then registrations; nothing fails, nothing is sent twice, and
// nothing is left behind.
func TestLoad(t *testing.T) {
	need(t, "sipp")
	d := startDemo(t, registerUsers)
	answering := d.answering(t, registerRate)
	before := d.holds(t)
	calls := d.load(t, callSeconds/2)
	d.atRest(t, before)
	half := d.holds(t)
	calls += d.load(t, callSeconds-callSeconds/2)
	answering.signal(t, syscall.SIGUSR1) // ends once its calls have, with its statistics
	answering.clean(t, calls, patience)
	d.atRest(t, before)
	flat(t, "calls", half, d.holds(t))

	port := d.sippPort(t)
	half = d.registrations(t, port, registerTimes/2)
	flat(t, "registrations", half, d.registrations(t, port, registerTimes-registerTimes/2))
	d.atRest(t, before)
	d.stop(t)
}

// load makes calls for some seconds and returns how many.
func (d *demo) load(t *testing.T, seconds int) int {
	t.Helper()
	const period, share = 2, 20 // rates are given for two seconds: one in twenty of 50 is no whole number
	rtp := callRate * period / share
	plain := callRate*period - rtp
	run := func(scenario string, rate int) (*sipp, int) {
		n := rate * seconds / period
		return d.sipp(t, d.sippPort(t), "-sf", d.scenario(scenario), "-inf", d.scenario("calls.csv"),
			"-r", strconv.Itoa(rate), "-rp", strconv.Itoa(1000*period), "-m", strconv.Itoa(n), "-d", "2000"), n
	}
	a, plainCalls := run("call.xml", plain)
	b, rtpCalls := run("call-rtp.xml", rtp)
	a.clean(t, plainCalls, loadBound)
	b.clean(t, rtpCalls, loadBound)
	t.Logf("SIPp, call.xml:\n%s", a.summary())
	t.Logf("SIPp, call-rtp.xml:\n%s", b.summary())
	return plainCalls + rtpCalls
}

// registrations registers all users again and again for some seconds.
func (d *demo) registrations(t *testing.T, port, seconds int) holding {
	t.Helper()
	n := registerRate * seconds
	s := d.sipp(t, port, "-sf", d.scenario("register.xml"), "-inf", d.scenario("users.csv"),
		"-r", strconv.Itoa(registerRate), "-m", strconv.Itoa(n))
	s.clean(t, n, loadBound)
	t.Logf("SIPp, register.xml:\n%s", s.summary())
	return d.holds(t)
}

// flat wants memory not to grow from one half of a load to the other; a
// collector may be behind by a share and some MiB.
func flat(t *testing.T, what string, half, end holding) {
	t.Helper()
	if end.rss > half.rss*1.25+32<<20 {
		t.Errorf("%s: RSS grew from %.0f to %.0f MiB", what, half.rss/(1<<20), end.rss/(1<<20))
	}
}
