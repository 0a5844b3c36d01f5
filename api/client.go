package api

import (
	"context"
	"net/http"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
)

// Clients (spec/http-api.md 5.2, spec/http-api-more-b.md 9).

type clientIn struct{}

type clientsIn struct {
	Paging
	ID     []int64  `query:"id,explode" doc:"Only these ids"`
	Name   []string `query:"name,explode" doc:"Only these names"`
	Status []string `query:"status,explode" enum:"active,blocked" doc:"Only with this status"`
}

type newClientIn struct{ Body Creation[dialplan.Client] }

type changeClientIn struct{ Body Patch[dialplan.Client] }

type clientOut struct{ Body dialplan.Client }

type clientsOut struct {
	Body []dialplan.Client `nullable:"false"`
}

// providers are the fields of a client that only its provider sets; the client
// sends them back as they are.
var providers = []string{
	"prefix", "dealer_id", "domain_id", "domain", "domain_prefix", "extension_len", "status",
	"routing_list_id", "sbc_mode", "reg_status_log", "type",
}

// Fields that nobody changes after creation, and those that no dealer does.
var (
	fixedClient = []string{"prefix", "extension_len"}
	dealers     = []string{"dealer_id"}
)

func (s *Server) registerClients() {
	const all, one, own = "/admin/client/", "/admin/client/{client_id}", "/client/{client_id}/client/"
	const tag, admin = "Client", "Administration"
	register(s, operation{ID: "getOwnClient", Method: http.MethodGet, Path: own, Tag: tag,
		Summary: "Read a client"}, s.getClient)
	register(s, operation{ID: "getClientInfo", Method: http.MethodGet, Path: "/client/client_info/{client_id}/", Tag: tag,
		Summary: "Read a client; an older path"}, s.getClient)
	register(s, operation{ID: "changeOwnClient", Method: http.MethodPut, Path: own, Tag: tag,
		Summary: "Change what a client may change of itself"}, s.changeOwnClient)

	register(s, operation{ID: "listClients", Method: http.MethodGet, Path: all, Tag: admin,
		Summary: "List the clients, by id"}, s.listClients)
	register(s, operation{ID: "addClient", Method: http.MethodPost, Path: all, Tag: admin,
		Summary: "Add a client"}, s.addClient)
	register(s, operation{ID: "getClient", Method: http.MethodGet, Path: one, Tag: admin,
		Summary: "Read a client"}, s.getClient)
	register(s, operation{ID: "changeClient", Method: http.MethodPut, Path: one, Tag: admin,
		Summary:     "Change a client",
		Description: "A blocked client makes and receives no calls, cannot register and cannot use the API."}, s.changeClient)
	register(s, operation{ID: "deleteClient", Method: http.MethodDelete, Path: one, Tag: admin,
		Summary: "Delete a client without extensions"}, s.deleteClient)
}

func (s *Server) getClient(ctx context.Context, _ *clientIn) (*clientOut, error) {
	return &clientOut{clientOf(ctx)}, nil
}

func (s *Server) listClients(ctx context.Context, in *clientsIn) (*clientsOut, error) {
	p := principalOf(ctx)
	list := []dialplan.Client{}
	for _, c := range s.cfg.Configuration.Clients() {
		if reachesClient(p, c) && wanted(in.ID, c.ID) && wanted(in.Name, c.Name) && wanted(in.Status, string(c.Status)) {
			list = append(list, c)
		}
	}
	return &clientsOut{pageOf(in.Paging, list)}, nil
}

func (s *Server) addClient(ctx context.Context, in *newClientIn) (*clientOut, error) {
	c, fixed := dialplan.DefaultClient(), []string{}
	if p := principalOf(ctx); p.Level == auth.LevelDealer { // a dealer's clients are its own
		c.DealerID, fixed = &p.DealerID, dealers
	}
	if err := in.Body.Apply(&c, c, fixed...); err != nil {
		return nil, err
	}
	c, err := s.cfg.Configuration.AddClient(ctx, c)
	return &clientOut{c}, err
}

func (s *Server) changeClient(ctx context.Context, in *changeClientIn) (*clientOut, error) {
	fixed := fixedClient
	if principalOf(ctx).Level == auth.LevelDealer {
		fixed = append(dealers, fixed...)
	}
	return s.patchClient(ctx, in, fixed)
}

func (s *Server) changeOwnClient(ctx context.Context, in *changeClientIn) (*clientOut, error) {
	return s.patchClient(ctx, in, providers)
}

func (s *Server) patchClient(ctx context.Context, in *changeClientIn, fixed []string) (*clientOut, error) {
	c, err := s.cfg.Configuration.ChangeClient(ctx, clientOf(ctx).ID, func(c *dialplan.Client) error {
		return in.Body.Apply(c, dialplan.DefaultClient(), fixed...)
	})
	return &clientOut{c}, err
}

func (s *Server) deleteClient(ctx context.Context, _ *clientIn) (*struct{}, error) {
	return nil, s.cfg.Configuration.DeleteClient(ctx, clientOf(ctx).ID)
}
