package dialplan

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
)

// drafted is v with the draft's rows merged over its own.
func (v *View) drafted(d Draft) (*View, error) {
	var faults FieldErrors
	n, wrong := v.draftClient(d.Client)
	faults = append(faults, wrong...)
	for _, name := range sortedKeys(d.Extensions) {
		var wrong FieldErrors
		n, wrong = n.draftExtension(name, d.Extensions[name])
		faults = append(faults, wrong.under("draft/extensions/"+pointerToken(name))...)
	}
	return n, faults.err()
}

// draftClient returns v itself with the faults.
func (v *View) draftClient(fields map[string]any) (*View, FieldErrors) {
	const at = "draft/client"
	c := v.client.Clone()
	if wrong := merge(&c, DefaultClient(), fields, "prefix", "extension_len", "domain"); wrong != nil {
		return v, wrong.under(at)
	}
	n, err := v.WithClient(c)
	if err == nil {
		return n, nil
	}
	var wrong FieldErrors
	var row *RowError
	errors.As(err, &row)
	switch {
	case errors.Is(err, ErrCodeClash):
		return v, FieldErrors{{at + "/codes", err.Error()}}
	case !strings.HasPrefix(row.Row, "client ") || !errors.As(err, &wrong):
		return v, FieldErrors{{at, err.Error()}} // an extension that does not fit any more
	}
	return v, wrong.under(at)
}

// draftExtension returns v itself with the faults.
func (v *View) draftExtension(name string, fields map[string]any) (*View, FieldErrors) {
	row, ok := v.Lookup(name)
	if !ok {
		return v, FieldErrors{{"", "there is no such extension"}}
	}
	row.Extension = row.Extension.Clone()
	var phone FieldErrors
	own := make(map[string]any, len(fields))
	for field, value := range fields {
		members, isObject := value.(map[string]any)
		switch {
		case field != "phone":
			own[field] = value
		case row.Extension.Type != TypePhone || !isObject:
			phone = FieldErrors{{"", "must be an object, of an extension of type phone"}}
		default:
			phone = merge(&row.Phone, DefaultPhone(), members)
		}
	}
	if wrong, ok := row.Phone.Validate().(FieldErrors); ok && phone == nil {
		phone = wrong
	}
	faults := append(merge(&row.Extension, DefaultExtension(), own, "name", "type"), phone.under("phone")...)
	if faults != nil {
		return v, faults
	}
	n, err := v.WithExtension(row)
	if errors.As(err, &faults) {
		return v, faults
	}
	return n, nil
}

// under puts the faults of a row at its place in the request.
func (e FieldErrors) under(place string) FieldErrors {
	out := slices.Clone(e)
	for i := range out {
		out[i].Field = strings.TrimSuffix(place+"/"+out[i].Field, "/")
	}
	return out
}

// merge sets the fields of a resource that are named; null is the default. A
// field with the tag readonly, or in fixed, may be named with the value it has.
// With faults to is half merged.
func merge[T any](to *T, defaults T, fields map[string]any, fixed ...string) FieldErrors {
	var e FieldErrors
	members := membersOf(reflect.TypeFor[T]())
	for _, name := range sortedKeys(fields) {
		member, ok := members[name]
		if !ok {
			e.check(false, name, "there is no such field")
			continue
		}
		field := reflect.ValueOf(to).Elem().FieldByIndex(member.Index)
		given := reflect.New(member.Type).Elem()
		raw, err := json.Marshal(fields[name])
		if string(raw) == "null" {
			given.Set(reflect.ValueOf(defaults).FieldByIndex(member.Index))
		} else if err == nil {
			err = json.Unmarshal(raw, given.Addr().Interface())
		}
		e.check(err == nil, name, "has a wrong value")
		if member.Tag.Get("readonly") == "true" || slices.Contains(fixed, name) {
			e.check(err != nil || sameJSON(field, given), name, "cannot be changed")
		} else if err == nil {
			field.Set(given)
		}
	}
	return e
}

// membersOf are the fields of a resource by their JSON names.
func membersOf(t reflect.Type) map[string]reflect.StructField {
	members := make(map[string]reflect.StructField, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		members[name] = f
	}
	return members
}

// sameJSON compares as the API shows it. Fields of resources always marshal.
func sameJSON(a, b reflect.Value) bool {
	x, _ := json.Marshal(a.Interface())
	y, _ := json.Marshal(b.Interface())
	return bytes.Equal(x, y)
}
