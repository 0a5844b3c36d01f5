package api

import "net/http"

// NewHandler answers HTTP requests.
func NewHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusNotFound, "Not found")
	})
	return mux
}
