package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/sip/location"
)

// registrationState says whether an extension's phones can be reached
// (spec/http-api.md 2.1).
type registrationState struct {
	Registered    bool           `json:"registered" doc:"there is an active registration"`
	ExtensionID   int64          `json:"extension_id" doc:"id of the extension"`
	Registrations []registration `json:"registrations" nullable:"false" doc:"the active registrations; with registered false the last ones, which have ended"`
}

// registration is one contact (spec/http-api-more-b.md 2).
type registration struct {
	ID      string `json:"registration_id" doc:"unique id, the one to delete"`
	Device  string `json:"device" doc:"User-Agent of the phone"`
	Real    string `json:"real_address" doc:"where the REGISTER came from" example:"sip:192.0.2.7:62338"`
	Contact string `json:"contact_address" doc:"what the phone put into Contact" example:"sip:101@192.168.5.52:5062"`
	Expires int    `json:"expires" doc:"seconds left, 0 when it has ended"`
	Away    bool   `json:"away" doc:"the phone's connection is lost; it has a minute to come back"`
}

func (s *Server) registrationOf(extension int64) registrationState {
	bindings, registered := s.cfg.Registrations.Registrations(extension)
	state := registrationState{Registered: registered, ExtensionID: extension, Registrations: make([]registration, len(bindings))}
	now := time.Now()
	for i := range bindings {
		state.Registrations[i] = describeBinding(&bindings[i], registered, now)
	}
	return state
}

func describeBinding(b *location.Binding, registered bool, now time.Time) registration {
	r := registration{ID: b.ID, Device: b.UserAgent, Real: "sip:" + b.Source.String(), Contact: b.Contact}
	if registered {
		r.Expires, r.Away = b.Remaining(now), b.Suspended
	}
	return r
}

type registrationsOut struct {
	Body []registrationState `nullable:"false"`
}

func (s *Server) registerRegistrations() {
	const tag = "Registration"
	register(s, operation{
		ID: "listRegistrations", Method: http.MethodGet, Path: "/extension/registration/", Tag: tag,
		Summary:     "Registrations of several extensions",
		Description: "Without extension_id: of all phones of the token's client that it reaches. An id out of reach is left out.",
	}, s.listRegistrations)
	register(s, operation{
		ID: "listClientRegistrations", Method: http.MethodGet, Path: "/client/{client_id}/registration/", Tag: tag,
		Summary: "Registrations of a client's phones",
	}, s.listClientRegistrations)
	register(s, operation{
		ID: "getRegistration", Method: http.MethodGet, Path: "/extension/{extension_id}/registration/", Tag: tag,
		Summary: "Registrations of an extension",
	}, func(ctx context.Context, _ *struct{}) (*struct{ Body registrationState }, error) {
		return &struct{ Body registrationState }{s.registrationOf(extensionOf(ctx).Extension.ID)}, nil
	})
	register(s, operation{
		ID: "deleteRegistrations", Method: http.MethodDelete, Path: "/extension/{extension_id}/registration/", Tag: tag,
		Summary: "Drop every registration of an extension",
	}, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		id := extensionOf(ctx).Extension.ID
		if _, registered := s.cfg.Registrations.Registrations(id); !registered {
			return nil, nil // there is none, which is what was asked for
		}
		return nil, s.cfg.Registrations.Unregister(ctx, id, "")
	})
	register(s, operation{
		ID: "deleteRegistration", Method: http.MethodDelete, Path: "/extension/{extension_id}/registration/{registration_id}", Tag: tag,
		Summary: "Drop one registration",
	}, func(ctx context.Context, in *struct {
		ID string `path:"registration_id" doc:"registration_id of the registration"`
	}) (*struct{}, error) {
		return nil, s.cfg.Registrations.Unregister(ctx, extensionOf(ctx).Extension.ID, in.ID)
	})
}

func (s *Server) listRegistrations(ctx context.Context, in *struct {
	Extensions []int64 `query:"extension_id,explode" doc:"ids of extensions"`
}) (*registrationsOut, error) {
	out := &registrationsOut{Body: []registrationState{}}
	p := principalOf(ctx)
	for _, row := range s.reachablePhones(ctx, in.Extensions) {
		if s.reachesExtension(p, row) {
			out.Body = append(out.Body, s.registrationOf(row.Extension.ID))
		}
	}
	return out, nil
}

// reachablePhones are the extensions asked for, or all phones of the caller's
// client.
func (s *Server) reachablePhones(ctx context.Context, ids []int64) []dialplan.Row {
	if len(ids) == 0 {
		return s.phones(principalOf(ctx).ClientID)
	}
	var rows []dialplan.Row
	for _, id := range ids {
		if row, ok := s.cfg.Configuration.Extension(id); ok {
			rows = append(rows, row)
		}
	}
	return rows
}

func (s *Server) phones(client int64) []dialplan.Row {
	var rows []dialplan.Row
	for _, row := range s.cfg.Configuration.Extensions(client) {
		if row.Extension.Type == dialplan.TypePhone {
			rows = append(rows, row)
		}
	}
	return rows
}

func (s *Server) listClientRegistrations(ctx context.Context, _ *struct{}) (*registrationsOut, error) {
	out := &registrationsOut{Body: []registrationState{}}
	for _, row := range s.phones(clientOf(ctx).ID) {
		out.Body = append(out.Body, s.registrationOf(row.Extension.ID))
	}
	return out, nil
}
