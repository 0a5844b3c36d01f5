package auth

// Principal is who asks: a user, by way of an application. It is a value of one
// request; ask Authenticate again for the next.
type Principal struct {
	UserID int64
	Login  string
	Level  Level
	// The ids the level binds the user to; 0 where it does not. An extension
	// user carries the group of its extension at this moment too, 0 for none.
	DealerID, ClientID, GroupID, ExtensionID int64

	Access Access
	// App is the client_id of the application; empty for a token made on the
	// command line and for a password sent with the request.
	App       string
	AppAccess AppAccess
	// AppLimit is the application's own limit in requests per hour; 0: none.
	AppLimit int
	Admin    bool   // platform administrator
	Timezone string // IANA zone name
}

// May reports whether the principal may do what an endpoint needs: nil, ErrLevel,
// ErrReadOnly or ErrApp, the first that applies. Which client, group or extension
// the request names is the caller's to compare.
func (p Principal) May(n Need) error {
	switch {
	case n.Level < LevelExtension || n.Act < Read || n.Act > Configure:
		return ErrLevel // nothing was granted
	case p.Level < n.Level || p.Level > LevelPlatform:
		return ErrLevel
	case n.Act != Read && p.Access != AccessFull:
		return ErrReadOnly
	case n.Act == Configure && p.AppAccess != AppAll:
		return ErrApp
	case p.AppAccess != AppAll && p.AppAccess != AppCallAPI:
		return ErrApp
	case p.Access != AccessFull && p.Access != AccessReadOnly:
		return ErrReadOnly
	}
	return nil
}

// MayGrant reports whether the principal may create or change an application
// into x: only a dealer or the platform gives access All or the type
// password_credentials (spec/http-api.md 1.2). ErrLevel if not.
func (p Principal) MayGrant(x App) error {
	if (x.Access == AppAll || x.Type == AppPassword) && p.Level < LevelDealer {
		return ErrLevel
	}
	return nil
}
