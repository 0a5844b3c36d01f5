package audit

import "context"

// Actor is who makes a change.
type Actor struct {
	// User is the id of the user, 0 without one.
	User int64 `json:"user_id,omitempty" doc:"id of the user who made the change"`
	// Login is the user's login.
	Login string `json:"login,omitempty" doc:"login of the user who made the change"`
	// App is the client_id of the app whose token was used.
	App string `json:"app,omitempty" doc:"client_id of the app whose token was used"`
	// Level is that of the user: platform, dealer, client, extension_group or
	// extension; or LevelOperator or LevelLibrary.
	Level string `json:"level" doc:"platform, dealer, client, extension_group, extension, operator or library"`
	// From is the address the request came from, without a port.
	From string `json:"from,omitempty" doc:"address the request came from"`
}

const (
	// LevelOperator is whoever may run commands on the machine itself.
	LevelOperator = "operator"
	// LevelLibrary is a program that has the switch built in.
	LevelLibrary = "library"
)

type actorKey struct{}

// As returns a ctx in which By finds the actor.
func As(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// By is the actor that As put into ctx; without one it is the program that has
// the switch built in.
func By(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return Actor{Level: LevelLibrary}
}
