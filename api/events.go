package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/features/feed"
)

// The event stream (spec/shapes.md): Server-Sent Events of a client, or of what
// an extension's user may see.

const (
	// heartbeat is how often a silent stream says that it lives.
	heartbeat = 15 * time.Second
	// readWithin is how long a reader may take to read what it was sent before
	// it is cut (H10).
	readWithin = 10 * time.Second
	// comeBack is when a client should connect again, in ms.
	comeBack = 2000
)

type eventsIn struct {
	Types string `query:"types" maxLength:"4096" doc:"Only these, separated by commas: call.started,registration.*"`
	Last  string `header:"Last-Event-ID" maxLength:"20" doc:"id of the last event seen; the stream goes on behind it"`
	From  string `query:"last_event_id" maxLength:"20" doc:"The same, for clients that cannot set the header"`
}

// after is the event behind which the stream begins; 0: now.
func (in *eventsIn) after() (feed.ID, error) {
	text, field := in.Last, "Last-Event-ID"
	if text == "" {
		text, field = in.From, "last_event_id"
	}
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		return 0, dialplan.FieldErrors{{Field: field, Message: "must be the id of an event"}}
	}
	return feed.ID(id), nil
}

func (s *Server) registerEvents() {
	const about = "Server-Sent Events. Each has an id that rises, an event name and JSON data. " +
		"stream.gap tells of events that are not kept any more; a reader that is too slow is cut and may resume."
	register(s, operation{
		ID: "streamClientEvents", Method: http.MethodGet, Path: "/client/{client_id}/events/stream/", Tag: "Events",
		Summary: "What happens, as it happens", Description: about, Type: "text/event-stream",
	}, s.streamEvents)
	register(s, operation{
		ID: "streamExtensionEvents", Method: http.MethodGet, Path: "/extension/{extension_id}/events/stream/", Tag: "Events",
		Summary: "What happens to an extension", Description: about, Type: "text/event-stream",
	}, s.streamEvents)
}

func (s *Server) streamEvents(ctx context.Context, in *eventsIn) (*huma.StreamResponse, error) {
	types, err := feed.ParseTypes(in.Types)
	if err != nil {
		return nil, dialplan.FieldErrors{{Field: "types", Message: err.Error()}}
	}
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	filter := feed.Filter{Types: types, Extension: extensionOf(ctx).Extension.ID}
	client := clientOf(ctx).ID
	return &huma.StreamResponse{Body: func(h huma.Context) {
		r, w := humago.Unwrap(h)
		reader := s.cfg.Feed.Read(client, after, filter)
		defer reader.Close()
		st := stream{w: w, out: http.NewResponseController(w), may: func() bool { return s.stillMay(r) }}
		st.run(r.Context(), reader)
	}}, nil
}

// stillMay reports whether the token of a long request is good even now (H4).
func (s *Server) stillMay(r *http.Request) bool {
	if isOperator(r.Context()) {
		return true
	}
	p, err := s.cfg.Tokens.Authenticate(bearer(r))
	return err == nil && p.May(auth.Need{Level: auth.LevelExtension, Act: auth.Read}) == nil
}

// stream is one connection that is sent events.
type stream struct {
	w   http.ResponseWriter
	out *http.ResponseController
	may func() bool
}

// run sends events until the client goes, reads too slowly or may not any more.
func (st *stream) run(ctx context.Context, events *feed.Reader) {
	header := st.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // a proxy's buffer would hold events back
	if st.send(fmt.Sprintf("retry: %d\n\n", comeBack)) != nil {
		return
	}
	for {
		list, err := st.next(ctx, events)
		text := ""
		for _, ev := range list {
			text += fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", ev.ID, ev.Kind, ev.Data)
		}
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			text = fmt.Sprintf("id: %d\n: alive\n\n", events.At())
		case err != nil:
			return // gone, behind, or the switch stops
		}
		if !st.may() || st.send(text) != nil { // may has to hold now, not when the wait began
			return
		}
	}
}

// next waits for events, but not longer than a heartbeat.
func (st *stream) next(ctx context.Context, events *feed.Reader) ([]feed.Event, error) {
	wait, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	list, err := events.Next(wait)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return list, err
}

// send writes text and gives the client readWithin to take it.
func (st *stream) send(text string) error {
	if err := st.out.SetWriteDeadline(time.Now().Add(readWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := io.WriteString(st.w, text); err != nil {
		return err
	}
	return st.out.Flush()
}
