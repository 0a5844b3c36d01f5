package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/features/ladder"
)

type explainIn struct {
	Format string `query:"format" enum:"json,text" doc:"json, or text for a terminal; json by default"`
	Body   dialplan.Question
}

func (s *Server) registerExplain() {
	register(s, operation{
		ID: "explainCall", Method: http.MethodPost, Path: "/client/{client_id}/explain/", Tag: "Explain",
		Summary: "Where a call would go, and why",
		Description: "The machine that decides real calls runs over the present configuration, or over the draft of it, and rings nobody. " +
			"Nothing is kept.",
		Status: http.StatusOK, Document: formats[dialplan.Explanation](plainText),
	}, s.explain)
}

func (s *Server) explain(ctx context.Context, in *explainIn) (*huma.StreamResponse, error) {
	e, err := s.cfg.Explain(ctx, clientOf(ctx).ID, in.Body)
	var wrong dialplan.FieldErrors
	if errors.As(err, &wrong) {
		faults := make([]FieldError, len(wrong))
		for i, f := range wrong {
			faults[i] = FieldError{"/" + f.Field, f.Message} // a pointer already: assume/102
		}
		return nil, badRequest(faults...)
	}
	if err != nil {
		return nil, err
	}
	if in.Format == "text" {
		return drawn(plainText, func(w io.Writer) error { return writeExplanation(w, in.Body, e) })
	}
	e.Trace = whole(e.Trace)
	return asJSON(e)
}

// writeExplanation says for people where a call would go, and why.
func writeExplanation(w io.Writer, q dialplan.Question, e dialplan.Explanation) error {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-9s%s\n", name, text)
		}
	}
	fmt.Fprintf(&b, "%q dials %q at %s UTC\n\n", q.From, q.To, dialplan.StampOf(e.At))
	line("would", fmt.Sprintf("%s, the call ends: %s", e.Would, e.Cause))
	var steps []string
	for _, step := range e.Path {
		steps = append(steps, step.Name)
	}
	line("path", strings.Join(steps, " > "))
	var assumed []string
	for _, number := range slices.Sorted(maps.Keys(e.Assumed)) {
		assumed = append(assumed, number+" "+e.Assumed[number])
	}
	line("assumed", strings.Join(assumed, ", "))
	if len(e.Unused) > 0 {
		line("unused", fmt.Sprintf("keys %q", e.Unused))
	}
	if e.Cut {
		line("cut", "the plan was still going on")
	}
	b.WriteByte('\n')
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return ladder.WriteTrace(w, e.Trace)
}
