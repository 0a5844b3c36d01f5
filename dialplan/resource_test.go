package dialplan

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fields are the names of the fields err complains about.
func fields(err error) []string {
	var names []string
	var fe FieldErrors
	if errors.As(err, &fe) {
		for _, f := range fe {
			names = append(names, f.Field)
		}
	}
	return names
}

func TestClientValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Client)
		want   []string
	}{
		{"default", func(*Client) {}, nil},
		{"no name", func(c *Client) { c.Name = "" }, []string{"name"}},
		{"name with a line break", func(c *Client) { c.Name = "a\r\nb" }, []string{"name"}},
		{"name not UTF-8", func(c *Client) { c.Name = "\xff" }, []string{"name"}},
		{"long name", func(c *Client) { c.Name = strings.Repeat("x", 129) }, []string{"name"}},
		{"short prefix", func(c *Client) { c.Prefix = "01" }, []string{"prefix"}},
		{"prefix with a letter", func(c *Client) { c.Prefix = "00a1" }, []string{"prefix"}},
		{"no domain", func(c *Client) { c.Domain = "" }, []string{"domain"}},
		{"domain in upper case", func(c *Client) { c.Domain = "Example.org" }, []string{"domain"}},
		{"domain with a port", func(c *Client) { c.Domain = "example.org:5060" }, []string{"domain"}},
		{"domain with an empty label", func(c *Client) { c.Domain = "a..b" }, []string{"domain"}},
		{"domain with a hyphen outside", func(c *Client) { c.Domain = "-a.b" }, []string{"domain"}},
		{"long domain", func(c *Client) { c.Domain = strings.Repeat("a.", 127) + "a" }, []string{"domain"}},
		{"no domain prefix", func(c *Client) { c.DomainPrefix = "" }, nil},
		{"short domain prefix", func(c *Client) { c.DomainPrefix = "1234" }, []string{"domain_prefix"}},
		{"extension length", func(c *Client) { c.ExtensionLen = 5 }, []string{"extension_len"}},
		{"status", func(c *Client) { c.Status = "" }, []string{"status"}},
		{"zone", func(c *Client) { c.Timezone = "Mars/Olympus" }, []string{"timezone"}},
		{"zone of the machine", func(c *Client) { c.Timezone = "Local" }, []string{"timezone"}},
		{"no emergency numbers", func(c *Client) { c.EmergencyNumbers = nil }, nil},
		{"emergency numbers", func(c *Client) { c.EmergencyNumbers = []string{"112", "x", "1"} },
			[]string{"emergency_numbers", "emergency_numbers"}},
		{"too many emergency numbers", func(c *Client) { c.EmergencyNumbers = slices.Repeat([]string{"112"}, 17) },
			[]string{"emergency_numbers"}},
		{"code", func(c *Client) { c.Codes = []Code{{ContextDialled, "43", StepEcho}} }, []string{"codes"}},
		{"everything", func(c *Client) {
			five, yes, mp3 := 5, Yes, FormatMP3
			dealer := int64(3)
			c.DealerID, c.Type, c.Language, c.Email, c.Presence = &dealer, TypePerson, "pt-BR", "a@example.org", Yes
			c.FactAddress, c.ExtraParams, c.GeoList = "1 Long Street\nTown", `{"a":1}`, "RU US BY"
			c.SBCMode, c.RecordFormat, c.RecordStereo = &yes, &mp3, &yes
			c.DiskSpaceNotifyEmail, c.DiskSpaceNotifyThreshold = "b@example.org", &five
		}, nil},
		{"people", func(c *Client) {
			c.Email, c.Ambassadors, c.ContactPhones = "Bob <a@example.org>", "\x1b", "\xff"
			c.FactAddress, c.JurAddress = strings.Repeat("x", 1025), "\x00"
			c.ExtraParams = strings.Repeat("x", 16<<10+1)
		}, []string{"email", "ambassadors", "contact_phones", "fact_address", "jur_address", "extra_params"}},
		{"choices", func(c *Client) {
			none, zero := YesNo(""), 0
			ogg := RecordFormat("ogg")
			c.Type, c.Language, c.Presence, c.GeoList = "X", "e_n", "maybe", "ru"
			c.SBCMode, c.RecordFormat, c.RecordStereo, c.DiskSpaceNotifyThreshold = &none, &ogg, &none, &zero
			c.DiskSpaceNotifyEmail = "x"
		}, []string{
			"type", "language", "presence", "sbc_mode", "geo_list", "record_format", "record_stereo",
			"disk_space_notify_email", "disk_space_notify_threshold",
		}},
		{"what is not there", func(c *Client) {
			id, number := int64(1), "12025550123"
			c.DomainID, c.RoutingListID, c.DialRuleID, c.HoldMusic, c.DIDAsTransferCallerID = &id, &id, &id, &id, &number
		}, []string{"domain_id", "routing_list_id", "dial_rule_id", "did_as_transfer_caller_id", "hold_music"}},
		{"too many codes", func(c *Client) { c.Codes = slices.Repeat([]Code{{ContextDialled, "*1", StepEcho}}, 101) },
			[]string{"codes"}},
	}
	for _, tt := range tests {
		c := testClient()
		tt.change(&c)
		err := c.Validate()
		if diff := cmp.Diff(tt.want, fields(err)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if len(tt.want) > 0 && !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v is not ErrInvalid", tt.name, err)
		}
	}
}

func TestExtensionValidate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Extension)
		want   []string
	}{
		{"default", func(*Extension) {}, nil},
		{"no id", func(x *Extension) { x.ID = 0 }, []string{"id"}},
		{"no client", func(x *Extension) { x.ClientID = 0 }, []string{"client_id"}},
		{"type", func(x *Extension) { x.Type = "door" }, []string{"type"}},
		{"status", func(x *Extension) { x.Status = "asleep" }, []string{"status"}},
		{"bare name", func(x *Extension) { x.Name = "101" }, []string{"name"}},
		{"absolute name", func(x *Extension) { x.Name = "12345*0001*101" }, []string{"name"}},
		{"name with a letter", func(x *Extension) { x.Name = "0001*10a" }, []string{"name"}},
		{"label", func(x *Extension) { x.Label = "a\x00" }, []string{"label"}},
		{"caller name", func(x *Extension) { x.CallerIDName = "a\n" }, []string{"caller_id_name"}},
		{"everything", func(x *Extension) {
			limit, group := 0, int64(4)
			x.DialRuleLimit, x.GroupID, x.ANIRFC3325, x.ExtraParams = &limit, &group, true, "null"
		}, nil},
		{"out of range", func(x *Extension) {
			limit, group := -1, int64(0)
			x.DialRuleLimit, x.GroupID, x.ExtraParams = &limit, &group, "\x00"
		}, []string{"extension_group_id", "extra_params", "dial_rule_limit"}},
		{"what is not there", func(x *Extension) {
			id, number := int64(1), "12025550123"
			x.DialRuleID, x.CallerIDGroupID = &id, &id
			x.DIDAsTransferCallerID, x.MessageDID, x.PublicCallerID = &number, &number, &number
		}, []string{"dial_rule_id", "did_as_transfer_caller_id", "message_did", "caller_id_group_id", "client_public_caller_id_number"}},
		{"nothing at all", func(x *Extension) { *x = Extension{} }, []string{"id", "client_id", "type", "status", "name"}},
	}
	for _, tt := range tests {
		x := row(1, "101").Extension
		tt.change(&x)
		if diff := cmp.Diff(tt.want, fields(x.Validate())); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestPhoneValidate(t *testing.T) {
	tests := []struct {
		phone Phone
		want  []string
	}{
		{DefaultPhone(), nil},
		{Phone{HangupTimeout: 1}, nil},
		{Phone{HangupTimeout: 600}, nil},
		{Phone{}, []string{"hangup_timeout"}},
		{Phone{HangupTimeout: 601, Label: "\x7f"}, []string{"label", "hangup_timeout"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, fields(tt.phone.Validate())); diff != "" {
			t.Errorf("%+v: %s", tt.phone, diff)
		}
	}
}

// TestJSONNames holds the names the API promises (spec/http-api.md 2.10, 2.16, 5.2).
func TestJSONNames(t *testing.T) {
	tests := []struct {
		value any
		want  []string
	}{
		{Client{}, []string{
			"ambassadors", "codes", "contact_phones", "create_date", "dealer_id", "dial_rule_id", "did_as_transfer_caller_id",
			"disk_space_notify_email", "disk_space_notify_threshold", "domain", "domain_id", "domain_prefix", "email",
			"emergency_numbers", "extension_len", "extra_params", "fact_address", "geo_list", "hold_music", "id", "jur_address",
			"language", "name", "prefix", "presence", "record_format", "record_stereo", "reg_status_log", "routing_list_id",
			"sbc_mode", "status", "timezone", "type",
		}},
		{Extension{}, []string{
			"ani_rfc3325", "caller_id_group_id", "caller_id_name", "client_id", "client_public_caller_id_number", "create_date",
			"dial_rule_id", "dial_rule_limit", "did_as_transfer_caller_id", "domain", "extension_group_id", "extra_params", "id",
			"label", "message_did", "name", "status", "type",
		}},
		{Group{}, []string{"client_id", "extra_params", "id", "name"}},
		{Phone{}, []string{"hangup_timeout", "label"}},
	}
	for _, tt := range tests {
		b, err := json.Marshal(tt.value)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		var got []string
		for name := range m {
			got = append(got, name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%T: %s", tt.value, diff)
		}
	}
}

// TestResourcesAreDocumented: the API's document lives from these tags.
func TestResourcesAreDocumented(t *testing.T) {
	for _, r := range []any{Client{}, Extension{}, Phone{}, Group{}, Code{}, Question{}, Draft{}} {
		for f := range reflect.TypeOf(r).Fields() {
			if f.Tag.Get("doc") == "" || f.Tag.Get("json") == "" {
				t.Errorf("%T.%s has no doc or json tag", r, f.Name)
			}
		}
	}
}

// TestClonesShareNothing edits what a clone of a full row points to.
func TestClonesShareNothing(t *testing.T) {
	c, x := filled[Client](t), filled[Extension](t)
	shared(t, reflect.ValueOf(c), reflect.ValueOf(c.Clone()))
	shared(t, reflect.ValueOf(x), reflect.ValueOf(x.Clone()))
}

// filled is a T whose pointers and lists all point to something.
func filled[T any](t *testing.T) (row T) {
	t.Helper()
	v := reflect.ValueOf(&row).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
	}
	return row
}

// shared reports fields that point to the same thing, or do not hold the same.
func shared(t *testing.T, a, b reflect.Value) {
	t.Helper()
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		if k := a.Field(i).Kind(); (k == reflect.Pointer || k == reflect.Slice) && a.Field(i).Pointer() == b.Field(i).Pointer() {
			t.Errorf("%s.%s is shared", a.Type(), name)
		}
	}
	if diff := cmp.Diff(a.Interface(), b.Interface()); diff != "" {
		t.Error(diff)
	}
}
