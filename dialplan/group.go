package dialplan

// Group is a group of a client's extensions (spec/http-api.md 5.9). An extension
// is in at most one.
type Group struct {
	ID          int64  `json:"id" readonly:"true" doc:"Given by the switch, never reused"`
	ClientID    int64  `json:"client_id" readonly:"true" doc:"Client that owns the group"`
	Name        string `json:"name" required:"true" maxLength:"128" doc:"Name for people, 1 to 128 bytes"`
	ExtraParams string `json:"extra_params" maxLength:"16384" doc:"Free text or JSON, kept for the API user"`
}

// Validate reports every field that is out of range as FieldErrors.
func (g Group) Validate() error {
	var e FieldErrors
	e.check(g.ClientID > 0, "client_id", "must be above 0")
	e.check(g.Name != "" && plainText(g.Name), "name", "must be 1 to 128 bytes of plain text")
	e.text("extra_params", g.ExtraParams, maxExtra)
	return e.err()
}
