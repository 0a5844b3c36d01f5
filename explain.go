package cordpair

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/ladder"
	"github.com/cordpair/cordpair/store"
)

// Question asks where a call would go.
type Question = dialplan.Question

// Explanation says where, and why.
type Explanation = dialplan.Explanation

// Explain says where a call of a client would go and why, without making it: the
// machine that decides real calls runs over the present configuration, or over
// the question's draft of it. What is not assumed follows the registrations of
// this moment. Errors wrap store.ErrNotFound for the client and
// dialplan.ErrInvalid, with dialplan.FieldErrors, for the question.
func (s *Switch) Explain(_ context.Context, client int64, q Question) (Explanation, error) {
	view, ok := s.tenants.view(client)
	if !ok {
		return Explanation{}, fmt.Errorf("client %d: %w", client, store.ErrNotFound)
	}
	version := s.tenants.version(client)
	if q.At.IsZero() {
		q.At = time.Now()
	}
	answer, err := view.Explain(q, s.isRegistered)
	answer.ConfigVersion = version
	return answer, err
}

// isRegistered says whether a call to an extension finds a phone.
func (s *Switch) isRegistered(extension int64) bool {
	_, registered := s.edge.Bindings().Registrations(extension, time.Now())
	return registered
}

// WriteTrace prints the decisions of a call for people, as a tree.
func WriteTrace(w io.Writer, trace []call.TraceEntry) error { return ladder.WriteTrace(w, trace) }
