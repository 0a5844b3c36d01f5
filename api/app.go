package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// Applications (spec/http-api.md 1.2): everybody has those of its own user, and an
// administrator those of all users it reaches, for only it gives access All. And
// tokens made on the machine itself. No page documents these paths; they are ours.

type appIn struct {
	ID string `path:"app_id" maxLength:"64" doc:"client_id of the application"`
}

type appsIn struct {
	User int64 `query:"user_id" minimum:"1" doc:"Those of this user, for an administrator; else of the token's"`
}

type newAppIn struct{ Body Creation[auth.App] }

type changeAppIn struct { // huma does not see into an embedded type that is not exported
	ID   string `path:"app_id" maxLength:"64" doc:"client_id of the application"`
	Body Patch[auth.App]
}

type appOut struct{ Body auth.App }

// appWithSecret is an application at the one moment when its secret is shown.
type appWithSecret struct {
	auth.App
	Secret string `json:"client_secret" doc:"shown now and never again"`
}

type appSecretOut struct{ Body appWithSecret }

type appsOut struct {
	Body []auth.App `nullable:"false"`
}

func (s *Server) registerApps() {
	const all, one, tag = "/user/app/", "/user/app/{app_id}", "Applications"
	register(s, operation{ID: "addApp", Method: http.MethodPost, Path: all, Tag: tag,
		Summary: "Add an application of the token's user",
		Description: "Access All and the type password_credentials are given by an administrator only, " +
			"who may name another user it is for."}, s.addApp)
	register(s, operation{ID: "listApps", Method: http.MethodGet, Path: all, Tag: tag,
		Summary: "List the applications of the token's user"}, s.listApps)
	register(s, operation{ID: "getApp", Method: http.MethodGet, Path: one, Tag: tag,
		Summary: "Read an application"}, func(ctx context.Context, in *appIn) (*appOut, error) {
		x, err := s.ownApp(ctx, in.ID)
		return &appOut{x}, err
	})
	register(s, operation{ID: "changeApp", Method: http.MethodPut, Path: one, Tag: tag,
		Summary: "Change an application"}, s.changeApp)
	register(s, operation{ID: "renewAppSecret", Method: http.MethodPost, Path: one + "/secret/", Tag: tag,
		Summary: "Give an application another secret", Description: "Its tokens end."}, s.renewAppSecret)
	register(s, operation{ID: "deleteApp", Method: http.MethodDelete, Path: one, Tag: tag,
		Summary: "Delete an application and its tokens"}, func(ctx context.Context, in *appIn) (*struct{}, error) {
		if _, err := s.ownApp(ctx, in.ID); err != nil {
			return nil, err
		}
		return nil, s.cfg.Identity.DeleteApp(ctx, in.ID)
	})
	register(s, operation{ID: "issueToken", Method: http.MethodPost, Path: "/admin/token/", Tag: "Authorisation",
		Summary: "Make an access token for a user"}, s.issueToken)
}

// ownApp is an application of the token's user, or for an administrator of a user
// within reach.
func (s *Server) ownApp(ctx context.Context, id string) (auth.App, error) {
	x, err := s.cfg.Identity.App(id)
	if err != nil {
		return auth.App{}, err
	}
	return x, s.reachesUser(principalOf(ctx), x.UserID)
}

// reachesUser is store.ErrNotFound for a user whose applications the principal may
// not see.
func (s *Server) reachesUser(p auth.Principal, id int64) error {
	if id == p.UserID {
		return nil
	}
	if p.Level < auth.LevelDealer {
		return store.ErrNotFound
	}
	u, err := s.cfg.Identity.User(auth.Scope{}, id)
	if err != nil || p.Level == auth.LevelPlatform {
		return err
	}
	if u.ClientID == nil {
		return store.ErrNotFound
	}
	if c, ok := s.cfg.Configuration.Client(*u.ClientID); !ok || !reachesClient(p, c) {
		return store.ErrNotFound
	}
	return nil
}

func (s *Server) addApp(ctx context.Context, in *newAppIn) (*appSecretOut, error) {
	p := principalOf(ctx)
	x := auth.DefaultApp()
	x.UserID = p.UserID
	fixed := []string{"client_id"}
	if p.Level < auth.LevelDealer {
		fixed = append(fixed, "user_id")
	}
	if err := in.Body.Apply(&x, x, fixed...); err != nil {
		return nil, err
	}
	if err := p.MayGrant(x); err != nil {
		return nil, err
	}
	switch err := s.reachesUser(p, x.UserID); {
	case errors.Is(err, store.ErrNotFound):
		return nil, dialplan.FieldErrors{{Field: "user_id", Message: "no such user"}}
	case err != nil:
		return nil, err
	}
	x, secret, err := s.cfg.Identity.AddApp(ctx, x)
	return &appSecretOut{appWithSecret{x, secret.Reveal()}}, err
}

func (s *Server) listApps(ctx context.Context, in *appsIn) (*appsOut, error) {
	p := principalOf(ctx)
	user := cmp.Or(in.User, p.UserID)
	switch err := s.reachesUser(p, user); {
	case errors.Is(err, store.ErrNotFound):
		return &appsOut{[]auth.App{}}, nil // as of a user that does not exist
	case err != nil:
		return nil, err
	}
	list, err := s.cfg.Identity.Apps(user)
	return &appsOut{append([]auth.App{}, list...)}, err
}

func (s *Server) changeApp(ctx context.Context, in *changeAppIn) (*appOut, error) {
	if _, err := s.ownApp(ctx, in.ID); err != nil {
		return nil, err
	}
	x, err := s.cfg.Identity.ChangeApp(ctx, in.ID, func(x *auth.App) error {
		before := *x
		if err := in.Body.Apply(x, auth.DefaultApp(), "client_id", "user_id"); err != nil {
			return err
		}
		if x.Access == before.Access && x.Type == before.Type {
			return nil // nothing more than it may already
		}
		return principalOf(ctx).MayGrant(*x)
	})
	return &appOut{x}, err
}

func (s *Server) renewAppSecret(ctx context.Context, in *appIn) (*appSecretOut, error) {
	x, err := s.ownApp(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	secret, err := s.cfg.Identity.NewSecret(ctx, in.ID)
	return &appSecretOut{appWithSecret{x, secret.Reveal()}}, err
}

type issueIn struct {
	Body struct {
		Login string `json:"login" maxLength:"64" doc:"login of the user"`
	}
}

// issueToken makes a token without a secret: for whoever rules the switch.
func (s *Server) issueToken(ctx context.Context, in *issueIn) (*tokenOut, error) {
	users, err := s.cfg.Identity.Users(auth.Scope{}, auth.UserFilter{Login: []string{in.Body.Login}})
	if err != nil {
		return nil, err
	}
	if len(users) == 0 {
		return nil, dialplan.FieldErrors{{Field: "login", Message: "there is no such user"}}
	}
	grant, err := s.cfg.Identity.Issue(ctx, users[0].ID)
	return &tokenOut{grant}, err
}
