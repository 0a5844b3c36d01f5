package api

import "net/http"

// NewHandler answers every path as unknown; it stands where no Server is built.
func NewHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		safeHeaders(w.Header())
		writeProblem(w, withTrace(r), errNoPath)
	})
}
