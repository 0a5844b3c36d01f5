package dialplan

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/cordpair/cordpair/dialplan/call"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testClient is the client of most tests: prefix 0001, extensions of 3 digits.
func testClient() Client {
	c := DefaultClient()
	c.ID, c.Name, c.Prefix = 1, "Example", "0001"
	c.Domain, c.DomainPrefix = "sip.example.org", "12345"
	return c
}

// row is an active phone of testClient.
func row(id int64, number string) Row {
	x := DefaultExtension()
	x.ID, x.ClientID, x.Name = id, 1, "0001*"+number
	return Row{x, DefaultPhone()}
}

// testRows: phones 101 to 104 (ids 1 to 4, 102 rings 20 s), 105 blocked, 106 a queue.
func testRows() Rows {
	rows := Rows{Client: testClient(), Demo: true}
	for i := range 6 {
		rows.Extensions = append(rows.Extensions, row(int64(i+1), fmt.Sprint(101+i)))
	}
	rows.Extensions[1].Phone.HangupTimeout = 20
	rows.Extensions[4].Extension.Status = StatusBlocked
	rows.Extensions[5].Extension.Type = TypeQueue
	return rows
}

func compile(t testing.TB, rows Rows) *View {
	t.Helper()
	v, err := Compile(rows)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// dial is the facts of extension 101 dialling a number.
func dial(number string) Facts {
	return Facts{Invite: call.Invite{
		Client:  1,
		From:    call.Party{Extension: 1, Number: "101", Domain: "sip.example.org"},
		Dialled: number,
	}}
}

// allocs asserts how often f allocates at most.
func allocs(t *testing.T, most float64, f func()) {
	t.Helper()
	if raceEnabled {
		return
	}
	if n := testing.AllocsPerRun(100, f); n > most {
		t.Errorf("%v allocations, want at most %v", n, most)
	}
}
