//go:build system

package system

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/store"
)

// TestKill: after kill -9 a call reaches every phone that was registered over
// UDP, without a new REGISTER; calls that had ended have their record, those
// that were cut off get one that says so.
func TestKill(t *testing.T) {
	need(t, "sipp")
	const finished, cut = 10, 5
	d := startDemo(t, killPhones)
	d.answering(t, registerRate)
	d.calls(t, d.scenario("calls.csv"), finished)
	running := d.sipp(t, d.sippPort(t), "-sf", d.scenario("call.xml"), "-inf", d.scenario("calls.csv"),
		"-m", strconv.Itoa(cut), "-d", "600000")
	d.awaitMetric(t, "cordpair_calls", cut)
	time.Sleep(1100 * time.Millisecond) // records are promised within a second
	d.signal(t, syscall.SIGKILL)
	d.wait(t, patience)
	running.signal(t, syscall.SIGKILL)
	running.wait(t, patience)

	d.begin(t)
	if n := d.metrics(t)["cordpair_sip_bindings"]; n != killPhones {
		t.Errorf("%v phones are registered after the kill, want %d", n, killPhones)
	}
	d.calls(t, d.everybody(t), killPhones)
	if n := d.metrics(t)["cordpair_sip_registrations_total"]; n != 0 {
		t.Errorf("%v phones had to register again", n)
	}
	d.stop(t)

	causes := map[call.Cause]int{}
	for _, r := range records(t, d) {
		causes[r.Cause]++
	}
	if causes[call.CauseNormal] != finished+killPhones || causes[call.CauseRestart] != cut || len(causes) != 2 {
		t.Errorf("records by cause: %v; want %d ended normally and %d by the restart", causes, finished+killPhones, cut)
	}
}

// calls makes short calls and wants all of them to be good.
func (d *demo) calls(t *testing.T, list string, n int) {
	t.Helper()
	d.sipp(t, d.sippPort(t), "-sf", d.scenario("call.xml"), "-inf", list, "-m", strconv.Itoa(n), "-r", "50").clean(t, n, 5*time.Minute)
}

// everybody writes a list in which each user of the demo calls the next.
func (d *demo) everybody(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(d.scenario("users.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i := range d.Extensions {
		lines[i+1] += ";" + d.Extensions[(i+1)%len(d.Extensions)].User
	}
	file := d.path("everybody.csv")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// records reads the call records of a demo that has ended.
func records(t *testing.T, d *demo) []history.Record {
	t.Helper()
	db, err := store.Open(store.Config{Dir: d.DataDir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := db.OpenRecords(); err != nil {
		t.Fatal(err)
	}
	list, _, err := history.New(db, call.NewBus(), history.Options{}).List(history.Query{Client: d.ClientID})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
