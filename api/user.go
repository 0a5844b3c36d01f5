package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
)

// Users (spec/http-api.md 1.2, 2.21, 5.9). Those of an extension, an extension
// group and a client differ in where they hang, and in nothing else.

type userIn struct {
	ID int64 `path:"user_id" minimum:"1" doc:"id of the user"`
}

type usersIn struct {
	Paging
	ID       []int64           `query:"id,explode" doc:"Only these ids"`
	Login    []string          `query:"login,explode" doc:"Only these logins"`
	Name     []string          `query:"name,explode" doc:"Only these names"`
	Email    []string          `query:"email,explode" doc:"Only these addresses"`
	Comment  []string          `query:"comment,explode" doc:"Only these comments"`
	Status   []dialplan.Status `query:"status,explode" enum:"active,blocked" doc:"Only with this status"`
	Timezone []string          `query:"timezone,explode" doc:"Only in these time zones"`
	Access   []auth.Access     `query:"access,explode" enum:"full,read_only" doc:"Only with this access"`
}

type newUserIn struct{ Body Creation[auth.User] }

type changeUserIn struct { // huma does not see into an embedded type that is not exported
	ID   int64 `path:"user_id" minimum:"1" doc:"id of the user"`
	Body Patch[auth.User]
}

type userOut struct{ Body auth.User }

type usersOut struct {
	Body []auth.User `nullable:"false"`
}

// userPlace is one of the places where users hang.
type userPlace struct {
	suffix, path, what string
	level              auth.Level
}

var userPlaces = []userPlace{
	{"Extension", "/extension/{extension_id}/user/extension/", "an extension", auth.LevelExtension},
	{"Group", "/extension_group/{extension_group_id}/user/extension_group/", "an extension group", auth.LevelGroup},
	{"Client", "/client/{client_id}/user/client/", "a client", auth.LevelClient},
	{"Platform", "/admin/user/", "the platform", auth.LevelPlatform},
}

func (s *Server) registerUsers() {
	const tag = "Users"
	register(s, operation{ID: "getSelf", Method: http.MethodGet, Path: "/user/", Tag: tag,
		Summary: "Who the token stands for"}, s.getSelf)
	for _, p := range userPlaces {
		at := func(method, id, path, summary string) operation {
			return operation{ID: id + p.suffix + "User", Method: method, Path: path, Tag: tag, Summary: summary + " of " + p.what}
		}
		one := p.path + "{user_id}"
		register(s, at(http.MethodPost, "add", p.path, "Add a user"), func(ctx context.Context, in *newUserIn) (*userOut, error) {
			return s.addUser(ctx, p.level, in)
		})
		register(s, at(http.MethodGet, "list", p.path, "List the users"), func(ctx context.Context, in *usersIn) (*usersOut, error) {
			return s.listUsers(ctx, p.level, in)
		})
		register(s, at(http.MethodGet, "get", one, "Read a user"), func(ctx context.Context, in *userIn) (*userOut, error) {
			u, err := s.cfg.Identity.User(scopeOf(ctx, p.level), in.ID)
			return &userOut{u}, err
		})
		register(s, at(http.MethodPut, "change", one, "Change a user"), func(ctx context.Context, in *changeUserIn) (*userOut, error) {
			u, err := s.cfg.Identity.ChangeUser(ctx, scopeOf(ctx, p.level), in.ID, func(u *auth.User) error {
				return in.Body.Apply(u, auth.DefaultUser(), "id", "login", "level", "dealer_id", "client_id", "extension_group_id", "extension_id", "admin")
			})
			return &userOut{u}, err
		})
		register(s, at(http.MethodDelete, "delete", one, "Delete a user"), func(ctx context.Context, in *userIn) (*struct{}, error) {
			return nil, s.cfg.Identity.DeleteUser(ctx, scopeOf(ctx, p.level), in.ID)
		})
	}
}

// scopeOf are the users that hang where the path says.
func scopeOf(ctx context.Context, level auth.Level) auth.Scope {
	sc := auth.Scope{ClientID: clientOf(ctx).ID, Level: level}
	switch level {
	case auth.LevelExtension:
		sc.ExtensionID = extensionOf(ctx).Extension.ID
	case auth.LevelGroup:
		sc.GroupID = groupOf(ctx).ID
	}
	return sc
}

// getSelf tells a token what it is.
func (s *Server) getSelf(ctx context.Context, _ *struct{}) (*userOut, error) {
	p := principalOf(ctx)
	if p.UserID == 0 { // the operator of the machine
		u := auth.DefaultUser()
		u.Login, u.Name, u.Level, u.Admin = p.Login, "Operator", p.Level, p.Admin
		return &userOut{u}, nil
	}
	u, err := s.cfg.Identity.User(auth.Scope{}, p.UserID)
	return &userOut{u}, err
}

func (s *Server) addUser(ctx context.Context, level auth.Level, in *newUserIn) (*userOut, error) {
	sc := scopeOf(ctx, level)
	u := auth.DefaultUser()
	u.Level = level
	if sc.ClientID != 0 {
		u.ClientID = &sc.ClientID
	}
	if sc.ExtensionID != 0 {
		u.ExtensionID = &sc.ExtensionID
	}
	if sc.GroupID != 0 {
		u.GroupID = &sc.GroupID
	}
	if err := in.Body.Apply(&u, u, "id", "level", "dealer_id", "client_id", "extension_group_id", "extension_id", "admin"); err != nil {
		return nil, err
	}
	u, err := s.cfg.Identity.AddUser(ctx, u)
	return &userOut{u}, err
}

func (s *Server) listUsers(ctx context.Context, level auth.Level, in *usersIn) (*usersOut, error) {
	list, err := s.cfg.Identity.Users(scopeOf(ctx, level), auth.UserFilter{
		ID: in.ID, Login: in.Login, Name: in.Name, Email: in.Email, Comment: in.Comment,
		Status: in.Status, Timezone: in.Timezone, Access: in.Access,
	})
	return &usersOut{pageOf(in.Paging, slices.Clip(list))}, err
}
