package api

import (
	"context"
	"errors"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/store"
)

// The owners of what the API shows and changes, as it needs them. The root meets
// these interfaces. Whatever changes something takes the ctx of the request, in
// which audit.As has put who asks, and answers when the change is durable and the
// next call sees it. Errors wrap store.ErrNotFound, store.ErrTaken or
// dialplan.ErrInvalid (with dialplan.FieldErrors that name JSON fields), and the
// overload and closing errors of their packages.

// ErrInUse says that something cannot be deleted or changed because something
// else still needs it.
var ErrInUse = errors.New("is in use")

// Configuration owns clients and extensions. Reading takes an atomic load.
type Configuration interface {
	Clients() []dialplan.Client // by id
	Client(id int64) (dialplan.Client, bool)
	AddClient(ctx context.Context, c dialplan.Client) (dialplan.Client, error)
	// ChangeClient lets change edit a copy of the stored row; an error of change
	// is returned as it is and nothing happens.
	ChangeClient(ctx context.Context, id int64, change func(*dialplan.Client) error) (dialplan.Client, error)
	// DeleteClient refuses with ErrInUse while the client has extensions.
	DeleteClient(ctx context.Context, id int64) error

	Extensions(client int64) []dialplan.Row // by id
	Extension(id int64) (dialplan.Row, bool)
	// FindExtension finds an extension of a client by any of its names.
	FindExtension(client int64, name string) (dialplan.Row, bool)
	// AddExtension stores a new extension of x.Extension.ClientID, which gives it
	// an id. Name is bare or full. For a phone, an empty password is generated.
	AddExtension(ctx context.Context, x NewExtension) (dialplan.Row, error)
	// ChangeExtension lets change edit a copy of the stored row. Blocking it ends
	// its calls and registrations (F9).
	ChangeExtension(ctx context.Context, id int64, change func(*dialplan.Row) error) (dialplan.Row, error)
	// ChangePhone lets change edit a copy of the phone of an extension; a password
	// that is not empty becomes its SIP password.
	ChangePhone(ctx context.Context, id int64, change func(*dialplan.Phone) error, password string) (dialplan.Row, error)
	DeleteExtension(ctx context.Context, id int64) error

	Groups(client int64) []dialplan.Group // by id
	AddGroup(ctx context.Context, g dialplan.Group) (dialplan.Group, error)
	ChangeGroup(ctx context.Context, client, id int64, change func(*dialplan.Group) error) (dialplan.Group, error)
	// DeleteGroup refuses with ErrInUse while an extension is in it.
	DeleteGroup(ctx context.Context, client, id int64) error

	// Version is the number of the last change of the client's configuration.
	Version(client int64) uint64
}

// NewExtension is what AddExtension needs.
type NewExtension struct {
	Extension dialplan.Extension
	Phone     dialplan.Phone // for type phone
	Password  string
}

// Registrations owns the bindings of phones.
type Registrations interface {
	// Registrations are the current bindings, or with registered false the last
	// the extension had.
	Registrations(extension int64) (list []location.Binding, registered bool)
	// Unregister ends one binding, or all when id is empty; ErrNotFound without
	// one. It returns when that is durable.
	Unregister(ctx context.Context, extension int64, id string) error
}

// Calls owns the calls that are up.
type Calls interface {
	Calls(client int64) []*call.Info // oldest first
	// CallOf is the running call that a leg is in, of whichever client.
	CallOf(leg call.LegID) (*call.Info, bool)
	// HangupLeg ends a leg of a running call, and with it the talk.
	HangupLeg(ctx context.Context, leg call.LegID) error
}

// Captures owns the recordings of what is sent and received in calls.
type Captures interface {
	// Capture begins to record a running call of a client, SIP and media of all its
	// legs, until ctx ends or the call does. The caller streams it once. It fails
	// with ErrInUse while too many are recorded, or that call is.
	Capture(ctx context.Context, client int64, id call.ID) (*media.Capture, error)
	// CaptureNext waits for the next call from or to a phone of a client and records it
	// from its first message on.
	CaptureNext(ctx context.Context, client int64, number string) (*media.Capture, error)
}

// History owns the records of calls; *history.History is one.
type History interface {
	List(q history.Query) ([]history.Record, store.Cursor, error)
	Legs(q history.Query) ([]history.Leg, store.Cursor, error)
	CallTotals(q history.Query) (history.Totals, error)
	LegTotals(q history.Query) (history.Totals, error)
	// Find returns a call of a client, running or ended.
	Find(client int64, id call.ID) (rec history.Record, running bool, err error)
	// Last names the call of a client that ended last.
	Last(ctx context.Context, client int64) (call.ID, error)
}
