package dialplan

import "strings"

// Type says what answers when an extension is called.
type Type string

// The types of extension (spec/http-api.md 2.10).
const (
	TypePhone      Type = "phone"
	TypeIVR        Type = "ivr"
	TypeQueue      Type = "queue"
	TypeFax        Type = "fax"
	TypeConference Type = "conference"
)

func (t Type) valid() bool {
	switch t {
	case TypePhone, TypeIVR, TypeQueue, TypeFax, TypeConference:
		return true
	}
	return false
}

// Extension is an internal number of a client (spec/http-api.md 2.10,
// http-api-more-b.md 8).
type Extension struct {
	ID       int64 `json:"id" readonly:"true" doc:"Given by the switch, never reused"`
	ClientID int64 `json:"client_id" readonly:"true" doc:"Client that owns the extension"`
	// GroupID is a group of the same client, see Rows.Groups.
	GroupID *int64 `json:"extension_group_id" minimum:"1" doc:"Group of the same client; null: none"`
	Type    Type   `json:"type" enum:"phone,ivr,queue,fax,conference" doc:"What answers when the extension is called; fixed after creation"`
	Status  Status `json:"status" enum:"active,blocked" doc:"A blocked extension makes and receives no calls and cannot register"`
	// Name is the full name, the client's prefix, a star and the number.
	Name string `json:"name" required:"true" doc:"Full name, for example 0001*101; the bare number is taken at creation. Fixed after creation"`
	// Domain is the client's. A View fills it in; nobody stores it.
	Domain       string `json:"domain" readonly:"true" doc:"SIP domain of the client"`
	Label        string `json:"label" maxLength:"128" doc:"Display name on called terminals, at most 128 bytes"`
	CallerIDName string `json:"caller_id_name" maxLength:"128" doc:"Caller's name, at most 128 bytes; wins over both labels"`
	CreateDate   Stamp  `json:"create_date" readonly:"true" doc:"When the extension was created; null for one that is older than this field"`
	ExtraParams  string `json:"extra_params" maxLength:"16384" doc:"Free text or JSON, kept for the API user"`

	DialRuleID            *int64  `json:"dial_rule_id" doc:"Outgoing dial rules; there are none yet: always null"`
	DialRuleLimit         *int    `json:"dial_rule_limit" minimum:"0" maximum:"1000000" doc:"Most dial rules the extension may have; null: no limit of its own"`
	ANIRFC3325            bool    `json:"ani_rfc3325" doc:"On forwarding, P-Asserted-Identity tells the outside number the call came through; no call comes through one yet"`
	DIDAsTransferCallerID *string `json:"did_as_transfer_caller_id" doc:"Outside number shown on transfers; there are none yet: always null"`
	MessageDID            *string `json:"message_did" doc:"Outside number of text messages; there are none yet: always null"`
	CallerIDGroupID       *int64  `json:"caller_id_group_id" doc:"Group of outside numbers to choose from; there are none yet: always null"`
	PublicCallerID        *string `json:"client_public_caller_id_number" doc:"Outside number chosen from that group; there are none yet: always null"`
}

// DefaultExtension is an extension before its creator has said anything.
func DefaultExtension() Extension {
	return Extension{Type: TypePhone, Status: StatusActive}
}

// Clone is a copy that shares nothing with x: editing it leaves x as it is.
func (x Extension) Clone() Extension {
	x.GroupID, x.DialRuleID, x.DialRuleLimit = clone(x.GroupID), clone(x.DialRuleID), clone(x.DialRuleLimit)
	x.DIDAsTransferCallerID, x.MessageDID = clone(x.DIDAsTransferCallerID), clone(x.MessageDID)
	x.CallerIDGroupID, x.PublicCallerID = clone(x.CallerIDGroupID), clone(x.PublicCallerID)
	return x
}

// Validate reports every field that is out of range as FieldErrors.
func (x Extension) Validate() error {
	var e FieldErrors
	e.check(x.ID > 0, "id", "must be above 0")
	e.check(x.ClientID > 0, "client_id", "must be above 0")
	e.check(x.GroupID == nil || *x.GroupID > 0, "extension_group_id", "must be above 0 or null")
	e.check(x.Type.valid(), "type", "must be phone, ivr, queue, fax or conference")
	e.check(x.Status.valid(), "status", "must be active or blocked")
	prefix, number, _ := strings.Cut(x.Name, "*")
	e.check(digits(prefix, 3, 6) && digits(number, 2, 4), "name", "must be prefix*number, for example 0001*101")
	e.check(plainText(x.Label), "label", "must be at most 128 bytes of plain text")
	e.check(plainText(x.CallerIDName), "caller_id_name", "must be at most 128 bytes of plain text")
	e.text("extra_params", x.ExtraParams, maxExtra)
	e.none(x.DialRuleID != nil, "dial_rule_id", "dial rule")
	limit := x.DialRuleLimit
	e.check(limit == nil || *limit >= 0 && *limit <= 1_000_000, "dial_rule_limit", "must be 0 to 1000000 or null")
	e.none(x.DIDAsTransferCallerID != nil, "did_as_transfer_caller_id", "outside number")
	e.none(x.MessageDID != nil, "message_did", "outside number")
	e.none(x.CallerIDGroupID != nil, "caller_id_group_id", "group of outside numbers")
	e.none(x.PublicCallerID != nil, "client_public_caller_id_number", "outside number")
	return e.err()
}

// Number is the bare number, without the client's prefix: 101 of 0001*101.
func (x Extension) Number() string {
	return x.Name[strings.IndexByte(x.Name, '*')+1:]
}
