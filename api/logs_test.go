package api

import (
	"testing"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/features/audit"
)

// TestShownActor: a client learns of its own people who they are, of those above
// it that it was one of them (T4).
func TestShownActor(t *testing.T) {
	for _, c := range []struct {
		reader auth.Level
		level  string
		named  bool
	}{
		{auth.LevelClient, "client", true},
		{auth.LevelClient, "extension", true},
		{auth.LevelClient, "dealer", false},
		{auth.LevelClient, "platform", false},
		{auth.LevelClient, audit.LevelOperator, false},
		{auth.LevelDealer, "platform", true},
		{auth.LevelPlatform, "dealer", true},
	} {
		a := audit.Actor{User: 7, Login: "root", App: "x", From: "192.0.2.1", Level: c.level}
		got := shownActor(auth.Principal{Level: c.reader}, a)
		if want := (audit.Actor{Level: c.level}); c.named && got != a || !c.named && got != want {
			t.Errorf("%v sees %+v as %+v", c.reader, a, got)
		}
	}
}
