package api

import (
	"context"
	"net/http"

	"github.com/cordpair/cordpair/dialplan"
)

// Extension groups (spec/http-api.md 5.9).

type groupIn struct{}

type groupsIn struct {
	Paging
	ID   []int64  `query:"id,explode" doc:"Only these ids"`
	Name []string `query:"name,explode" doc:"Only these names"`
}

type newGroupIn struct{ Body Creation[dialplan.Group] }

type changeGroupIn struct{ Body Patch[dialplan.Group] }

type groupOut struct{ Body dialplan.Group }

type groupsOut struct {
	Body []dialplan.Group `nullable:"false"`
}

func (s *Server) registerGroups() {
	const all, one = "/client/{client_id}/extension_group/", "/client/{client_id}/extension_group/{extension_group_id}"
	const tag = "Extension groups"
	register(s, operation{ID: "listGroups", Method: http.MethodGet, Path: all, Tag: tag,
		Summary: "List the extension groups of a client"}, s.listGroups)
	register(s, operation{ID: "addGroup", Method: http.MethodPost, Path: all, Tag: tag,
		Summary: "Add an extension group"}, s.addGroup)
	register(s, operation{ID: "getGroup", Method: http.MethodGet, Path: one, Tag: tag,
		Summary: "Read an extension group"}, s.getGroup)
	register(s, operation{ID: "changeGroup", Method: http.MethodPut, Path: one, Tag: tag,
		Summary: "Change an extension group"}, s.changeGroup)
	register(s, operation{ID: "deleteGroup", Method: http.MethodDelete, Path: one, Tag: tag,
		Summary: "Delete an extension group without extensions"}, s.deleteGroup)
}

func (s *Server) listGroups(ctx context.Context, in *groupsIn) (*groupsOut, error) {
	list := []dialplan.Group{}
	for _, g := range s.cfg.Configuration.Groups(clientOf(ctx).ID) {
		if wanted(in.ID, g.ID) && wanted(in.Name, g.Name) {
			list = append(list, g)
		}
	}
	return &groupsOut{pageOf(in.Paging, list)}, nil
}

func (s *Server) addGroup(ctx context.Context, in *newGroupIn) (*groupOut, error) {
	g := dialplan.Group{ClientID: clientOf(ctx).ID}
	if err := in.Body.Apply(&g, g); err != nil {
		return nil, err
	}
	g, err := s.cfg.Configuration.AddGroup(ctx, g)
	return &groupOut{g}, err
}

func (s *Server) getGroup(ctx context.Context, _ *groupIn) (*groupOut, error) {
	return &groupOut{groupOf(ctx)}, nil
}

func (s *Server) changeGroup(ctx context.Context, in *changeGroupIn) (*groupOut, error) {
	old := groupOf(ctx)
	g, err := s.cfg.Configuration.ChangeGroup(ctx, old.ClientID, old.ID, func(g *dialplan.Group) error {
		return in.Body.Apply(g, dialplan.Group{})
	})
	return &groupOut{g}, err
}

func (s *Server) deleteGroup(ctx context.Context, _ *groupIn) (*struct{}, error) {
	g := groupOf(ctx)
	return nil, s.cfg.Configuration.DeleteGroup(ctx, g.ClientID, g.ID)
}
