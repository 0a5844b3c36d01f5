package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cordpair/cordpair/dialplan"
)

// Patch is the body of a partial PUT to a resource T: a field is set, null, or
// not there. The frame has held it against T's schema, with nothing required and
// everything nullable, before the handler sees it.
//
//	type in struct{ Body Patch[dialplan.Group] }
//	err := in.Body.Apply(&group, dialplan.Group{}, "client_id")
type Patch[T any] struct{ fields map[string]json.RawMessage }

// Creation is the body of a POST that creates a T: like a Patch, but fields of T with
// the tag `required:"true"` must be there.
type Creation[T any] struct{ Patch[T] }

// UnmarshalJSON notes what the body names.
func (p *Patch[T]) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &p.fields) }

// Has reports whether the body names a field, be it with null.
func (p Patch[T]) Has(field string) bool { _, ok := p.fields[field]; return ok }

// Schema is T's with nothing required and everything nullable.
func (Patch[T]) Schema(r huma.Registry) *huma.Schema { return looseSchema[T](r, "Patch", false) }

// Schema is T's with little required and everything nullable.
func (Creation[T]) Schema(r huma.Registry) *huma.Schema { return looseSchema[T](r, "New", true) }

// Apply merges the body into to: what it does not name stays, null becomes the
// value of defaults, everything else is taken. Fields with the tag
// `readonly:"true"` and those in fixed may be given with the value they have, so
// that a client can send back what it read. Wrong fields are told as
// dialplan.FieldErrors, and to is not changed then.
func (p Patch[T]) Apply(to *T, defaults T, fixed ...string) error {
	merged := *to
	var faults dialplan.FieldErrors
	for _, f := range fieldsOf(reflect.TypeFor[T]()) {
		raw, ok := p.fields[f.name]
		if !ok {
			continue
		}
		old := reflect.ValueOf(&merged).Elem().FieldByIndex(f.index)
		given := reflect.New(f.Type).Elem()
		if f.isNull(raw) {
			given.Set(reflect.ValueOf(&defaults).Elem().FieldByIndex(f.index))
		} else if err := json.Unmarshal(f.spelled(raw), given.Addr().Interface()); err != nil {
			faults = append(faults, dialplan.FieldError{Field: f.name, Message: decodeFault(err)})
			continue
		}
		if f.readOnly || slices.Contains(fixed, f.name) {
			if !f.isNull(raw) && !sameJSON(old, given) {
				faults = append(faults, dialplan.FieldError{Field: f.name, Message: "cannot be changed"})
			}
			continue
		}
		old.Set(given)
	}
	if len(faults) > 0 {
		return faults
	}
	*to = merged
	return nil
}

// sameJSON compares as the client sees it: an empty list and none are the same
// only if they are written so.
func sameJSON(a, b reflect.Value) bool {
	x, _ := json.Marshal(a.Interface())
	y, _ := json.Marshal(b.Interface())
	return bytes.Equal(x, y)
}

// decodeFault keeps the reason that types of ours give and hides Go's.
func decodeFault(err error) string {
	if errors.Is(err, dialplan.ErrInvalid) {
		text := strings.TrimSuffix(err.Error(), ": "+dialplan.ErrInvalid.Error())
		if _, after, ok := strings.Cut(text, ": "); ok {
			return after
		}
		return text
	}
	return "has a wrong value"
}

// field is a member of a resource.
type field struct {
	reflect.StructField
	name     string
	index    []int
	readOnly bool
}

// fieldsOf lists the JSON members of a struct, those of embedded ones too, in
// their order.
func fieldsOf(t reflect.Type) []field {
	var list []field
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		list = append(list, field{f, name, f.Index, isReadOnly(f.Tag)})
	}
	return list
}

func isReadOnly(tag reflect.StructTag) bool {
	return tag.Get("readonly") == "true" || tag.Get("readOnly") == "true"
}

// isNull knows what the API's clients send for null besides null: 0 for an id
// and "None" for an enumeration (spec/http-api.md 1.5). Ids are int64.
func (f field) isNull(raw json.RawMessage) bool {
	switch string(raw) {
	case "null":
		return true
	case "0":
		return f.Type == reflect.TypeFor[*int64]()
	case `"None"`:
		return f.isEnum()
	}
	return false
}

// spelled makes a boolean what a field of yes and no calls it; clients send both
// (spec/http-api.md 1.5).
func (f field) spelled(raw json.RawMessage) json.RawMessage {
	switch {
	case f.isYesNo() && string(raw) == "true":
		return json.RawMessage(`"yes"`)
	case f.isYesNo() && string(raw) == "false":
		return json.RawMessage(`"no"`)
	}
	return raw
}

func (f field) isYesNo() bool {
	return f.Type == reflect.TypeFor[dialplan.YesNo]() || f.Type == reflect.TypeFor[*dialplan.YesNo]()
}

// isEnum reports whether the field is a choice: a string type of its own.
func (f field) isEnum() bool {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.String && (t.PkgPath() != "" || f.Tag.Get("enum") != "")
}

// looseSchema registers T's schema with everything nullable under the name of T
// and a suffix, and refers to it.
func looseSchema[T any](r huma.Registry, suffix string, creating bool) *huma.Schema {
	t := reflect.TypeFor[T]()
	whole := r.Schema(t, true, t.Name())
	name := whole.Ref[strings.LastIndexByte(whole.Ref, '/')+1:] + suffix
	ref := &huma.Schema{Ref: whole.Ref + suffix}
	if r.Map()[name] != nil {
		return ref
	}
	whole = r.SchemaFromRef(whole.Ref)
	loose := &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{},
		Description: "Fields that are not there stay as they are; null puts a field back to its default.",
	}
	if creating {
		loose.Description = "Fields that are not there, or null, take their defaults."
	}
	for _, f := range fieldsOf(t) {
		property := whole.Properties[f.name]
		if property == nil {
			continue
		}
		required := creating && f.Tag.Get("required") == "true"
		loose.Properties[f.name] = looseProperty(property, f, required)
		if required {
			loose.Required = append(loose.Required, f.name)
		}
	}
	r.Map()[name] = loose
	loose.PrecomputeMessages()
	return ref
}

func looseProperty(s *huma.Schema, f field, required bool) *huma.Schema {
	if s.Ref != "" {
		return &huma.Schema{OneOf: []*huma.Schema{s, {Type: "null"}}, Description: s.Description}
	}
	property := *s
	property.ReadOnly = f.readOnly
	property.Nullable = !required
	if len(s.Enum) > 0 {
		property.Enum = append(slices.Clone(s.Enum), "None", nil)
	}
	if property.Minimum != nil && f.Type == reflect.TypeFor[*int64]() {
		property.Minimum = new(float64) // an id of 0 counts as null
	}
	property.PrecomputeMessages()
	if f.isYesNo() {
		return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeBoolean}, &property}, Description: s.Description}
	}
	return &property
}
