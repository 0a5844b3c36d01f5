package cordpair

import "net/http"

// ServeReady is the handler of /ready.
func (s *Switch) ServeReady(w http.ResponseWriter, r *http.Request) { s.serveReady(w, r) }
