package api

import (
	"context"
	"net/http"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// Applications of the token's own user (spec/http-api.md 1.2), and tokens made on
// the machine itself. No page documents these paths; they are ours.

type appIn struct {
	ID string `path:"app_id" maxLength:"64" doc:"client_id of the application"`
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
		Summary:     "Add an application of the token's user",
		Description: "Access All and the type password_credentials are given by an administrator only."}, s.addApp)
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

// ownApp is an application of the token's user.
func (s *Server) ownApp(ctx context.Context, id string) (auth.App, error) {
	x, err := s.cfg.Identity.App(id)
	if err == nil && x.UserID != principalOf(ctx).UserID {
		err = store.ErrNotFound
	}
	return x, err
}

func (s *Server) addApp(ctx context.Context, in *newAppIn) (*appSecretOut, error) {
	p := principalOf(ctx)
	x := auth.DefaultApp()
	x.UserID = p.UserID
	if err := in.Body.Apply(&x, x, "client_id", "user_id"); err != nil {
		return nil, err
	}
	if err := p.MayGrant(x); err != nil {
		return nil, err
	}
	x, secret, err := s.cfg.Identity.AddApp(ctx, x)
	return &appSecretOut{appWithSecret{x, secret.Reveal()}}, err
}

func (s *Server) listApps(ctx context.Context, _ *struct{}) (*appsOut, error) {
	list, err := s.cfg.Identity.Apps(principalOf(ctx).UserID)
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
