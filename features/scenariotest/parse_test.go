package scenariotest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/cordpair/cordpair/dialplan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	got, err := parse(`
# a comment
phone 101
phone 102 answers 3s, busy   # two contacts
blocked 103 rings
queue 104

101 calls 0001*102
wait 2s
101 hears your-number-is digits/1
102 hangs up
101 ends normal
`)
	if err != nil {
		t.Fatal(err)
	}
	want := scenario{
		extensions: []extension{
			{number: "101", kind: dialplan.TypePhone},
			{number: "102", kind: dialplan.TypePhone, contacts: []contact{{"answers", 3 * time.Second}, {"busy", 0}}},
			{number: "103", kind: dialplan.TypePhone, blocked: true, contacts: []contact{{"rings", 0}}},
			{number: "104", kind: dialplan.TypeQueue},
		},
		acts: []act{
			{line: 8, who: "101", verb: "calls", what: "0001*102"},
			{line: 9, verb: "wait", time: 2 * time.Second},
			{line: 10, who: "101", verb: "hears", what: "your-number-is digits/1"},
			{line: 11, who: "102", verb: "hangs up"},
			{line: 12, who: "101", verb: "ends", what: "normal"},
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(scenario{}, extension{}, contact{}, act{})); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"phone",
		"phone 101\nphone 101",
		"phone 101\nwait 1s\nphone 102",
		"phone 101 sings",
		"phone 101 answers",
		"phone 101 answers soon",
		"phone 101 busy 3s",
		"phone 101 busy,",
		"wait",
		"wait -1s",
		"wait 25h",
		"wait 1s 2s",
		"101 calls 102",
		"phone 101\n101",
		"phone 101\n101 calls",
		"phone 101\n101 flies away",
		"phone 101\n101 hangs",
		"phone 101\n101 hangs on",
		"phone 101\n101 idle now",
	} {
		if _, err := parse(text); !errors.Is(err, errSyntax) || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("phone 101 answers 3s, busy\n101 calls 102\nwait 1s\n101 hangs up # bye")
	f.Add("phone 101 early\n,")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse(text)
		if err != nil && !errors.Is(err, errSyntax) {
			t.Fatalf("%q: %v", text, err)
		}
		for _, a := range s.acts {
			if (a.who == "") != (a.verb == "wait") || a.who != "" && !s.has(a.who) {
				t.Fatalf("%q: act %+v", text, a)
			}
		}
	})
}
