package scenariotest

import (
	"testing"
	"testing/synctest"

	"github.com/cordpair/cordpair/features"
)

// TestPlayFindsFaults: a scenario that tells something untrue names the line.
func TestPlayFindsFaults(t *testing.T) {
	const begin = "phone 101\nphone 102 answers 2s, rings\nphone 103 busy\n101 calls 102\nwait 1s\n"
	tests := []struct{ text, want string }{
		{begin + "101 hears ringing\n102 rings\n103 idle\nwait 1s\n101 hears 102\n102 told answered_elsewhere\n102 hangs up\n101 ends normal", ""},
		{begin, " the call of 101 is not over"},
		{begin + "101 hears music", "6: 101 hears music, got ringing"},
		{begin + "101 ends normal", "6: 101 ends normal, got not yet"},
		{begin + "102 ends normal", "6: 102 ends normal, got no call"},
		{begin + "102 idle", "6: 102 idle, got rings"},
		{begin + "103 rings", "6: 103 rings, got idle"},
		{begin + "103 hears 101", "6: 103 hears 101, got nothing"},
		{begin + "wait 1s\n102 hears echo", "7: 102 hears echo, got 101"},
		{begin + "101 hangs up\n101 ends normal", "7: 101 ends normal, got cancelled"},
		{begin + "101 hangs up\n102 told busy", "7: 102 told busy, got hangup cancelled, hangup cancelled"},
		{"phone 101\n101 calls *45\n101 hears digits/1", "3: 101 hears digits/1, got your-number-is digits/1 digits/0 digits/1"},
		{"phone 101\n101 calls *44\n101 hears echo", "3: 101 hears echo, got music"},
		{"phone 101\n101 calls *43\n101 hears music", "3: 101 hears music, got echo"},
		{"phone 101\n101 calls 199\n101 ends busy", "3: 101 ends busy, got not_found"},
	}
	for _, tt := range tests {
		s, err := parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			if got := play(t, s, features.New()); got != tt.want {
				t.Errorf("%q\ngot  %s\nwant %s", tt.text, got, tt.want)
			}
		})
	}
}
