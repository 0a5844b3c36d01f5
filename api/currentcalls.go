package api

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// currentCall is one leg of a running call, as the extension sees it
// (spec/http-api.md 3.1).
type currentCall struct {
	ID          call.LegID     `json:"call_api_id" doc:"id to control the call with"`
	Call        call.ID        `json:"call_uuid" doc:"the conversation; what its record will be called"`
	ExtensionID int64          `json:"extension_id" doc:"the extension"`
	Flow        string         `json:"call_flow" enum:"in,out" doc:"seen from the extension"`
	CallerNum   string         `json:"caller_id_number" doc:"number of the caller"`
	CallerName  string         `json:"caller_id_name" doc:"name of the caller"`
	Called      string         `json:"called_number" doc:"what was dialled"`
	DID         *string        `json:"called_did" doc:"outside number that was called, null for a call from inside"`
	Init        dialplan.Stamp `json:"init_time_gmt" doc:"when the call came up"`
	Answered    dialplan.Stamp `json:"answer_time_gmt" doc:"when it was answered, null while it rings"`
	Callback    *string        `json:"callback_id" doc:"the callback that the call belongs to, or null"`
	Record      *string        `json:"record_uuid" doc:"recording in progress, or null"`
	Real        bool           `json:"real_call" doc:"false: counted for the extension, but its terminal is not talking"`
	Other       *call.LegID    `json:"other_call_api_id" doc:"leg of the other side, null while there is none or more than one"`
	State       string         `json:"state" enum:"ringing,talking,held" doc:"what the leg does now"`
	// The Extension resources of both sides; empty for a side that is outside.
	CalledExtension []dialplan.Extension `json:"called_extension" nullable:"false" doc:"extensions that are called"`
	CallerExtension []dialplan.Extension `json:"caller_extension" nullable:"false" doc:"extension that calls"`
}

type callList struct {
	Calls []currentCall `json:"call_list" nullable:"false" doc:"oldest first"`
}

type currentCallIn struct {
	ID call.LegID `path:"call_api_id" doc:"call_api_id of the call"`
}

func (s *Server) registerCurrentCalls() {
	const tag = "Current calls"
	for _, level := range []struct{ path, suffix string }{
		{"/extension/{extension_id}/current_calls/", "Extension"}, {"/client/{client_id}/current_calls/", "Client"},
	} {
		register(s, operation{
			ID: "list" + level.suffix + "CurrentCalls", Method: http.MethodGet, Path: level.path, Tag: tag,
			Summary: "Calls that are up",
		}, s.listCurrentCalls)
		register(s, operation{
			ID: "get" + level.suffix + "CurrentCall", Method: http.MethodGet, Path: level.path + "{call_api_id}", Tag: tag,
			Summary: "One call that is up",
		}, s.getCurrentCall)
		register(s, operation{
			ID: "delete" + level.suffix + "CurrentCall", Method: http.MethodDelete, Path: level.path + "{call_api_id}", Tag: tag,
			Summary: "Hang up",
		}, func(ctx context.Context, in *currentCallIn) (*struct{}, error) {
			if _, err := s.findCurrentCall(ctx, in.ID); err != nil {
				return nil, err
			}
			return nil, s.cfg.Calls.HangupLeg(ctx, in.ID)
		})
	}
}

func (s *Server) listCurrentCalls(ctx context.Context, _ *struct{}) (*struct{ Body callList }, error) {
	return &struct{ Body callList }{callList{s.currentCalls(ctx)}}, nil
}

func (s *Server) getCurrentCall(ctx context.Context, in *currentCallIn) (*struct{ Body currentCall }, error) {
	c, err := s.findCurrentCall(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body currentCall }{c}, nil
}

func (s *Server) findCurrentCall(ctx context.Context, id call.LegID) (currentCall, error) {
	if info, ok := s.cfg.Calls.CallOf(id); ok && info.Client == clientOf(ctx).ID {
		for leg := range currentLegs(info, extensionOf(ctx).Extension.ID) {
			if leg.ID == id {
				return s.describeLeg(info, leg), nil
			}
		}
	}
	return currentCall{}, fmt.Errorf("call %s: %w", id, store.ErrNotFound)
}

func (s *Server) currentCalls(ctx context.Context) []currentCall {
	list := []currentCall{}
	for _, info := range s.cfg.Calls.Calls(clientOf(ctx).ID) {
		for leg := range currentLegs(info, extensionOf(ctx).Extension.ID) {
			list = append(list, s.describeLeg(info, leg))
		}
	}
	return list
}

// currentLegs are the legs of an extension in a call, or with 0 those of all
// extensions.
func currentLegs(info *call.Info, only int64) iter.Seq[*call.LegInfo] {
	return func(yield func(*call.LegInfo) bool) {
		for i := range info.Legs {
			leg := &info.Legs[i]
			x := leg.Party.Extension
			if x == 0 || only != 0 && only != x || leg.State == call.LegLeaving {
				continue
			}
			if !yield(leg) {
				return
			}
		}
	}
}

func (s *Server) describeLeg(info *call.Info, leg *call.LegInfo) currentCall {
	others := info.Others(leg.ID)
	c := currentCall{
		ID: leg.ID, Call: info.Ref.ID, ExtensionID: leg.Party.Extension, Flow: "in",
		CallerNum: info.Caller.Number, CallerName: info.Caller.Name, Called: info.Dialled,
		Init: dialplan.StampOf(leg.Started), Answered: dialplan.StampOf(leg.Answered), Real: true, State: stateOf(leg),
	}
	called := []call.LegInfo{*leg}
	if leg.Direction == call.Inbound {
		c.Flow, called = "out", others
	}
	if len(others) == 1 {
		c.Other = &others[0].ID
	}
	c.CalledExtension = s.extensionsOf(called...)
	c.CallerExtension = s.extensionsOf(call.LegInfo{Party: info.Caller})
	return c
}

func stateOf(leg *call.LegInfo) string {
	switch {
	case leg.Held:
		return "held"
	case leg.State == call.LegUp:
		return "talking"
	}
	return "ringing"
}

// extensionsOf are the extensions whose legs these are.
func (s *Server) extensionsOf(legs ...call.LegInfo) []dialplan.Extension {
	list := []dialplan.Extension{}
	for _, l := range legs {
		if row, ok := s.cfg.Configuration.Extension(l.Party.Extension); ok {
			list = append(list, row.Extension)
		}
	}
	return list
}
