package api

import (
	"context"
	"net/http"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// phone is the configuration of an extension of type phone (spec/http-api.md
// 2.16), as far as the switch acts on it.
type phone struct {
	Name string `json:"name" readonly:"true" doc:"Full name of the extension"`
	dialplan.Phone
	Password store.Secret `json:"password,omitempty" maxLength:"128" doc:"SIP password; at least 12 characters, without the extension's number. Never answered"`
}

func phoneOf(row dialplan.Row) phone { return phone{Name: row.Extension.Name, Phone: row.Phone} }

type phoneOut struct{ Body phone }

func (s *Server) registerPhones() {
	const path, tag = "/extension/{extension_id}/phone/", "Phone terminals"
	register(s, operation{ID: "getPhone", Method: http.MethodGet, Path: path, Tag: tag,
		Summary: "Read the configuration of a phone"}, func(ctx context.Context, _ *struct{}) (*phoneOut, error) {
		row := extensionOf(ctx)
		if row.Extension.Type != dialplan.TypePhone {
			return nil, store.ErrNotFound
		}
		return &phoneOut{phoneOf(row)}, nil
	})
	register(s, operation{ID: "changePhone", Method: http.MethodPut, Path: path, Tag: tag,
		Summary: "Configure a phone"}, s.changePhone)
}

func (s *Server) changePhone(ctx context.Context, in *struct{ Body Patch[phone] }) (*phoneOut, error) {
	row := extensionOf(ctx)
	if row.Extension.Type != dialplan.TypePhone {
		return nil, store.ErrNotFound
	}
	given := phoneOf(row)
	defaults := phone{Phone: dialplan.DefaultPhone()}
	if err := in.Body.Apply(&given, defaults); err != nil {
		return nil, err
	}
	row, err := s.cfg.Configuration.ChangePhone(ctx, row.Extension.ID, func(p *dialplan.Phone) error {
		stored := phone{Name: given.Name, Phone: *p} // may have changed since the look above
		if err := in.Body.Apply(&stored, defaults); err != nil {
			return err
		}
		*p = stored.Phone
		return nil
	}, given.Password.Reveal())
	return &phoneOut{phoneOf(row)}, err
}
