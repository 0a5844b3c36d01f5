package dialplan

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// Question asks where a call would go (spec/shapes.md, "Explain answer").
type Question struct {
	From   string            `json:"from" maxLength:"400" doc:"Extension that calls: 101, 0001*101 …"`
	To     string            `json:"to" maxLength:"512" doc:"Number it dials"`
	At     time.Time         `json:"at,omitzero" doc:"Moment of the call; now if it is not given"`
	Assume map[string]string `json:"assume,omitempty" doc:"What comes of ringing an extension: answered, busy, no_answer, rejected, unreachable, failed, or redirected: and the number it sends the call on to; without it the present registrations decide"`
	Press  []string          `json:"press,omitempty" maxItems:"100" doc:"Keys the caller presses, one entry for each time some are asked for"`
	Draft  *Draft            `json:"draft,omitempty" doc:"Changes that are tried out and not kept"`
}

// Draft changes a View for one question. Rows are merged as by a PUT: fields that
// are not there stay, null is the default.
type Draft struct {
	Client map[string]any `json:"client,omitempty" doc:"Fields of the client"`
	// Extensions by any of their names. Beside the fields of an Extension the
	// member phone holds those of its Phone.
	Extensions map[string]map[string]any `json:"extensions,omitempty" doc:"Fields of extensions, by name; phone holds those of the phone"`
}

// Explain answers a question over this view, as FieldErrors with the paths of
// the question's members (from, assume/199, draft/extensions/102/status) if it
// makes no sense. The caller fills in q.At; registered is Rehearsal.Registered,
// and ConfigVersion stays for the caller to fill in.
func (v *View) Explain(q Question, registered func(extension int64) bool) (Explanation, error) {
	if q.Draft != nil {
		var err error
		if v, err = v.drafted(*q.Draft); err != nil {
			return Explanation{}, err
		}
	}
	var e FieldErrors
	from, ok := v.Lookup(q.From)
	e.none(!ok, "from", "extension")
	number, err := CleanDialled(q.To)
	e.check(err == nil, "to", "must be 1 to 64 of 0-9 * # + and letters")
	e.check(!q.At.IsZero(), "at", "must be a time")
	e.check(len(q.Press) <= 100, "press", "must be at most 100")
	r := Rehearsal{Assume: q.Assume, Registered: registered, Press: q.Press}
	if wrong, ok := r.Check(v).(FieldErrors); ok {
		e = append(e, wrong...)
	}
	if len(e) > 0 {
		return Explanation{}, e
	}
	party, _ := v.Party(from.Extension.ID)
	return Rehearse(v, Facts{Invite: call.Invite{Client: v.client.ID, From: party, Dialled: number}}, q.At, r), nil
}

// sortedKeys are the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), cmp.Compare[string])
}

// pointerToken escapes a name for its place in a JSON pointer (RFC 6901 3).
func pointerToken(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
