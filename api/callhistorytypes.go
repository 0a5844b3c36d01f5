package api

import (
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/history"
)

// CallFields are history.Fields as the document describes them; the two convert
// into each other. It is exported for huma, which looks into no other.
type CallFields struct {
	Flow           string         `json:"flow" enum:"in,out" doc:"seen from the extension; from the switch for a leg to the outside"`
	Result         string         `json:"result" doc:"bridged (calls only), answered, not answered, answered elsewhere (legs only), busy, rejected or failed; empty while nobody knows"`
	Cause          call.Cause     `json:"cause" doc:"why it ended, finer than hangup_cause; empty while it runs"`
	Q850           string         `json:"hangup_cause" doc:"the same by its Q.850 name, such as NORMAL_CLEARING; empty while it runs"`
	Disposition    string         `json:"hangup_disposition" doc:"callee_bye, caller_bye, caller_cancel, callee_refuse or internal_cancel; empty while it runs"`
	InitTime       dialplan.Stamp `json:"init_time_gmt" doc:"when it was set up"`
	StartTime      dialplan.Stamp `json:"start_time_gmt" doc:"when it was answered, null if it was not"`
	HangupTime     dialplan.Stamp `json:"hangup_time_gmt" doc:"when it ended, null while it runs"`
	Duration       int64          `json:"duration" doc:"whole seconds from answer to end"`
	Extension      *int64         `json:"extension_id" doc:"extension whose leg or call this is; null for the outside"`
	ExtensionName  *string        `json:"extension_name" doc:"its name at that time, prefix*name@domain"`
	ExtensionType  *string        `json:"extension_type" doc:"its type at that time"`
	ExtensionGroup *int64         `json:"extension_group_owner_id" doc:"its group at that time"`
	Client         int64          `json:"client_owner_id" doc:"the client"`
	FromUsername   string         `json:"from_username" doc:"number of the caller"`
	FromDomain     string         `json:"from_domain" doc:"domain of the caller"`
	FromScreenName string         `json:"from_screen_name" doc:"display name of the caller"`
	ToUsername     string         `json:"to_username" doc:"number that was dialled"`
	ToDomain       string         `json:"to_domain" doc:"domain that was dialled"`
	DestNumber     string         `json:"dest_number" doc:"where it really went"`
	DestDomain     string         `json:"dest_domain" doc:"domain of where it really went"`
}

// CallExtras are the documented members that no call has a value for as long as
// nothing of the switch records, queues, transfers or speaks to the outside.
type CallExtras struct {
	Application    *string `json:"application" doc:"callcenter, callback or intercept; null for an ordinary call"`
	SourceNumber   *string `json:"source_number" doc:"caller before a transfer, null without one"`
	SourceDomain   *string `json:"source_domain" doc:"domain of the caller before a transfer"`
	DIDNumber      *string `json:"did_number" doc:"outside number by which the call came, null from inside"`
	DIDDomain      *string `json:"did_domain" doc:"domain of the outside number"`
	ANINumber      *string `json:"ani_number" doc:"number of the client that the outside was shown"`
	ExtNumberReg   *string `json:"ext_number_reg" doc:"outside number registered for the extension"`
	RecordUUID     *string `json:"record_uuid" doc:"the conversation's recording, null without one"`
	RecordFileSize *int64  `json:"record_file_size" doc:"size of the recording in bytes"`
	FileName       *string `json:"file_name" doc:"name of the recording's file"`
	RecordTransfer *bool   `json:"record_transfer" doc:"true: the other side's channel was recorded"`
}

// CallSummary is a call without its legs (spec/http-api.md 5.5).
type CallSummary struct {
	CallUUID call.ID `json:"call_uuid" doc:"the call"`
	CallFields
	CallExtras
	Bridged         bool           `json:"bridged" doc:"two parties talked"`
	BridgedDuration *int64         `json:"bridged_duration" doc:"seconds that two parties were connected; null if none were"`
	BridgedTime     dialplan.Stamp `json:"bridged_time_gmt" doc:"when they were first connected"`
	BridgedUsername *string        `json:"bridged_username" doc:"number of the party that was called and talked"`
	BridgedDomain   *string        `json:"bridged_domain" doc:"domain of that party"`
}

// CallEntry is a call with its legs.
type CallEntry struct {
	CallSummary
	CDR []callLeg `json:"cdr" nullable:"false" doc:"the legs in the order they came"`
}

// callDetail is one call, running or ended.
type callDetail struct {
	CallEntry
	Running bool `json:"running" doc:"the call goes on, and this is how it stands"`
	Left    int  `json:"events_left_out" doc:"how many events and decisions of a very long call were not kept"`
}

// callLeg is one leg of a call (spec/http-api.md 2.18).
type callLeg struct {
	CallUUID call.ID    `json:"call_uuid" doc:"the call"`
	ID       call.LegID `json:"call_api_id" doc:"the leg"`
	CallFields
	CallExtras
	CallsResult      string          `json:"calls_result" doc:"result of the whole call"`
	CallsDisposition string          `json:"calls_hangup_disposition" doc:"hangup_disposition of the whole call"`
	Stats            call.MediaStats `json:"media" doc:"counters of the audio; they come when the leg ends"`
	Moved            call.ID         `json:"moved_to,omitempty" doc:"call that took the leg over"`
}

func summaryOf(rec history.Record) CallSummary {
	return CallSummary{
		CallUUID: rec.CallUUID, CallFields: CallFields(rec.Fields),
		Bridged: rec.Bridged, BridgedDuration: rec.BridgedDuration, BridgedTime: rec.BridgedTime,
		BridgedUsername: rec.BridgedUsername, BridgedDomain: rec.BridgedDomain,
	}
}

func entryOf(rec history.Record) CallEntry {
	e := CallEntry{CallSummary: summaryOf(rec), CDR: make([]callLeg, len(rec.CDR))}
	for i, leg := range rec.CDR {
		e.CDR[i] = legOf(leg)
	}
	return e
}

func legOf(leg history.Leg) callLeg {
	return callLeg{
		CallUUID: leg.CallUUID, ID: leg.ID, CallFields: CallFields(leg.Fields),
		CallsResult: leg.CallsResult, CallsDisposition: leg.CallsDisposition, Stats: leg.Stats, Moved: leg.Moved,
	}
}
