package cordpair

import (
	"net/http"
	"net/http/httptest"

	"github.com/cordpair/cordpair/api"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/audit"
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

// NewCaptures are captures beside those of the API.
func (s *Switch) NewCaptures() api.Captures { return &captures{s: s} }

// Calls are those of a client that are up.
func (s *Switch) Calls(client int64) []*call.Info { return s.calls.CallsOf(client) }

// Audited is the audit log of a client.
func (s *Switch) Audited(client int64) ([]audit.Entry, error) {
	list, _, err := s.audit.List(audit.Query{Client: client, Limit: 100})
	return list, err
}
