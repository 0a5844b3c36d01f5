package cordpair

import (
	"net/http"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// ServeReady is the handler of /readyz.
func (s *Switch) ServeReady(w http.ResponseWriter, r *http.Request) { s.serveReady(w, r) }

// Replay decides a recorded call once more.
func (s *Switch) Replay(r CallRecord) error {
	view, _ := s.tenants.view(r.Client)
	from, _ := view.Party(*r.Extension)
	return dialplan.Replay(view, dialplan.Facts{Invite: call.Invite{Client: r.Client, From: from, Dialled: r.ToUsername}}, r.Trace)
}
