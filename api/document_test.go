package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"pgregory.net/rapid"
)

func methodsOf(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete}
	for method, op := range all {
		if op == nil {
			delete(all, method)
		}
	}
	return all
}

// TestDocumentNamesEveryRoute compares the mux with the document, both ways.
func TestDocumentNamesEveryRoute(t *testing.T) {
	s := newWorld(t).server
	documented := map[string]bool{}
	for path, item := range s.huma.OpenAPI().Paths {
		for method, op := range methodsOf(item) {
			full := Base + path
			if op.Metadata["operation"].(operation).Root {
				full = path
			}
			documented[method+" "+strings.TrimSuffix(full, "/")] = true
		}
	}
	for path, methods := range s.routes {
		for _, method := range methods {
			if !documented[method+" "+path] && !strings.Contains(path, "/openapi.") && !strings.Contains(path, "client_api_explorer") {
				t.Errorf("%s %s is not in the document", method, path)
			}
			delete(documented, method+" "+path)
		}
	}
	for route := range documented {
		t.Errorf("%s is in the document only", route)
	}
}

func TestDocumentIsServed(t *testing.T) {
	w := newWorld(t)
	doc := w.ok(200, "GET", "/openapi.json", "", "")
	if doc["openapi"] != "3.1.0" || len(doc["paths"].(map[string]any)) == 0 {
		t.Errorf("%v", doc["openapi"])
	}
	text, _ := json.Marshal(doc)
	for _, unwanted := range []string{"$schema", "ErrorModel", "additionalProperties\":true"} {
		if strings.Contains(string(text), unwanted) {
			t.Errorf("the document holds %s", unwanted)
		}
	}
	if rec := w.do("GET", "/openapi.yaml", "", ""); rec.Code != 200 || !strings.HasPrefix(rec.Body.String(), "components:") {
		t.Errorf("yaml: %d %.40s", rec.Code, rec.Body)
	}
	for ref := range strings.SplitSeq(string(text), `"$ref":"`) {
		name, _, _ := strings.Cut(strings.TrimPrefix(ref, "#/components/schemas/"), `"`)
		if strings.HasPrefix(ref, "#/") && w.server.huma.OpenAPI().Components.Schemas.Map()[name] == nil {
			t.Errorf("nothing stands behind %s", name)
		}
	}
}

// TestAnswersAreDocumented sends generated requests, sound and broken, over the
// whole document: no 5xx, and no status or body outside of it (H1).
func TestAnswersAreDocumented(t *testing.T) {
	w := newWorld(t)
	paths := w.server.huma.OpenAPI().Paths
	var routes []string
	for path, item := range paths {
		for method := range methodsOf(item) {
			routes = append(routes, method+" "+path)
		}
	}
	slices.Sort(routes)
	names := []string{"platform", "platform", "client", "client", "client", "other", "extension", "reader", "callapi", "wrong", ""}
	rapid.Check(t, func(t *rapid.T) {
		method, path, _ := strings.Cut(rapid.SampledFrom(routes).Draw(t, "route"), " ")
		op := methodsOf(paths[path])[method]
		body := ""
		if op.RequestBody != nil {
			body = genBody(t, w.server, op)
		}
		target := fillPath(t, path) + genQuery(t, op)
		r := request(method, target, rapid.SampledFrom(names).Draw(t, "token"), body)
		rec := httptest.NewRecorder()
		w.server.ServeHTTP(rec, r)
		if fault := undocumented(w.server, op, rec); fault != "" {
			t.Fatalf("%s %s %s\n%d %s\n%s", method, target, body, rec.Code, rec.Body, fault)
		}
		if method == "DELETE" && rec.Code == 204 {
			restore(w)
		}
	})
}

// undocumented says what of an answer the document does not foresee.
func undocumented(s *Server, op *huma.Operation, rec *httptest.ResponseRecorder) string {
	response := op.Responses[fmt.Sprint(rec.Code)]
	if response == nil || rec.Code >= 500 {
		return "this status is not documented"
	}
	if rec.Code == 204 {
		if rec.Body.Len() > 0 {
			return "204 with a body"
		}
		return ""
	}
	media := response.Content[rec.Header().Get("Content-Type")]
	if media == nil {
		return "this media type is not documented"
	}
	v, p := parseStrict(rec.Body.Bytes())
	if p != nil {
		return p.Message
	}
	c := checker{schemas: s.huma.OpenAPI().Components.Schemas}
	if c.check(media.Schema, v, ""); len(c.faults) > 0 {
		return fmt.Sprint(c.faults)
	}
	return ""
}

func fillPath(t *rapid.T, path string) string {
	odd := []string{"2", "21", "200", "0", "x", "%20", "99999999999999999999", "@me", "@101"}
	own := map[string][]string{"{client_id}": {"1", "@me"}, "{extension_id}": {"11", "12"}, "{extension_group_id}": {"100"}}
	var parts []string
	for segment := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(segment, "{") {
			if known := own[segment]; known != nil && rapid.IntRange(0, 4).Draw(t, "own") > 0 {
				segment = rapid.SampledFrom(known).Draw(t, segment)
			} else {
				segment = rapid.SampledFrom(odd).Draw(t, segment)
			}
		}
		parts = append(parts, segment)
	}
	return strings.Join(parts, "/")
}

func genQuery(t *rapid.T, op *huma.Operation) string {
	var parts []string
	for _, p := range op.Parameters {
		if p.In == "query" && rapid.IntRange(0, 3).Draw(t, p.Name) == 0 {
			value := rapid.SampledFrom([]string{"1", "2", "0", "-1", "x", "", "1000", "asc", "phone", "%ff", "1.5"}).Draw(t, "value")
			parts = append(parts, p.Name+rapid.SampledFrom([]string{"=", "[]=", "[0]="}).Draw(t, "form")+value)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "?" + strings.Join(parts, "&")
}

// genBody draws a body near the schema, and now and then breaks it.
func genBody(t *rapid.T, s *Server, op *huma.Operation) string {
	b, _ := json.Marshal(genValue(t, s, op.RequestBody.Content["application/json"].Schema, 0))
	if rapid.IntRange(0, 9).Draw(t, "break") == 0 && len(b) > 0 {
		i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		b[i] = rapid.Byte().Draw(t, "byte")
	}
	return string(b)
}

func genValue(t *rapid.T, s *Server, schema *huma.Schema, depth int) any {
	for schema.Ref != "" {
		schema = s.huma.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	if len(schema.OneOf) > 0 {
		return genValue(t, s, schema.OneOf[0], depth)
	}
	if rapid.IntRange(0, 79).Draw(t, "odd") == 0 {
		return rapid.SampledFrom([]any{nil, 0, 1.5, "None", true, []any{}, map[string]any{}, -1, "0"}).Draw(t, "value")
	}
	switch schema.Type {
	case huma.TypeObject:
		m := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if slices.Contains(schema.Required, name) || rapid.IntRange(0, 3).Draw(t, name) == 0 {
				m[name] = genValue(t, s, schema.Properties[name], depth+1)
			}
		}
		return m
	case huma.TypeArray:
		var list []any
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			list = append(list, genValue(t, s, schema.Items, depth+1))
		}
		return list
	case huma.TypeInteger:
		return rapid.SampledFrom([]int64{0, 1, 2, 3, 11, 60, 100, -5, 1 << 62}).Draw(t, "int")
	case huma.TypeBoolean:
		return rapid.Bool().Draw(t, "bool")
	}
	if len(schema.Enum) > 0 {
		return rapid.SampledFrom(schema.Enum).Draw(t, "enum")
	}
	return rapid.SampledFrom([]string{"", "a", "101", "0003", "0001*104", "phone", "active", "UTC", "c9.example.test",
		"<script>", "\u202e", "\x00", "🙂"}).Draw(t, "string")
}
