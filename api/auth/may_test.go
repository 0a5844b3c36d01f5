package auth

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/cordpair/cordpair/dialplan"
)

// oracle says what a principal may in the words of the specification: who may
// what, by name, not by order.
func oracle(p Principal, n Need) error {
	above := map[Level]string{
		LevelExtension: "E", LevelGroup: "EG", LevelClient: "EGC", LevelDealer: "EGCD", LevelPlatform: "EGCDP",
	}
	letter := map[Level]rune{LevelExtension: 'E', LevelGroup: 'G', LevelClient: 'C', LevelDealer: 'D', LevelPlatform: 'P'}
	reaches := false
	for _, l := range above[p.Level] {
		reaches = reaches || l == letter[n.Level]
	}
	switch n.Act {
	case Read, Control, Configure:
	default:
		return ErrLevel
	}
	if !reaches {
		return ErrLevel
	}
	userMay := map[Access]map[Act]bool{
		AccessFull:     {Read: true, Control: true, Configure: true},
		AccessReadOnly: {Read: true},
	}
	appMay := map[AppAccess]map[Act]bool{
		AppAll:     {Read: true, Control: true, Configure: true},
		AppCallAPI: {Read: true, Control: true},
	}
	user, app := userMay[p.Access][n.Act], appMay[p.AppAccess][n.Act]
	switch {
	case user && app:
		return nil
	case !user && (n.Act != Read || app):
		return ErrReadOnly
	}
	return ErrApp
}

// Every level x access x access of the application x level and act of an
// endpoint, with values that nobody has among them.
func TestMay(t *testing.T) {
	levels := append([]Level{-1, 0, LevelPlatform + 1}, Levels()...)
	granted, refused := 0, 0
	for _, level := range levels {
		for _, access := range []Access{AccessFull, AccessReadOnly, "", "other"} {
			for _, app := range []AppAccess{AppAll, AppCallAPI, "", "other"} {
				for _, need := range levels {
					for act := Act(-1); act <= Configure+1; act++ {
						p, n := Principal{Level: level, Access: access, AppAccess: app}, Need{need, act}
						got, want := p.May(n), oracle(p, n)
						if !errors.Is(got, want) || (got == nil) != (want == nil) {
							t.Errorf("%v %q %q: %v %v: %v, want %v", level, access, app, need, act, got, want)
						}
						if got == nil {
							granted++
						} else {
							refused++
						}
					}
				}
			}
		}
	}
	// 15 pairs of levels: a full user with All may 3 acts, with Call API 2; one
	// that only reads may 1 with either.
	if want := 15 * (3 + 2 + 1 + 1); granted != want || refused == 0 {
		t.Errorf("%d granted, want %d; %d refused", granted, want, refused)
	}
	if err := (Principal{}).May(Need{}); err == nil {
		t.Error("nobody may do nothing")
	}
}

func TestMayGrant(t *testing.T) {
	for _, level := range Levels() {
		p, high := Principal{Level: level}, level == LevelDealer || level == LevelPlatform
		for _, tt := range []struct {
			x     App
			plain bool
		}{
			{App{Access: AppCallAPI, Type: AppTrusted}, true},
			{App{Access: AppCallAPI, Type: AppPublic}, true},
			{App{Access: AppAll, Type: AppTrusted}, false},
			{App{Access: AppCallAPI, Type: AppPassword}, false},
		} {
			if err := p.MayGrant(tt.x); (err == nil) != (tt.plain || high) {
				t.Errorf("%v: %s %s: %v", level, tt.x.Access, tt.x.Type, err)
			}
		}
	}
}

func TestLevelNames(t *testing.T) {
	want := []string{"extension", "extension_group", "client", "dealer", "platform"}
	for i, l := range Levels() {
		var back Level
		if b, err := json.Marshal(l); err != nil || string(b) != `"`+want[i]+`"` {
			t.Errorf("%d: %s, %v", l, b, err)
		}
		if err := back.UnmarshalText([]byte(want[i])); err != nil || back != l {
			t.Errorf("%s: %v, %v", want[i], back, err)
		}
	}
	for _, bad := range []string{"group", "Client", "platform "} {
		var l Level
		if err := l.UnmarshalText([]byte(bad)); !errors.Is(err, dialplan.ErrInvalid) {
			t.Errorf("%q: %v, %v", bad, l, err)
		}
	}
}
