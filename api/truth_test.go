package api

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/features/feed"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/features/reglog"
	"github.com/cordpair/cordpair/media"
	"github.com/cordpair/cordpair/sip/location"
	"github.com/cordpair/cordpair/store"
)

// everything has every owner, so that every operation is in the document; none of
// them is asked anything.
func everything(c *Config) {
	c.Registrations = noRegistrations{}
	c.Calls, c.Captures = noCalls{}, noCalls{}
	c.History = &history.History{}
	c.RegLog, c.Feed, c.Audit, c.Identity = &reglog.Log{}, &feed.Feed{}, &audit.Log{}, &auth.Authority{}
	c.Explain = func(context.Context, int64, dialplan.Question) (dialplan.Explanation, error) {
		return dialplan.Explanation{}, nil
	}
}

// TestTheDocumentSuitsGenerators looks for what a strict generator of clients
// stumbles over.
func TestTheDocumentSuitsGenerators(t *testing.T) {
	doc := newWorld(t, everything).server.huma.OpenAPI()
	headings, ids := map[string]bool{}, map[string]string{}
	for _, tag := range doc.Tags {
		headings[tag.Name] = false
	}
	for path, item := range doc.Paths {
		for method, op := range methodsOf(item) {
			at := method + " " + path
			if before, twice := ids[op.OperationID]; twice || op.OperationID == "" {
				t.Errorf("%s: operationId %q is that of %s", at, op.OperationID, before)
			}
			ids[op.OperationID] = at
			if len(op.Tags) != 1 {
				t.Fatalf("%s: tags %v", at, op.Tags)
			}
			if _, ok := headings[op.Tags[0]]; !ok {
				t.Errorf("%s: tag %q is not in the list of tags", at, op.Tags[0])
			}
			headings[op.Tags[0]] = true
			for _, fault := range parameterFaults(path, op) {
				t.Errorf("%s: %s", at, fault)
			}
			if op.RequestBody != nil && method == "GET" {
				t.Errorf("%s: a GET with a body", at)
			}
		}
	}
	for name, used := range headings {
		if !used {
			t.Errorf("tag %q has no operation", name)
		}
	}
	for id := range needs {
		if ids[id] == "" {
			t.Errorf("access.go knows %s, which is no operation", id)
		}
	}
}

// parameterFaults are what is wrong with the parameters of an operation.
func parameterFaults(path string, op *huma.Operation) (faults []string) {
	var names []string
	for _, p := range op.Parameters {
		if slices.Contains(names, p.In+" "+p.Name) {
			faults = append(faults, p.Name+" comes twice")
		}
		names = append(names, p.In+" "+p.Name)
		if p.In == "header" && slices.Contains([]string{"authorization", "accept", "content-type"}, strings.ToLower(p.Name)) {
			faults = append(faults, p.Name+" is no parameter in OpenAPI")
		}
		if p.Schema.Nullable {
			faults = append(faults, p.Name+" may be null, which cannot be sent")
		}
		if p.In == "path" && !p.Required {
			faults = append(faults, p.Name+" is in the path and not required")
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok && !slices.Contains(names, "path "+strings.TrimSuffix(name, "}")) {
			faults = append(faults, segment+" is not described")
		}
	}
	return faults
}

// TestSchemasSayWhatIsSent holds answers of nothing but zero values, as empty as
// they come, against the types that the document gives their lists.
func TestSchemasSayWhatIsSent(t *testing.T) {
	w := newWorld(t, everything)
	schemas := w.server.huma.OpenAPI().Components.Schemas
	s := w.server
	for _, v := range []any{
		s.registrationOf(11), callList{Calls: []currentCall{}},
		s.describeLeg(&call.Info{}, &call.LegInfo{}), auth.DefaultApp(), auth.DefaultUser(), dialplan.DefaultClient(),
	} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		parsed, p := parseStrict(text)
		if p != nil {
			t.Fatal(p)
		}
		for name, value := range parsed.(map[string]any) {
			property := schemas.SchemaFromRef(schemas.Schema(reflect.TypeOf(v), true, "").Ref).Properties[name]
			if property == nil {
				t.Errorf("%T: %s is not in the document", v, name)
			} else if value == nil && !property.Nullable && len(property.OneOf) == 0 {
				t.Errorf("%T: %s is null, which the document rules out", v, name)
			}
		}
	}
}

// noRegistrations knows of no phone.
type noRegistrations struct{}

func (noRegistrations) Registrations(int64) ([]location.Binding, bool) { return nil, false }

func (noRegistrations) Unregister(context.Context, int64, string) error { return store.ErrNotFound }

// noCalls is a switch on which nobody talks.
type noCalls struct{}

func (noCalls) Calls(int64) []*call.Info { return nil }

func (noCalls) CallOf(call.LegID) (*call.Info, bool) { return nil, false }

func (noCalls) Capture(context.Context, int64, call.ID) (*media.Capture, error) {
	return nil, store.ErrNotFound
}

func (noCalls) CaptureNext(context.Context, int64, string) (*media.Capture, error) {
	return nil, store.ErrNotFound
}

func (noCalls) HangupLeg(context.Context, call.LegID) error { return store.ErrNotFound }
