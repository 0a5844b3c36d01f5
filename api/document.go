package api

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// serveDocument renders the OpenAPI document, now that every operation is known,
// and serves it. It asks for no token: it says nothing that the product's own
// pages do not.
func (s *Server) serveDocument() {
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

// page serves bytes that do not change while the switch runs.
func (s *Server) page(path, kind string, body []byte) {
	s.route(http.MethodGet, path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body) // the client may be gone
	})
}
