package auth

import (
	"fmt"
	"slices"

	"github.com/cordpair/cordpair/dialplan"
)

// Level says how far a user's rights reach (spec/http-api.md 1.2). Each level may
// what those below it may, for everything that lies within its reach. The zero
// Level is nobody's.
type Level int

// The levels, lowest first.
const (
	LevelExtension Level = iota + 1 // one extension
	LevelGroup                      // the extensions of one extension group
	LevelClient                     // one client
	LevelDealer                     // the clients of one dealer
	LevelPlatform                   // the switch
)

var levelNames = []string{"", "extension", "extension_group", "client", "dealer", "platform"}

// Levels are all levels, lowest first.
func Levels() []Level {
	return []Level{LevelExtension, LevelGroup, LevelClient, LevelDealer, LevelPlatform}
}

// String is the level's name in JSON; empty for what is none.
func (l Level) String() string {
	if l < 0 || int(l) >= len(levelNames) {
		return ""
	}
	return levelNames[l]
}

// MarshalText writes the name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a name; the error wraps dialplan.ErrInvalid.
func (l *Level) UnmarshalText(b []byte) error {
	i := slices.Index(levelNames, string(b))
	if i < 0 {
		return fmt.Errorf("level: must be extension, extension_group, client, dealer or platform: %w", dialplan.ErrInvalid)
	}
	*l = Level(i)
	return nil
}

// Act is what a request wants to do to what it names. The zero Act is refused
// to everybody.
type Act int

// The acts.
const (
	// Read is every GET.
	Read Act = iota + 1
	// Control is what an application of access Call API may do besides reading:
	// create event handlers, delete recordings and voicemail, send, cancel, retry
	// and delete faxes, originate, manage and break calls (spec/http-api.md 1.2).
	Control
	// Configure is every other change.
	Configure
)

// String names the act.
func (a Act) String() string {
	switch a {
	case Read:
		return "read"
	case Control:
		return "control"
	case Configure:
		return "configure"
	}
	return ""
}

// Need is what an endpoint asks of a caller: the lowest level that may use it,
// and the act it performs. The zero Need refuses everybody.
type Need struct {
	Level Level
	Act   Act
}

// Access says whether a user may change anything.
type Access string

// The kinds of access of a user.
const (
	AccessFull     Access = "full"
	AccessReadOnly Access = "read_only"
)

// AppAccess says what an application may do, whoever uses it.
type AppAccess string

// The kinds of access of an application.
const (
	AppCallAPI AppAccess = "Call API" // reads and controls; the default
	AppAll     AppAccess = "All"      // changes the configuration too
)

// AppType says how an application gets its tokens.
type AppType string

// The types of application (spec/http-api.md 1.2).
const (
	AppPublic   AppType = "public"               // a user confirms in the browser
	AppTrusted  AppType = "trusted"              // its own secret; it stands for its owner
	AppPassword AppType = "password_credentials" // a user's login and password
)
