package dialplan

// Group is a group of a client's extensions (spec/http-api.md 5.9). An extension
// is in at most one.
type Group struct {
	ID          int64  `json:"id"` // given by the store, never reused
	ClientID    int64  `json:"client_id"`
	Name        string `json:"name"` // required, 1 to 128 bytes
	ExtraParams string `json:"extra_params"`
}

// Validate reports every field that is out of range as FieldErrors.
func (g Group) Validate() error {
	var e FieldErrors
	e.check(g.ClientID > 0, "client_id", "must be above 0")
	e.check(g.Name != "" && plainText(g.Name), "name", "must be 1 to 128 bytes of plain text")
	return e.err()
}
