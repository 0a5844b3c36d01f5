package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// What one capture may take.
const (
	captureMost   = 64 << 20 // bytes
	captureAtMost = time.Hour
	pcapng        = "application/x-pcapng"
)

type captureIn struct {
	ID      call.ID `path:"call_uuid" doc:"call_uuid of a call that is up"`
	Seconds int     `query:"seconds" minimum:"1" maximum:"3600" doc:"How long at most; by default until the call ends, at most an hour"`
}

func (s *Server) registerCaptures() {
	register(s, operation{
		ID: "captureCall", Method: http.MethodGet, Path: "/client/{client_id}/pcap/{call_uuid}", Tag: "Current calls", Type: pcapng,
		Summary: "Record what a call sends and receives",
		Description: "SIP, RTP and RTCP of all legs from now on, as it comes, until the call ends or the connection does; " +
			"SRTP is shown decrypted, credentials and keys are masked.",
	}, s.captureCall)
}

func (s *Server) captureCall(ctx context.Context, in *captureIn) (*huma.StreamResponse, error) {
	c := callerOf(ctx)
	life := captureAtMost
	if in.Seconds > 0 {
		life = min(life, time.Duration(in.Seconds)*time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, life)
	packets, err := s.cfg.Captures.Capture(ctx, c.client.ID, in.ID)
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
