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

// Extension is an internal number of a client (spec/http-api.md 2.10).
type Extension struct {
	ID       int64 `json:"id"` // given by the store, never reused
	ClientID int64 `json:"client_id"`
	Type     Type  `json:"type"`
	// Status blocked: no calls either way, no registration.
	Status Status `json:"status"`
	// Name is the full name, the client's prefix, a star and the number:
	// 0001*101. It cannot be changed.
	Name string `json:"name"`
	// Label is the display name on called terminals, at most 128 bytes.
	Label string `json:"label"`
	// CallerIDName is the caller's name; it wins over both labels.
	CallerIDName string `json:"caller_id_name"`
}

// DefaultExtension is an extension before its creator has said anything.
func DefaultExtension() Extension {
	return Extension{Type: TypePhone, Status: StatusActive}
}

// Validate reports every field that is out of range as FieldErrors.
func (x Extension) Validate() error {
	var e FieldErrors
	e.check(x.ID > 0, "id", "must be above 0")
	e.check(x.ClientID > 0, "client_id", "must be above 0")
	e.check(x.Type.valid(), "type", "must be phone, ivr, queue, fax or conference")
	e.check(x.Status.valid(), "status", "must be active or blocked")
	prefix, number, _ := strings.Cut(x.Name, "*")
	e.check(digits(prefix, 3, 6) && digits(number, 2, 4), "name", "must be prefix*number, for example 0001*101")
	e.check(plainText(x.Label), "label", "must be at most 128 bytes of plain text")
	e.check(plainText(x.CallerIDName), "caller_id_name", "must be at most 128 bytes of plain text")
	return e.err()
}

// Number is the bare number, without the client's prefix: 101 of 0001*101.
func (x Extension) Number() string {
	return x.Name[strings.IndexByte(x.Name, '*')+1:]
}
