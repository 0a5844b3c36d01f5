package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/store"
)

// What one capture may take.
const (
	captureMost   = 64 << 20 // bytes
	captureAtMost = time.Hour
	pcapng        = "application/x-pcapng"
)

type captureIn struct {
	Seconds int `query:"seconds" minimum:"1" maximum:"3600" doc:"How long at most; by default until the call ends, at most an hour"`
}

func (s *Server) registerCaptures() {
	const tag = "Current calls"
	register(s, operation{
		ID: "captureCall", Method: http.MethodGet, Path: "/client/{client_id}/pcap/{call_uuid}", Tag: tag, Type: pcapng,
		Summary: "Record what a call sends and receives",
		Description: "SIP, RTP and RTCP of all legs from now on, as it comes, until the call ends or the connection does; " +
			"SRTP is shown decrypted, credentials and keys are masked. It begins with the session descriptions in force, so that RTP is known as such.",
	}, func(ctx context.Context, in *struct {
		captureIn
		ID call.ID `path:"call_uuid" doc:"call_uuid of a call that is up"`
	}) (*huma.StreamResponse, error) {
		return s.capture(ctx, in.Seconds, func(ctx context.Context, client int64) (*media.Capture, error) {
			return s.cfg.Captures.Capture(ctx, client, in.ID)
		})
	})
	register(s, operation{
		ID: "captureNextCall", Method: http.MethodGet, Path: "/client/{client_id}/pcap/", Tag: tag, Type: pcapng,
		Summary:     "Record the next call of a phone",
		Description: "As for a running call, but from the INVITE on that begins it, whether the phone calls or is called; INVITEs of its own that are refused are there too.",
	}, func(ctx context.Context, in *struct {
		captureIn
		Next string `query:"next" required:"true" minLength:"1" doc:"Number of the phone, 101"`
	}) (*huma.StreamResponse, error) {
		return s.capture(ctx, in.Seconds, func(ctx context.Context, client int64) (*media.Capture, error) {
			return s.cfg.Captures.CaptureNext(ctx, client, in.Next)
		})
	})
}

// capture streams what begin collects, for so many seconds at most; 0: as long as one
// may.
func (s *Server) capture(ctx context.Context, seconds int, begin func(context.Context, int64) (*media.Capture, error)) (*huma.StreamResponse, error) {
	c := callerOf(ctx)
	life := captureAtMost
	if seconds > 0 {
		life = min(life, time.Duration(seconds)*time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, life)
	packets, err := begin(ctx, c.client.ID)
	if err != nil {
		cancel()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		defer cancel()
		r, w := humago.Unwrap(h)
		w.Header().Set("Content-Type", pcapng)
		w.Header().Set("Content-Disposition", `attachment; filename="call.pcapng"`)
		out := http.NewResponseController(w)
		// Whoever reads too slowly or may not any more is cut off; it sees that the
		// file has no end.
		_ = packets.Stream(ctx, w, captureMost, func() error {
			if !s.stillMay(r, c) {
				return store.ErrNotFound
			}
			if err := out.Flush(); err != nil {
				return err
			}
			return out.SetWriteDeadline(time.Now().Add(readWithin))
		})
	}}, nil
}
