package dialplan

// Phone is the configuration of an extension of type phone (spec/http-api.md
// 2.16), as far as the switch acts on it. The SIP password is not here: it is a
// secret of the store, and whoever serves the resource pairs the two.
type Phone struct {
	Label         string `json:"label" maxLength:"128" doc:"Display name shown to the called side, at most 128 bytes; empty: the extension's label"`
	HangupTimeout int    `json:"hangup_timeout" minimum:"1" maximum:"600" doc:"Seconds the phone rings before it counts as unanswered"`
}

// DefaultPhone is a phone before anybody has configured it.
func DefaultPhone() Phone { return Phone{HangupTimeout: 60} }

// Validate reports every field that is out of range as FieldErrors.
func (p Phone) Validate() error {
	var e FieldErrors
	e.check(plainText(p.Label), "label", "must be at most 128 bytes of plain text")
	e.check(p.HangupTimeout >= 1 && p.HangupTimeout <= 600, "hangup_timeout", "must be 1 to 600 seconds")
	return e.err()
}
