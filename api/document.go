package api

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// serveDocument serves the OpenAPI document, now that every operation is known. It
// asks for no token: it says nothing that the product's own pages do not.
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
	s.rendered(Base+"/openapi.json", "application/openapi+json", s.huma.OpenAPI().MarshalJSON)
	s.rendered(Base+"/openapi.yaml", "application/openapi+yaml", s.huma.OpenAPI().YAML)
}

// rendered serves one form of the document, which is written when it is first
// asked for: writing it takes longer than opening the rest of the switch.
func (s *Server) rendered(path, kind string, write func() ([]byte, error)) {
	once := sync.OnceValues(write)
	s.route(http.MethodGet, path, func(w http.ResponseWriter, _ *http.Request) {
		doc, err := once()
		if err != nil {
			panic(fmt.Errorf("api: the document cannot be written: %w", err))
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(doc) // the client may be gone
	})
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
