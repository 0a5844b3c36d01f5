package cordpair_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// generator draws requests over the document.
type generator struct {
	*rand.Rand
	m     *managed
	d     *document
	pools map[string][]string // known ids by the name of the path's parameter
	there map[string][]thing  // what exists, by the path of the document
	made  int                 // numbers what must be unique
}

// thing is something that was made: its path, and who made it if only that one
// can see it.
type thing struct{ path, as string }

// shot is one request, and what is wrong with it.
type shot struct {
	op                 *operation // nil: the document has no such path
	as, target, values string
	params             map[string]string // of the path
	body, kind         string
	broken             string // how, empty: not on purpose
	place              string // what a 400 has to name
	status             int    // the answer to what is broken, if it gets that far
	likely             bool   // somebody who may asks for something that is there
}

func (s shot) String() string {
	body := s.body
	if len(body) > 500 {
		body = body[:500] + "…"
	}
	return fmt.Sprintf("%s: %s %s %s (%s) %s", s.as, s.op.method, s.target, body, s.kind, s.broken)
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// draw makes the next request.
func (g *generator) draw() shot {
	op := pick(g, g.d.operations...)
	for strings.HasPrefix(op.path, "/oauth/") && !g.chance(10) { // few are let in each second
		op = pick(g, g.d.operations...)
	}
	s := shot{op: op, params: map[string]string{}, kind: "application/json"}
	s.as = pick(g, "client", "client", "client", "client", "platform", "platform", "platform", "dealer", "dealer",
		"callapi", "reader", "group", "group", "extension", "extension", "theirs", "operator", "wrong", "gone", "")
	if s.likely = g.chance(60); s.likely {
		s.as = pick(g, "client", "platform", "operator")
		if strings.HasPrefix(op.path, "/admin/") {
			s.as = pick(g, "platform", "platform", "dealer")
		}
	}
	g.path(&s)
	if last := s.params["extension_id"]; op.method == "DELETE" && (last == fmt.Sprint(g.m.ours.ivr) || last == fmt.Sprint(g.m.theirs.ivr)) {
		return g.draw() // a client with one extension left is not deleted
	}
	g.query(&s)
	if op.Body != nil {
		g.bodyOf(&s)
	}
	s.target += s.values
	return s
}

var oddIDs = []string{"0", "-1", "01", "x", "%20", "99999999999999999999", "@me", "@101", "@102", "@999", "@", "%40me", "1%2f2",
	"..%2f", "%2e%2e", "1.0", "%F0%9F%99%82", "%ff", "1;x", "1'--", "999999"}

// path fills the parameters of the path in.
func (g *generator) path(s *shot) {
	if known := g.there[s.op.path]; len(known) > 0 && s.likely {
		x := pick(g, known...)
		g.name(s, x.path)
		if x.as != "" {
			s.as = x.as
		}
		return
	}
	own := map[string]int64{"client_id": g.m.ours.client, "extension_id": pick(g, g.m.ours.phone, g.m.ours.second), "extension_group_id": g.m.ours.group}
	var parts []string
	for segment := range strings.SplitSeq(s.op.path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			pool := g.pools[name]
			switch {
			case s.likely && own[name] != 0:
				segment = fmt.Sprint(own[name])
			case name == "client_id" && g.chance(40):
				segment = "@me"
			case g.chance(85) && len(pool) > 0:
				segment = pick(g, pool...)
			default:
				segment = pick(g, oddIDs...)
			}
			s.params[name] = segment
		}
		parts = append(parts, segment)
	}
	s.target = strings.Join(parts, "/")
	if g.chance(30) {
		s.target = strings.TrimSuffix(s.target, "/")
	}
}

// name gives a shot the path of something, in whichever of its spellings.
func (g *generator) name(s *shot, path string) {
	s.target = path
	given := strings.Split(path, "/")
	for i, segment := range strings.Split(s.op.path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok && i < len(given) {
			s.params[strings.TrimSuffix(name, "}")] = given[i]
		}
	}
}

// query adds parameters, one of them wrong now and then.
func (g *generator) query(s *shot) {
	var parts []string
	for _, p := range s.op.Parameters {
		if p.In != "query" || !g.chance(20) || s.op.path == "/oauth/token" {
			continue
		}
		value, form := fmt.Sprint(g.value(p.Name, p.Schema, s)), pick(g, "=", "=", "[]=", "[0]=")
		if !slices.Contains(p.Schema.Type, "array") {
			form = "="
		}
		if wrong := wrongQuery(p.Schema); wrong != "" && s.broken == "" && g.chance(20) {
			s.broken, s.place, s.status, value, form = "query", p.Name, 400, wrong, "="
		}
		parts = append(parts, p.Name+form+escaped(value))
	}
	if g.chance(5) {
		parts = append(parts, pick(g, "unheard_of=1", "x=%00", "a=b=c", "=", "id", "%E2%80%AE=1"))
	}
	if s.broken == "" && g.chance(1) {
		parts = append(parts, pick(g, "x=%zz", "%"))
		s.broken, s.status = "escapes", 400
	}
	if len(parts) > 0 {
		s.values = "?" + strings.Join(parts, "&")
	}
}

// escaped is a value as a query holds it.
func escaped(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '.' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// wrongQuery is a value that a parameter cannot have, empty when it takes all.
func wrongQuery(s *schema) string {
	if s.Items != nil {
		s = s.Items
	}
	switch {
	case len(s.Enum) > 0:
		return "no such choice"
	case slices.Contains(s.Type, "integer"):
		return "1.5"
	case s.MaxLength != nil:
		return strings.Repeat("x", *s.MaxLength+1)
	}
	return ""
}

// value draws a value of a schema; name tells what is likely to be taken.
func (g *generator) value(name string, s *schema, of *shot) any {
	s = g.d.resolve(s)
	if len(s.OneOf) > 0 {
		s = g.d.resolve(pick(g, s.OneOf...))
	}
	if slices.Contains(s.Type, "null") && g.chance(12) && !slices.Contains([]string{"login", "password", "name"}, name) {
		return nil
	}
	if len(s.Enum) > 0 {
		return pick(g, s.Enum...)
	}
	if likely := g.likely(name, of); likely != nil {
		return likely
	}
	switch {
	case slices.Contains(s.Type, "object"):
		return g.object(s, of)
	case slices.Contains(s.Type, "array"):
		list := []any{}
		for range g.IntN(3) {
			list = append(list, g.value("", s.Items, of))
		}
		return list
	case slices.Contains(s.Type, "boolean"):
		return g.chance(50)
	case slices.Contains(s.Type, "integer"), slices.Contains(s.Type, "number"):
		low, high := 0.0, 1e6
		if s.Minimum != nil {
			low = *s.Minimum
		}
		if s.Maximum != nil {
			high = *s.Maximum
		}
		return pick(g, int64(low), int64(high), int64(low)+g.Int64N(int64(high-low)+1))
	}
	if of.likely && g.chance(90) {
		return "text"
	}
	return pick(g, "", "text", "<script>alert(1)</script>", "Grüße 🙂", "\u202e", "=1+1", "a\tb", "\x00", "../../etc", strings.Repeat("é", 64))
}

func (g *generator) object(s *schema, of *shot) map[string]any {
	v := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		often := 25
		if property.ReadOnly {
			often = 3
		}
		needed := slices.Contains(s.Required, name) || of.op.method == "POST" && slices.Contains([]string{"login", "password", "name"}, name)
		if of.likely && g.chance(95) && slices.Contains(fixed, name) && !needed {
			continue
		}
		if needed && of.op.method == "POST" || g.chance(often) {
			v[name] = g.value(name, property, of)
		}
	}
	return v
}

// fixed are fields that are what they are, by the documentation, or that name
// what is hardly ever there.
var fixed = []string{"admin", "level", "client_id", "user_id", "extension_id", "extension_group_id", "dealer_id", "id", "create_date", "prefix",
	"domain", "domain_prefix", "extension_len", "access", "type", "assume", "draft", "press"}

// soundly are values that are taken; %d becomes a number that is new.
var soundly = map[string]any{
	"login": "login%d", "password": planted + "%d", "prefix": "", "domain_prefix": "", "timezone": "Europe/Berlin",
	"email": "someone@example.org", "disk_space_notify_email": "", "emergency_numbers": []any{"112"}, "codes": []any{},
	"hold_music": json.Number("0"), "routing_list_id": json.Number("0"), "dial_rule_id": json.Number("0"), "domain_id": json.Number("0"),
	"caller_id_group_id": json.Number("0"), "dealer_id": json.Number("7"), "redirect_urls": []any{"https://app%d.example/back"},
	"language": "pt-BR", "geo_list": "RU US", "id": json.Number("0"), "type": nil, "access": nil,
	"start_datetime": "2026-01-01 00:00:00", "end_datetime": "2030-01-01 00:00:00", "at": "2026-12-25T10:00:00Z", "from": "103", "to": "*43", // 103 is never deleted
	"rate_limit": json.Number("1000000"),
}

// likely is a value that a field of this name may well take, nil for any.
func (g *generator) likely(name string, of *shot) any {
	g.made++
	if sound := soundly[name]; sound != nil && of.likely && g.chance(90) {
		if text, ok := sound.(string); ok {
			return strings.ReplaceAll(text, "%d", fmt.Sprint(g.made))
		}
		return sound
	}
	switch name {
	case "name":
		if strings.HasSuffix(of.op.path, "/extension/") {
			return fmt.Sprint(100 + g.IntN(900))
		}
		return fmt.Sprint("name ", g.made)
	case "login":
		return pick(g, fmt.Sprint("login", g.made), fmt.Sprint("login", g.made), "root", "")
	case "password":
		return pick(g, planted+fmt.Sprint(g.made), planted+fmt.Sprint(g.made), "123456789012", "short")
	case "domain":
		return fmt.Sprintf("c%d.example", g.made)
	case "prefix":
		return pick(g, "", fmt.Sprint(10000+g.IntN(90000)))
	case "domain_prefix":
		return pick(g, "", fmt.Sprint(10000+g.IntN(90000)))
	case "timezone":
		return pick(g, "UTC", "Europe/Berlin", "Mars/Base")
	case "email", "disk_space_notify_email":
		return pick(g, "", "someone@example.org", "no address")
	case "emergency_numbers":
		return pick(g, []any{}, []any{"112"}, []any{"112", "101"})
	case "extension_group_id":
		return json.Number(pick(g, g.pools["extension_group_id"]...))
	case "extension_id":
		return json.Number(pick(g, g.pools["extension_id"]...))
	case "dealer_id":
		return json.Number(pick(g, "7", "7", "9"))
	case "at":
		return "2026-12-25T10:00:00Z"
	case "start_datetime", "end_datetime":
		return pick(g, "2026-01-01 00:00:00", "2030-01-01", "yesterday")
	case "hold_music", "routing_list_id", "dial_rule_id", "domain_id":
		return json.Number("0")
	case "from", "to":
		return pick(g, "101", "102", "*43", "0001*102", "nobody")
	}
	return nil
}
