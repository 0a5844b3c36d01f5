package cordpair

import (
	"context"
	"fmt"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/store"
)

// openIdentity reads who may use the API.
func (s *Switch) openIdentity() (err error) {
	s.audit = audit.New(s.db)
	s.auth, err = auth.New(auth.Config{
		Space: s.db.Config(), Client: s.tenants.clientState, Extension: s.tenants.extensionOwner,
		Number: s.tenants.number, Audit: s.noteIdentity, Logger: s.log,
	})
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	return nil
}

// noteIdentity enters a change of a user or an application into the audit log,
// in the same transaction (L14).
func (s *Switch) noteIdentity(tx *store.Tx, ctx context.Context, what string, id any, before, after any) error {
	w := audit.Write{Client: s.clientOfUser(before, after), What: what, ID: fmt.Sprint(id), Before: before, After: after}
	if u, ok := after.(auth.User); ok && u.Password != "" {
		w.Secrets = []string{"password"} // it shows nothing of itself
	}
	return s.audit.Append(ctx, tx, w)
}

// forgetUsers removes the users of what is gone. Their rights ended with it; what
// an error leaves behind are logins that stay taken.
func (s *Switch) forgetUsers(ctx context.Context, of auth.Scope) {
	err := s.auth.DeleteUsers(context.WithoutCancel(ctx), of) // what they belonged to is gone, whoever hangs up
	if err != nil {
		s.log.Warn("users of what was deleted stay behind", "client", of.ClientID, "extension", of.ExtensionID, "group", of.GroupID, "err", err)
	}
}

// clientOfUser is the client whose log a change belongs to; 0 for the platform's.
func (s *Switch) clientOfUser(states ...any) int64 {
	for _, state := range states {
		switch x := state.(type) {
		case auth.User:
			return clientOf(x)
		case auth.App:
			if u, err := s.auth.User(auth.Scope{}, x.UserID); err == nil {
				return clientOf(u)
			}
		}
	}
	return 0
}

func clientOf(u auth.User) int64 {
	if u.ClientID == nil {
		return 0
	}
	return *u.ClientID
}

// clientState says whether a client exists and may be used.
func (t *tenants) clientState(id int64) (active, exists bool) {
	v, ok := t.view(id)
	return ok && v.ClientRow().Status == dialplan.StatusActive, ok
}

// extensionOwner says whose a usable extension is and in which group.
func (t *tenants) extensionOwner(id int64) (client, group int64, ok bool) {
	v, ok := t.viewOf(id)
	if !ok {
		return 0, 0, false
	}
	row, ok := v.Extension(id)
	if !ok || row.Extension.Status != dialplan.StatusActive {
		return 0, 0, false
	}
	return row.Extension.ClientID, groupOf(row.Extension), true
}

// number is the bare number of an extension, empty without one.
func (t *tenants) number(id int64) string {
	v, ok := t.viewOf(id)
	if !ok {
		return ""
	}
	row, _ := v.Extension(id)
	return row.Extension.Number()
}

// GeneratePassword makes a password for a phone or a person, of at least 96
// random bits.
func GeneratePassword() string { return digest.GeneratePassword() }
