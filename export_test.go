package cordpair

import "net/http"

// ServeReady is the handler of /readyz.
func (s *Switch) ServeReady(w http.ResponseWriter, r *http.Request) { s.serveReady(w, r) }
