package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/cordpair/cordpair/dialplan"
)

// Extensions (spec/http-api.md 2.10, 5.1).

type extensionIn struct{}

type extensionsIn struct {
	Paging
	Ordering
	ID     []int64  `query:"id,explode" doc:"Only these ids"`
	Name   []string `query:"name,explode" doc:"Only these names, short (101) or full (0001*101)"`
	Type   []string `query:"type,explode" enum:"phone,ivr,queue,fax,conference" doc:"Only these types"`
	Status []string `query:"status,explode" enum:"active,blocked" doc:"Only with this status"`
}

type newExtensionIn struct{ Body Creation[dialplan.Extension] }

type changeExtensionIn struct{ Body Patch[dialplan.Extension] }

type extensionOut struct{ Body dialplan.Extension }

type extensionsOut struct {
	Body []dialplan.Extension `nullable:"false"`
}

func (s *Server) registerExtensions() {
	const all, one = "/client/{client_id}/extension/", "/client/{client_id}/extension/{extension_id}"
	const tag = "Extensions"
	register(s, operation{ID: "listExtensions", Method: http.MethodGet, Path: all, Tag: tag,
		Summary: "List the extensions of a client, by id"}, s.listExtensions)
	register(s, operation{ID: "addExtension", Method: http.MethodPost, Path: all, Tag: tag,
		Summary: "Add an extension", Description: "A phone gets a generated SIP password."}, s.addExtension)
	register(s, operation{ID: "getExtension", Method: http.MethodGet, Path: one, Tag: tag,
		Summary: "Read an extension"}, s.getExtension)
	register(s, operation{ID: "getOwnExtension", Method: http.MethodGet, Path: "/extension/{extension_id}/extension/", Tag: tag,
		Summary: "Read an extension"}, s.getExtension)
	register(s, operation{ID: "changeExtension", Method: http.MethodPut, Path: one, Tag: tag,
		Summary:     "Change an extension",
		Description: "The name and the type cannot be changed. Blocking ends its calls and registrations."}, s.changeExtension)
	register(s, operation{ID: "deleteExtension", Method: http.MethodDelete, Path: one, Tag: tag,
		Summary: "Delete an extension"}, s.deleteExtension)
}

func (s *Server) listExtensions(ctx context.Context, in *extensionsIn) (*extensionsOut, error) {
	rows := s.cfg.Configuration.Extensions(clientOf(ctx).ID)
	list := make([]dialplan.Extension, 0, len(rows))
	for i := range rows {
		x := &rows[i].Extension
		if wanted(in.ID, x.ID) && wanted(in.Type, string(x.Type)) && wanted(in.Status, string(x.Status)) &&
			(wanted(in.Name, x.Name) || slices.Contains(in.Name, x.Number())) {
			list = append(list, *x)
		}
	}
	if in.Order == "desc" {
		slices.Reverse(list)
	}
	return &extensionsOut{pageOf(in.Paging, list)}, nil
}

func (s *Server) addExtension(ctx context.Context, in *newExtensionIn) (*extensionOut, error) {
	x := dialplan.DefaultExtension()
	x.ClientID = clientOf(ctx).ID
	if err := in.Body.Apply(&x, x); err != nil {
		return nil, err
	}
	if err := s.checkGroup(x); err != nil {
		return nil, err
	}
	row, err := s.cfg.Configuration.AddExtension(ctx, NewExtension{Extension: x, Phone: dialplan.DefaultPhone()})
	return &extensionOut{row.Extension}, err
}

// checkGroup answers a group of somebody else like one that does not exist (T1).
func (s *Server) checkGroup(x dialplan.Extension) error {
	if x.GroupID == nil || slices.ContainsFunc(s.cfg.Configuration.Groups(x.ClientID),
		func(g dialplan.Group) bool { return g.ID == *x.GroupID }) {
		return nil
	}
	return dialplan.FieldErrors{{Field: "extension_group_id", Message: "there is no such extension group"}}
}

func (s *Server) getExtension(ctx context.Context, _ *extensionIn) (*extensionOut, error) {
	return &extensionOut{extensionOf(ctx).Extension}, nil
}

func (s *Server) changeExtension(ctx context.Context, in *changeExtensionIn) (*extensionOut, error) {
	row, err := s.cfg.Configuration.ChangeExtension(ctx, extensionOf(ctx).Extension.ID, func(row *dialplan.Row) error {
		defaults := dialplan.DefaultExtension()
		if err := in.Body.Apply(&row.Extension, defaults, "name", "type"); err != nil {
			return err
		}
		return s.checkGroup(row.Extension)
	})
	return &extensionOut{row.Extension}, err
}

func (s *Server) deleteExtension(ctx context.Context, _ *extensionIn) (*struct{}, error) {
	return nil, s.cfg.Configuration.DeleteExtension(ctx, extensionOf(ctx).Extension.ID)
}
