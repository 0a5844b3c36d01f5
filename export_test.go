package cordpair

import (
	"net/http"
	"net/http/httptest"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// ServeReady is the handler of /readyz.
func (s *Switch) ServeReady(w http.ResponseWriter, r *http.Request) { s.serveReady(w, r) }

// Metrics are all metrics as text.
func (s *Switch) Metrics() string {
	rec := httptest.NewRecorder()
	metricsHandler(s.metrics).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	return rec.Body.String()
}

// Replay decides a recorded call once more.
func (s *Switch) Replay(r CallRecord) error {
	view, _ := s.tenants.view(r.Client)
	from, _ := view.Party(*r.Extension)
	return dialplan.Replay(view, dialplan.Facts{Invite: call.Invite{Client: r.Client, From: from, Dialled: r.ToUsername}}, r.Trace)
}
