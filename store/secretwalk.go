package store

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Secrets are left out of a row's JSON and stored beside it under their path:
// "password", "accounts.2.password", "by_name.bob". A path is made of JSON
// names, so that fields may be added around it.

var (
	secretType  = reflect.TypeFor[Secret]()
	marshalJSON = reflect.TypeFor[json.Marshaler]()
	marshalText = reflect.TypeFor[encoding.TextMarshaler]()
)

// holdsSecret reports whether a value of type t can hold a Secret. It panics if
// one lies where the JSON of t would not let it be found again.
func holdsSecret(t reflect.Type) bool { return findSecret(t, make(map[reflect.Type]bool)) }

func findSecret(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == secretType {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	found := false
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		found = findSecret(t.Elem(), seen)
	case reflect.Map:
		found = findSecret(t.Elem(), seen)
		if findSecret(t.Key(), seen) || found && t.Key().Kind() != reflect.String {
			panic(fmt.Sprintf("store: secret in %s, whose keys are not strings", t))
		}
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if _, ok := jsonName(f); ok && findSecret(f.Type, seen) {
				found = true
			}
		}
	}
	if found && t.Name() != "" && (reflect.PointerTo(t).Implements(marshalJSON) || reflect.PointerTo(t).Implements(marshalText)) {
		panic(fmt.Sprintf("store: %s marshals itself and would lose its secret", t))
	}
	return found
}

// jsonName is the path element of a field; an embedded struct has none. ok is
// false if encoding/json leaves the field out.
func jsonName(f reflect.StructField) (name string, ok bool) {
	tag := f.Tag.Get("json")
	if tag == "-" || !f.IsExported() && !f.Anonymous {
		return "", false
	}
	name, _, _ = strings.Cut(tag, ",")
	if name == "" && !f.Anonymous {
		name = f.Name
	}
	return name, true
}

// takeSecrets collects the secrets of v that are not empty.
func takeSecrets(v reflect.Value) map[string]string {
	found := make(map[string]string)
	walkSecrets(v, "", func(path string, s string) string {
		if s != "" {
			found[path] = s
		}
		return s
	})
	return found
}

// putSecrets sets the secrets of v to those found under their paths.
func putSecrets(v reflect.Value, found map[string]string) {
	walkSecrets(v, "", func(path string, _ string) string { return found[path] })
}

// walkSecrets replaces every secret below v by what fn makes of it.
func walkSecrets(v reflect.Value, path string, fn func(path, s string) string) {
	if v.Type() == secretType {
		if is := fn(path, v.String()); v.CanSet() {
			v.SetString(is)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walkSecrets(v.Elem(), path, fn)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walkSecrets(v.Index(i), path+"."+strconv.Itoa(i), fn)
		}
	case reflect.Map:
		walkMap(v, path, fn)
	case reflect.Struct:
		for i := range v.NumField() {
			name, ok := jsonName(v.Type().Field(i))
			if !ok {
				continue
			}
			if name != "" {
				name = path + "." + name
			} else {
				name = path
			}
			walkSecrets(v.Field(i), name, fn)
		}
	}
}

// walkMap walks copies of a map's values, which cannot be set in place.
func walkMap(v reflect.Value, path string, fn func(path, s string) string) {
	if v.Type().Key().Kind() != reflect.String || !holdsSecret(v.Type().Elem()) {
		return
	}
	for _, k := range v.MapKeys() {
		is := reflect.New(v.Type().Elem()).Elem()
		is.Set(v.MapIndex(k))
		walkSecrets(is, path+"."+strconv.Quote(k.String()), fn)
		v.SetMapIndex(k, is)
	}
}
