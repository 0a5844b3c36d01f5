package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/features/reglog"
)

// Span bounds a list in time; embed it in a handler's input. Times are UTC.
type Span struct {
	Start string `query:"start_datetime" maxLength:"32" doc:"Not before, YYYY-MM-DD HH:MM:SS in UTC"`
	End   string `query:"end_datetime" maxLength:"32" doc:"Before, YYYY-MM-DD HH:MM:SS in UTC"`
}

// times reads the bounds; the zero time is none.
func (in Span) times() (from, to time.Time, err error) {
	var faults dialplan.FieldErrors
	read := func(field, text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		t, err := dialplan.ParseStamp(text)
		if err != nil {
			faults = append(faults, dialplan.FieldError{Field: field, Message: "must be YYYY-MM-DD HH:MM:SS"})
		}
		return t.Time
	}
	from, to = read("start_datetime", in.Start), read("end_datetime", in.End)
	if faults == nil && !to.IsZero() && to.Before(from) {
		faults = dialplan.FieldErrors{{Field: "end_datetime", Message: "must not lie before start_datetime"}}
	}
	if faults != nil {
		return from, to, faults
	}
	return from, to, nil
}

type regLogIn struct {
	Span
	Paging
	Ordering
}

type regLogOut struct {
	Body []reglog.Entry `nullable:"false"`
}

func (s *Server) registerRegLog() {
	const about = "Kept while the client's reg_status_log is true, for phones, newest first."
	for _, at := range []struct{ id, path string }{
		{"listClientRegLog", "/client/{client_id}/reg_status_log/"},
		{"listGroupRegLog", "/extension_group/{extension_group_id}/reg_status_log/"},
		{"listExtensionRegLog", "/extension/{extension_id}/reg_status_log/"},
	} {
		register(s, operation{
			ID: at.id, Method: http.MethodGet, Path: at.path, Tag: "Registration",
			Summary: "When phones came online and went offline", Description: about,
		}, s.listRegLog)
	}
}

func (s *Server) listRegLog(ctx context.Context, in *regLogIn) (*regLogOut, error) {
	from, to, err := in.times()
	if err != nil {
		return nil, err
	}
	list, _, err := s.cfg.RegLog.List(reglog.Query{
		Client: clientOf(ctx).ID, Extension: extensionOf(ctx).Extension.ID, Group: groupOf(ctx).ID,
		From: from, To: to, OldestFirst: in.Order == "asc", Limit: in.most(),
	})
	return &regLogOut{pageOf(in.Paging, list)}, err
}

// most is how many elements of a list its page needs; 0: all.
func (p Paging) most() int { return max(p.Page, 1) * p.PerPage }

// wholeAudit is how many changes are listed when no page is asked for.
const wholeAudit = 10_000

type auditIn struct {
	Span
	Paging
	Ordering
	What string `query:"what" maxLength:"64" doc:"Only changes of this kind of resource, such as extension"`
	ID   string `query:"id" maxLength:"64" doc:"Only changes of the resource with this id"`
}

type auditOut struct {
	Body []audit.Entry `nullable:"false"`
}

func (s *Server) registerAudit() {
	register(s, operation{
		ID: "listAuditLog", Method: http.MethodGet, Path: "/client/{client_id}/audit_log/", Tag: "Audit",
		Summary: "Who changed what", Description: "Newest first. Secrets are masked.",
	}, s.listAuditLog)
}

func (s *Server) listAuditLog(ctx context.Context, in *auditIn) (*auditOut, error) {
	from, to, err := in.times()
	if err != nil {
		return nil, err
	}
	most := cmp.Or(in.most(), wholeAudit)
	q := audit.Query{Client: clientOf(ctx).ID, What: in.What, ID: in.ID, From: from, To: to, OldestFirst: in.Order == "asc"}
	var list []audit.Entry
	for more := true; more && len(list) < most; { // the log looks at so many at a time
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		q.Limit = most - len(list)
		part, next, err := s.cfg.Audit.List(q)
		if err != nil {
			return nil, err
		}
		list, q.After, more = append(list, part...), next, next != ""
	}
	page := pageOf(in.Paging, list)
	for i := range page {
		page[i].By = shownActor(principalOf(ctx), page[i].By)
	}
	return &auditOut{page}, nil
}

// shownActor is who made a change, as the reader may know it: of those above its
// client it learns that they did, not who they are and where (T4).
func shownActor(reader auth.Principal, a audit.Actor) audit.Actor {
	above := []string{auth.LevelDealer.String(), auth.LevelPlatform.String(), audit.LevelOperator, audit.LevelLibrary}
	if reader.Level < auth.LevelDealer && slices.Contains(above, a.Level) {
		return audit.Actor{Level: a.Level}
	}
	return a
}
