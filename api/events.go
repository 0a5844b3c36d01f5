package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

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
	c := callerOf(ctx)
	filter := feed.Filter{Types: types, Extension: c.extension.Extension.ID}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		r, w := humago.Unwrap(h)
		reader := s.cfg.Feed.Read(c.client.ID, after, filter)
		defer reader.Close()
		st := stream{w: w, out: http.NewResponseController(w), may: func() bool { return s.stillMay(r, c) }}
		st.run(r.Context(), reader)
	}}, nil
}

// stillMay reports whether the token of a long request is good even now, and
// reaches what it did (H4): an extension may have left the group of its reader.
func (s *Server) stillMay(r *http.Request, c *caller) bool {
	if c.operator {
		return true
	}
	p, err := s.cfg.Tokens.Authenticate(bearer(r))
	if err != nil {
		return false
	}
	if id := c.extension.Extension.ID; id != 0 {
		row, ok := s.cfg.Configuration.Extension(id)
		return ok && s.reachesExtension(p, row) && p.May(needs["streamExtensionEvents"]) == nil
	}
	client, ok := s.cfg.Configuration.Client(c.client.ID)
	return ok && reachesClient(p, client) && p.May(needs["streamClientEvents"]) == nil
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
	if st.send("retry: %d\n\n", comeBack) != nil || st.flush() != nil {
		return
	}
	for {
		list, err := st.next(ctx, events)
		silent := errors.Is(err, context.DeadlineExceeded)
		if err != nil && !silent || !st.may() { // may has to hold now, not when the wait began
			return // gone, behind, the switch stops, or the token has ended
		}
		if silent && st.send("id: %d\n: alive\n\n", events.At()) != nil {
			return
		}
		for _, ev := range list {
			if st.send("id: %d\nevent: %s\ndata: %s\n\n", ev.ID, ev.Kind, ev.Data) != nil {
				return
			}
		}
		if st.flush() != nil {
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

// send writes straight to the connection: a thousand readers that do not read hold
// one event each, not a batch of them.
func (st *stream) send(format string, args ...any) error {
	if err := st.out.SetWriteDeadline(time.Now().Add(readWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	_, err := fmt.Fprintf(st.w, format, args...)
	return err
}

func (st *stream) flush() error { return st.out.Flush() }
