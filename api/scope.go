package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
)

// caller is what the frame found out about a request before its handler runs.
type caller struct {
	principal auth.Principal
	operator  bool // came in by the local operator's door
	client    dialplan.Client
	extension dialplan.Row
	group     dialplan.Group
	form      url.Values
}

type callerKey struct{}

func callerOf(ctx context.Context) *caller {
	c, ok := ctx.Value(callerKey{}).(*caller)
	if !ok {
		return &caller{}
	}
	return c
}

// principalOf is who asks.
func principalOf(ctx context.Context) auth.Principal { return callerOf(ctx).principal }

// clientOf is the client of the path: {client_id}, or that of {extension_id}.
func clientOf(ctx context.Context) dialplan.Client { return callerOf(ctx).client }

// extensionOf is the extension that {extension_id} names.
func extensionOf(ctx context.Context) dialplan.Row { return callerOf(ctx).extension }

// groupOf is the extension group that {extension_group_id} names.
func groupOf(ctx context.Context) dialplan.Group { return callerOf(ctx).group }

// formOf are the values of the form, and of the query, of an operation with Form.
func formOf(ctx context.Context) url.Values { return callerOf(ctx).form }

// me stands for the caller's own client or extension (spec/http-api.md 1.2).
const me = "@me"

// resolve finds what the path names within reach of the principal. What lies
// outside is answered exactly like what does not exist (T1).
func (s *Server) resolve(c *caller, r *http.Request) error {
	if id := r.PathValue("client_id"); id != "" {
		if err := s.resolveClient(c, id); err != nil {
			return err
		}
	}
	if id := r.PathValue("extension_group_id"); id != "" {
		if err := s.resolveGroup(c, id); err != nil {
			return err
		}
	}
	if id := r.PathValue("extension_id"); id != "" {
		return s.resolveExtension(c, id)
	}
	return nil
}

func (s *Server) resolveClient(c *caller, text string) error {
	id, ok := number(text)
	if text == me {
		id, ok = c.principal.ClientID, c.principal.ClientID != 0
	}
	if !ok {
		return errClient
	}
	client, ok := s.cfg.Configuration.Client(id)
	if !ok || !reachesClient(c.principal, client) {
		return errClient
	}
	c.client = client
	return nil
}

func (s *Server) resolveExtension(c *caller, text string) error {
	row, ok := s.findExtension(c, text)
	if !ok || !s.reachesExtension(c.principal, row) {
		return errExtension
	}
	if c.client.ID != 0 && c.client.ID != row.Extension.ClientID {
		return errExtension
	}
	if c.client.ID == 0 {
		if c.client, ok = s.cfg.Configuration.Client(row.Extension.ClientID); !ok {
			return errExtension
		}
	}
	c.extension = row
	return nil
}

func (s *Server) findExtension(c *caller, text string) (dialplan.Row, bool) {
	if text == me {
		return s.cfg.Configuration.Extension(c.principal.ExtensionID)
	}
	if name, short := strings.CutPrefix(text, "@"); short {
		client := c.client.ID
		if client == 0 {
			client = c.principal.ClientID
		}
		return s.cfg.Configuration.FindExtension(client, name)
	}
	id, ok := number(text)
	if !ok {
		return dialplan.Row{}, false
	}
	return s.cfg.Configuration.Extension(id)
}

// resolveGroup finds a group of the path's client, or without one of any client
// within reach: the group's root knows no client (spec/http-api-more-b.md 9).
func (s *Server) resolveGroup(c *caller, text string) error {
	id, ok := number(text)
	if !ok {
		return errGroup
	}
	among := []dialplan.Client{c.client}
	if c.client.ID == 0 {
		among = s.cfg.Configuration.Clients()
	}
	for _, client := range among {
		if c.client.ID == 0 && !reachesGroup(c.principal, client, id) {
			continue
		}
		for _, g := range s.cfg.Configuration.Groups(client.ID) {
			if g.ID == id {
				c.group, c.client = g, client
				return nil
			}
		}
	}
	return errGroup
}

// reachesGroup says whether a group of a client lies within the principal's reach.
func reachesGroup(p auth.Principal, c dialplan.Client, group int64) bool {
	if !reachesClient(p, c) || p.Level < auth.LevelGroup {
		return false
	}
	return p.Level != auth.LevelGroup || p.GroupID == group
}

// reachesClient says whether a client lies within the principal's reach.
func reachesClient(p auth.Principal, c dialplan.Client) bool {
	switch p.Level {
	case auth.LevelPlatform:
		return true
	case auth.LevelDealer:
		return p.DealerID != 0 && c.DealerID != nil && *c.DealerID == p.DealerID
	}
	return c.ID == p.ClientID
}

// reachesExtension says whether an extension lies within the principal's reach.
func (s *Server) reachesExtension(p auth.Principal, row dialplan.Row) bool {
	x := row.Extension
	switch p.Level {
	case auth.LevelPlatform:
		return true
	case auth.LevelDealer:
		c, ok := s.cfg.Configuration.Client(x.ClientID)
		return ok && reachesClient(p, c)
	case auth.LevelClient:
		return x.ClientID == p.ClientID
	case auth.LevelGroup:
		return x.ClientID == p.ClientID && p.GroupID != 0 && x.GroupID != nil && *x.GroupID == p.GroupID
	case auth.LevelExtension:
		return x.ID == p.ExtensionID
	}
	return false
}

// number reads an id: digits only, no sign, no leading zero.
func number(text string) (int64, bool) {
	if text == "" || text[0] < '1' || text[0] > '9' {
		return 0, false
	}
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil
}
