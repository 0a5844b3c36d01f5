package api

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
)

// Problem is the body of every error (spec/shapes.md, "Errors").
type Problem struct {
	Message string       `json:"message"`
	Type    string       `json:"type"`
	Title   string       `json:"title"`
	Status  int          `json:"status"`
	Detail  string       `json:"detail,omitempty"`
	Errors  []FieldError `json:"errors,omitempty"`
	TraceID string       `json:"trace_id"`
}

// FieldError says which part of a body is at fault.
type FieldError struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

func problem(w http.ResponseWriter, status int, message string) {
	id := make([]byte, 8)
	rand.Read(id) // never fails (crypto/rand)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{ // the client may be gone
		Message: message, Type: "about:blank", Title: http.StatusText(status), Status: status,
		TraceID: hex.EncodeToString(id),
	})
}
