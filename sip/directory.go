package sip

import (
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/digest"
)

// Directory is what the edge asks the rest of the switch about its users. It is
// met by the root over the current configuration; every method answers from
// memory at once and is called from any worker.
type Directory interface {
	// Realm is the digest realm for a request that names user at domain: the
	// domain of the client it belongs to, or the node's default when it belongs
	// to none, so that a stranger cannot tell the two apart (A3).
	Realm(user, domain string) string
	// Account finds the extension that user at domain means (design section 3:
	// the domain decides; with an IP literal or an unknown domain the full
	// name, or the bare name if the node has one client).
	Account(user, domain string) (Account, bool)
	// Number finds the account that a name dialled within a client means, under
	// any name an extension has there, as a call finds it.
	Number(client int64, dialled string) (Account, bool)
	// Extension finds an account by its extension's id.
	Extension(id int64) (Account, bool)
	// Emergency tells whether number is an emergency number of any client: a
	// call to it is never refused for want of time (O2). It is asked of what
	// nobody has checked, keeps nothing of it and allocates nothing.
	Emergency(number []byte) bool
	// EmergencyIn tells whether number is an emergency number of this client: its
	// users' calls to it pass every limit (F8).
	EmergencyIn(client int64, number string) bool
}

// Account is one extension that may register and call.
type Account struct {
	Client    int64
	Extension int64
	// Number is the bare name ("101"), FullName the prefixed one ("0001*101").
	Number, FullName string
	// Name is shown to the called side.
	Name string
	// Domain is the client's domain, which is also its realm.
	Domain string
	// Secret holds the digest HA1 values for that realm.
	Secret digest.Secret
	Policy digest.Policy
}

// Calls takes new calls; met by call.Registry.
type Calls interface {
	// Start hands over the leg. On an error the leg is still the edge's, which
	// refuses it with 503.
	Start(leg call.Leg, inv call.Invite) (*call.Call, error)
}
