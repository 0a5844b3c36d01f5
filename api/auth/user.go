package auth

import (
	"slices"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// User is somebody who may use the API (spec/http-api.md 1.2, 2.21, 5.9). Mailing
// the access data (email_notify, email_for_notify) needs mail, which the switch
// does not send yet.
type User struct {
	ID    int64 `json:"id" readOnly:"true" doc:"given by the switch, never reused"`
	Level Level `json:"level" enum:"extension,extension_group,client,dealer,platform" doc:"extension, extension_group, client, dealer or platform; fixed after creation"`
	// The ids of what the level binds the user to, nil where it does not; an
	// extension or group user has its client's id too. Fixed after creation.
	DealerID    *int64 `json:"dealer_id" doc:"of a user of dealer level, else null"`
	ClientID    *int64 `json:"client_id" doc:"of a user of client level or below, else null"`
	GroupID     *int64 `json:"extension_group_id" doc:"of a user of extension group level, else null"`
	ExtensionID *int64 `json:"extension_id" doc:"of a user of extension level, else null"`

	Login       string          `json:"login" required:"true" doc:"1 to 64 bytes without spaces, unique on the switch whatever the case; fixed after creation"`
	Password    store.Secret    `json:"password,omitempty" doc:"at least 12 characters, without the login or the extension's number, not a common one; never answered"`
	Name        string          `json:"name" required:"true" doc:"of the person, 1 to 128 bytes"`
	Email       string          `json:"email" doc:"address of the person"`
	Comment     string          `json:"comment" doc:"a note, at most 1024 bytes"`
	Timezone    string          `json:"timezone" doc:"IANA zone name"`
	ExtraParams string          `json:"extra_params" doc:"kept for the API's user, at most 4096 bytes"`
	Status      dialplan.Status `json:"status" enum:"active,blocked" doc:"active or blocked; blocking ends the user's tokens at once"`
	Access      Access          `json:"access" enum:"full,read_only" doc:"full or read_only; changing it ends the user's tokens at once"`
	Admin       bool            `json:"admin" doc:"is a platform administrator; follows from the level"`
}

// DefaultUser is a user before its creator has said anything.
func DefaultUser() User {
	return User{Timezone: "UTC", Status: dialplan.StatusActive, Access: AccessFull}
}

// Scope restricts to the users of one dealer, client, group or extension; ids
// of 0 do not restrict, so the zero Scope is the whole switch. Users belong to
// a client's scope if they are its own or those of its groups and extensions.
type Scope struct {
	DealerID, ClientID, GroupID, ExtensionID int64
	// Level other than 0 restricts to users of exactly that level.
	Level Level
}

// UserFilter chooses users by the values of their fields: several values of one
// field mean any of them, several fields all of them, no values anything.
type UserFilter struct {
	ID       []int64
	Login    []string
	Name     []string
	Email    []string
	Comment  []string
	Status   []dialplan.Status
	Timezone []string
	Access   []Access
}

func (f UserFilter) wants(u User) bool {
	return wants(f.ID, u.ID) && wants(f.Login, u.Login) && wants(f.Name, u.Name) &&
		wants(f.Email, u.Email) && wants(f.Comment, u.Comment) && wants(f.Status, u.Status) &&
		wants(f.Timezone, u.Timezone) && wants(f.Access, u.Access)
}

func wants[T comparable](values []T, v T) bool {
	return len(values) == 0 || slices.Contains(values, v)
}
