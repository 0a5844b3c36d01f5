// Package auth says who asks and what they may: users with their levels and
// access, applications, tokens, and the pauses after wrong passwords. It knows
// no HTTP; the API's frame reads the token out of a request, asks Authenticate,
// and compares the Principal with the Need of the endpoint.
//
// Ownership: an Authority owns the tables Users, Apps, Tokens and Lockouts of
// the configuration space. What it keeps in memory of live tokens follows the
// commits of the store in their order, so a token that was ended is refused
// from the moment the change answers, and a token of a change that never
// committed is not known. Its methods may be called from any goroutine; they
// start none.
//
//	a, err := auth.New(auth.Config{Space: db.Config(), Client: clients.State, Extension: extensions.Owner})
//	grant, err := a.Exchange(ctx, auth.GrantRequest{GrantType: "client_credentials", ClientID: id, ClientSecret: secret, Source: ip})
//	p, err := a.Authenticate(grant.AccessToken)
//	err = p.May(auth.Need{Level: auth.LevelClient, Act: auth.Configure})
package auth
