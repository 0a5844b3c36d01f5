package cordpair_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// document is the served OpenAPI document as a client reads it, with a checker
// of its own: the switch's is not to judge itself.
type document struct {
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`

	operations []*operation // by path and method
}

// operation is one method of a path.
type operation struct {
	ID         string      `json:"operationId"`
	Parameters []parameter `json:"parameters"`
	Body       *struct {
		Content map[string]media `json:"content"`
	} `json:"requestBody"`
	Responses map[string]response   `json:"responses"`
	Security  []map[string][]string `json:"security"`

	method, path string
}

type parameter struct {
	Name   string  `json:"name"`
	In     string  `json:"in"`
	Schema *schema `json:"schema"`
}

type media struct {
	Schema *schema `json:"schema"`
}

type response struct {
	Content map[string]media `json:"content"`
	Headers map[string]any   `json:"headers"`
}

// schema is as much of JSON Schema as the document uses.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       oneOrMore          `json:"type"`
	Enum       []any              `json:"enum"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Additional json.RawMessage    `json:"additionalProperties"`
	Items      *schema            `json:"items"`
	Minimum    *float64           `json:"minimum"`
	Maximum    *float64           `json:"maximum"`
	MinLength  *int               `json:"minLength"`
	MaxLength  *int               `json:"maxLength"`
	MinItems   *int               `json:"minItems"`
	MaxItems   *int               `json:"maxItems"`
	Pattern    string             `json:"pattern"`
	OneOf      []*schema          `json:"oneOf"`
	ReadOnly   bool               `json:"readOnly"`
}

// oneOrMore is a string or a list of them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*o = make(oneOrMore, 1)
		return json.Unmarshal(b, &(*o)[0])
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// readDocument fetches the document as anybody may.
func readDocument(m *managed) *document {
	m.t.Helper()
	rec := m.send("", "GET", "/openapi.json", "")
	var raw struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	d := &document{}
	if err := json.Unmarshal(rec.Body.Bytes(), &raw); err != nil {
		m.t.Fatal(err)
	}
	for path, item := range raw.Paths {
		for method, text := range item {
			if method == "servers" || method == "parameters" {
				continue
			}
			op := &operation{path: path, method: strings.ToUpper(method)}
			if err := json.Unmarshal(text, op); err != nil {
				m.t.Fatalf("%s %s: %v", method, path, err)
			}
			d.operations = append(d.operations, op)
		}
	}
	var rest struct {
		Components json.RawMessage `json:"components"`
	}
	err := json.Unmarshal(rec.Body.Bytes(), &rest)
	if err == nil {
		err = json.Unmarshal(rest.Components, &d.Components)
	}
	if err != nil || len(d.operations) < 60 {
		m.t.Fatalf("the document has %d operations: %v", len(d.operations), err)
	}
	slices.SortFunc(d.operations, func(a, b *operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return d
}

// at is the operation of another method at a path, nil without.
func (d *document) at(method, path string) *operation {
	for _, op := range d.operations {
		if op.method == method && op.path == path {
			return op
		}
	}
	return nil
}

func (d *document) resolve(s *schema) *schema {
	for s != nil && s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// undocumented says what of an answer the document does not foresee.
func (d *document) undocumented(op *operation, rec *httptest.ResponseRecorder) string {
	r, ok := op.Responses[fmt.Sprint(rec.Code)]
	if !ok || rec.Code >= 500 {
		return "this status is not documented"
	}
	for name := range r.Headers {
		if len(rec.Header()[name]) == 0 && rec.Header().Get(name) == "" { // as documented, or as Go spells it
			return "the documented header " + name + " is missing"
		}
	}
	if len(r.Content) == 0 {
		if rec.Body.Len() > 0 {
			return "a body, and none is documented"
		}
		return ""
	}
	kind := rec.Header().Get("Content-Type")
	short, _, _ := strings.Cut(kind, ";")
	content, ok := r.Content[short]
	if !ok {
		return "the media type " + kind + " is not documented"
	}
	if !strings.HasSuffix(short, "json") {
		return ""
	}
	dec := json.NewDecoder(strings.NewReader(rec.Body.String()))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.More() {
		return fmt.Sprintf("the body is not one JSON value: %v", err)
	}
	return d.fault(content.Schema, v, "")
}

// fault is the first thing of v that does not match a schema, empty without.
func (d *document) fault(s *schema, v any, at string) string {
	if s = d.resolve(s); s == nil {
		return at + ": nothing stands behind the reference"
	}
	if len(s.OneOf) > 0 {
		first := ""
		for _, one := range s.OneOf {
			f := d.fault(one, v, at)
			if f == "" {
				return ""
			}
			first = f
		}
		return first
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e any) bool { return fmt.Sprint(e) == fmt.Sprint(v) }) {
		return fmt.Sprintf("%s: %v is not among %v", at, v, s.Enum)
	}
	if len(s.Type) > 0 && !slices.ContainsFunc(s.Type, func(t string) bool { return isA(t, v) }) {
		return fmt.Sprintf("%s: %.40v is no %v", at, v, s.Type)
	}
	switch v := v.(type) {
	case map[string]any:
		return d.objectFault(s, v, at)
	case []any:
		return d.arrayFault(s, v, at)
	}
	return scalarFault(s, v, at)
}

func isA(kind string, v any) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case json.Number:
		return kind == "number" || kind == "integer" && !strings.ContainsAny(v.String(), ".eE")
	case []any:
		return kind == "array"
	}
	return kind == "object"
}

func (d *document) objectFault(s *schema, v map[string]any, at string) string {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			return at + "/" + name + " is missing"
		}
	}
	for name, value := range v {
		property := s.Properties[name]
		if property == nil && string(s.Additional) == "false" {
			return at + "/" + name + " is not in the schema"
		}
		if property == nil && len(s.Additional) > 0 && s.Additional[0] == '{' {
			property = &schema{}
			if err := json.Unmarshal(s.Additional, property); err != nil {
				return err.Error()
			}
		}
		if property != nil {
			if f := d.fault(property, value, at+"/"+name); f != "" {
				return f
			}
		}
	}
	return ""
}

func (d *document) arrayFault(s *schema, v []any, at string) string {
	if s.MaxItems != nil && len(v) > *s.MaxItems || s.MinItems != nil && len(v) < *s.MinItems {
		return fmt.Sprintf("%s has %d elements", at, len(v))
	}
	if s.Items == nil {
		return ""
	}
	for i, element := range v {
		if f := d.fault(s.Items, element, fmt.Sprintf("%s/%d", at, i)); f != "" {
			return f
		}
	}
	return ""
}

func scalarFault(s *schema, v any, at string) string {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		if err != nil || s.Minimum != nil && f < *s.Minimum || s.Maximum != nil && f > *s.Maximum {
			return fmt.Sprintf("%s: %v is out of range", at, v)
		}
	case string:
		n := utf8.RuneCountInString(v)
		if s.MaxLength != nil && n > *s.MaxLength || s.MinLength != nil && n < *s.MinLength {
			return fmt.Sprintf("%s has %d characters", at, n)
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			return fmt.Sprintf("%s: %q does not match %s", at, v, s.Pattern)
		}
	}
	return ""
}
