package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// serveDocument renders the OpenAPI document, now that every operation is known,
// and serves it. It asks for no token: it says nothing that the product's own
// pages do not.
func (s *Server) serveDocument() {
	schemas := s.huma.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own, in place of which we answer Problem
	delete(schemas, "ErrorDetail")
	for _, schema := range schemas {
		for _, property := range schema.Properties {
			allowNull(property)
		}
	}
	for _, item := range s.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
			neverNull(op)
		}
	}
	doc, err := json.Marshal(s.huma.OpenAPI())
	if err != nil {
		panic(fmt.Errorf("api: the document cannot be written: %w", err))
	}
	yaml, err := s.huma.OpenAPI().YAML()
	if err != nil {
		panic(fmt.Errorf("api: the document cannot be written: %w", err))
	}
	s.page(Base+"/openapi.json", "application/openapi+json", doc)
	s.page(Base+"/openapi.yaml", "application/openapi+yaml", yaml)
}

// allowNull lists null among the values of a choice that may be null: JSON Schema
// wants it in the type and in the enumeration.
func allowNull(s *huma.Schema) {
	if s.Nullable && len(s.Enum) > 0 && !slices.Contains(s.Enum, nil) {
		s.Enum = append(s.Enum, nil)
	}
}

// neverNull corrects the parameters of an operation: huma calls every list
// nullable, but a query has no null.
func neverNull(op *huma.Operation) {
	if op == nil {
		return
	}
	for _, p := range op.Parameters {
		p.Schema.Nullable = false
	}
}

// page serves bytes that do not change while the switch runs.
func (s *Server) page(path, kind string, body []byte) {
	s.route(http.MethodGet, path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body) // the client may be gone
	})
}
