package cordpair_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// bodyOf draws a body, by the schema or broken in one way.
func (g *generator) bodyOf(s *shot) {
	form, isForm := s.op.Body.Content["application/x-www-form-urlencoded"]
	if isForm {
		g.form(s, form.Schema)
		return
	}
	root := g.d.resolve(s.op.Body.Content["application/json"].Schema)
	v := g.object(root, s)
	text := func() { s.body = object(v).String() }
	if text(); s.broken != "" || !g.chance(40) {
		return
	}
	s.status = 400
	if g.chance(35) {
		g.breakText(s, v)
		return
	}
	g.breakField(s, root, v)
	if s.broken == "" {
		s.status = 0
	}
	if s.broken != "twice" {
		text()
	}
}

// breakText makes something of a body that is not JSON, or not a body.
func (g *generator) breakText(s *shot, v object) {
	s.broken = pick(g, "cut", "utf8", "trailing", "type", "empty", "not an object", "deep", "large")
	switch s.broken {
	case "cut":
		s.body = s.body[:len(s.body)-1]
	case "utf8":
		s.body = "{\"label\":\"\xff\"," + s.body[1:]
	case "trailing":
		s.body += pick(g, "{}", "]", "1", "\x00")
	case "type":
		s.kind, s.status = pick(g, "text/plain", "application/xml", "application/json; charset=latin1", "nonsense;;"), 415
	case "empty":
		s.body = ""
	case "not an object":
		s.body = pick(g, "[]", "1", `"text"`, "null", "NaN", "true", "[{}]")
	case "deep":
		s.body = `{"deep":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}"
	case "large":
		if !g.chance(5) {
			s.broken, s.status = "", 0
			return
		}
		v["label"] = strings.Repeat("x", 1<<20)
		s.body, s.status = v.String(), 413
	}
}

// breakField makes one member wrong, so that the answer has to name it.
func (g *generator) breakField(s *shot, root *schema, v object) {
	names := slices.Sorted(maps.Keys(root.Properties))
	name := pick(g, names...)
	p := g.d.resolve(root.Properties[name])
	s.place = "/" + name
	integer := slices.Contains(p.Type, "integer")
	switch s.broken = pick(g, "type", "null", "missing", "unknown", "case", "twice", "long", "huge", "range", "choice"); {
	case s.broken == "type":
		v[name] = pick[any](g, object{"x": 1}, 1.5, []any{object{}, 1.5})
	case s.broken == "null" && slices.Contains(root.Required, name):
		v[name] = nil
	case s.broken == "missing" && len(root.Required) > 0:
		name = pick(g, root.Required...)
		s.place = "/" + name
		delete(v, name)
	case s.broken == "unknown":
		v["unheard_of"], s.place = 1, "/unheard_of"
	case s.broken == "case":
		other := strings.ToUpper(name)
		v[other], s.place = "x", "/"+other
	case s.broken == "twice":
		delete(v, name)
		first := fmt.Sprintf(`{%q:null,%q:null,`, name, name)
		s.body = strings.TrimSuffix(strings.TrimSuffix(first+v.String()[1:], "}"), ",") + "}"
	case s.broken == "long" && p.MaxLength != nil && len(p.Enum) == 0:
		v[name] = strings.Repeat("x", *p.MaxLength+1)
	case s.broken == "huge" && integer:
		v[name] = json.Number(pick(g, "99999999999999999999", "1e400", "-9223372036854775809", "1e2", "1.0"))
	case s.broken == "range" && integer && p.Maximum != nil:
		v[name] = json.Number(fmt.Sprint(int64(*p.Maximum) + 1))
	case s.broken == "choice" && len(p.Enum) > 0:
		v[name] = "no such choice"
	default:
		s.broken, s.place = "", ""
	}
}

// form draws the form of a token request.
func (g *generator) form(s *shot, _ *schema) {
	s.kind = "application/x-www-form-urlencoded"
	values := map[string]string{
		"grant_type": pick(g, "client_credentials", "password", "refresh_token", "nonsense", ""),
		"client_id":  pick(g, g.m.ours.app, "0123", ""), "client_secret": pick(g, g.m.ours.appSecret, planted, ""),
		"username": pick(g, "root", "nobody"), "password": planted + "for-a-person", "refresh_token": "x", "token": "x",
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if g.chance(80) {
			parts = append(parts, name+"="+escaped(values[name]))
		}
	}
	s.body = strings.Join(parts, "&")
	switch {
	case g.chance(10):
		s.body += "&x=%zz"
	case g.chance(10):
		s.kind = "application/json"
	case g.chance(10):
		s.kind = "multipart/form-data; boundary=x"
	}
}

// oddPath is a path beside those of the document.
func (g *generator) oddPath() string {
	path := pick(g, "/client/1/extension/1", "/client/@me/client/", "/extension/1/phone/", "/user/", "/admin/client/1")
	return pick(g, "//client/1/client", path+"//", strings.Replace(path, "/", "//", 2), path+"/..", "/../.."+path,
		path+"/%2e%2e/", path+"/./", path+"%00", path+"/%2f", path+"/nothing/here", "/client_info/1", "/CLIENT/1/client/",
		"/client/1%2fclient/", "/%2e%2e/%2e%2e/etc/passwd", "/client_api_explorer/../openapi.json", "/client_api_explorer/..%2f..%2fmain.go",
		"/client_api_explorer/%2e%2e/%2e%2e/go.mod", "/openapi.json/x", "/"+strings.Repeat("a/", 200))
}
