//go:build system

package system

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sipp is a running SIPp.
type sipp struct {
	*process
	stats, errors string // files it writes
	began         time.Time
}

// sippPort takes a port for a SIPp.
func (d *demo) sippPort(t *testing.T) int {
	t.Helper()
	if d.sipps++; d.sipps > mostSipps {
		t.Fatal("more SIPps than ports")
	}
	return int(d.ports) + atSipp + d.sipps - 1
}

// sipp runs a scenario of the demo against it, from the given port.
func (d *demo) sipp(t *testing.T, port int, args ...string) *sipp {
	t.Helper()
	d.runs++
	s := &sipp{began: time.Now(), stats: d.path(fmt.Sprintf("stats-%d.csv", d.runs)), errors: d.path(fmt.Sprintf("errors-%d.log", d.runs))}
	media := int(d.ports) + atSippMedia + sippMedia*(port-int(d.ports)-atSipp)
	args = append(args, "-p", strconv.Itoa(port), "-mp", strconv.Itoa(media), "-i", "127.0.0.1",
		"-nostdin", "-trace_stat", "-stf", s.stats, "-fd", "1",
		"-trace_err", "-error_file", s.errors, d.SIP.UDP)
	s.process = start(t, d.dir, "sipp", args...)
	return s
}

// scenario names a file of --sipp-dir.
func (d *demo) scenario(name string) string { return d.path("sipp", name) }

// answering registers all users of the demo from one port over UDP and answers
// there.
func (d *demo) answering(t *testing.T, rate int) *sipp {
	t.Helper()
	port := d.sippPort(t)
	d.register(t, port, rate)
	s := d.sipp(t, port, "-sf", d.scenario("answer.xml"), "-rtp_echo")
	until(t, patience, "answering SIPp", func() bool { return udpBound(t, port) })
	return s
}

// udpBound tells whether some process of this machine has the UDP port.
func udpBound(t *testing.T, port int) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), fmt.Sprintf(":%04X 00000000:0000", port))
}

// register registers every user once from a port.
func (d *demo) register(t *testing.T, port, rate int) sippResult {
	t.Helper()
	s := d.sipp(t, port, "-sf", d.scenario("register.xml"), "-inf", d.scenario("users.csv"),
		"-m", strconv.Itoa(len(d.Extensions)), "-r", strconv.Itoa(rate))
	return s.clean(t, len(d.Extensions), time.Minute)
}

// end stops an answering SIPp and returns what it counted.
func (s *sipp) end(t *testing.T) sippResult {
	t.Helper()
	s.signal(t, syscall.SIGUSR1) // ends at once, with its statistics
	s.wait(t, patience)
	return s.result(t)
}

// sippResult is the last line of SIPp's statistics.
type sippResult struct {
	success, failed, unexpected, retransmitted, outOfCall, dead int
}

// clean waits for SIPp and wants all calls good: none failed, nothing
// unexpected, nothing retransmitted.
func (s *sipp) clean(t *testing.T, calls int, bound time.Duration) sippResult {
	t.Helper()
	r, code := s.outcome(t, bound)
	s.judge(t, r, code, calls)
	return r
}

// outcome waits for SIPp: what it counted, its exit code.
func (s *sipp) outcome(t *testing.T, bound time.Duration) (r sippResult, code int) {
	t.Helper()
	code = s.wait(t, bound)
	r = s.result(t)
	if r.retransmitted > 0 && machine.since(s.began) {
		t.Logf("the machine stood still; excused: %+v", r)
		r.retransmitted, r.outOfCall, r.dead = 0, 0, 0
	}
	return r, code
}

// judge wants what clean wants.
func (s *sipp) judge(t *testing.T, r sippResult, code, calls int) {
	t.Helper()
	if want := (sippResult{success: calls}); r != want || code != 0 {
		log, _ := os.ReadFile(s.errors) // there is none without errors
		t.Errorf("SIPp, exit code %d: %+v, want %+v\n%s", code, r, want, log[:min(len(log), 3000)])
	}
}

// late tells whether nothing is wrong but that something was sent again, as is right
// when half a second passes without an answer (timers A, E and G): in a flow without
// loss somebody had no processor for so long, ourselves or SIPp. A repetition that comes
// before it has answered SIPp takes for a surprise; that counts if the machine was seen
// to stand still.
func (s *sipp) late(r sippResult, calls int) bool {
	return r.success == calls && r.retransmitted > 0 || r.success < calls && machine.since(s.began)
}

func (s *sipp) result(t *testing.T) sippResult {
	t.Helper()
	f, err := os.Open(s.stats)
	if err != nil {
		t.Fatalf("SIPp left no statistics: %v", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.FieldsPerRecord = ';', -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("SIPp's statistics: %d rows, %v", len(rows), err)
	}
	last := map[string]int{}
	for i, name := range rows[0] {
		if i < len(rows[len(rows)-1]) {
			last[name], _ = strconv.Atoi(rows[len(rows)-1][i]) // times are no numbers
		}
	}
	return sippResult{
		success: last["SuccessfulCall(C)"], failed: last["FailedCall(C)"],
		unexpected: last["FailedUnexpectedMessage(C)"], retransmitted: last["Retransmissions(C)"],
		outOfCall: last["OutOfCallMsgs(C)"], dead: last["DeadCallMsgs(C)"],
	}
}

// summary is the final screen without what is about the terminal.
func (s *sipp) summary() string {
	var lines []string
	for _, line := range strings.Split(s.out.String(), "\n") {
		for _, part := range []string{"---->", "<----", "Retrans", "cps", "Total-calls", "(UDP)", "(TCP)", "Successful", "Failed"} {
			if strings.Contains(line, part) {
				lines = append(lines, strings.TrimRight(line, " \r"))
				break
			}
		}
	}
	return strings.Join(lines, "\n")
}
