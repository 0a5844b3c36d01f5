package dialplan

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordpair/cordpair/dialplan/call"
)

func TestExplain(t *testing.T) {
	rows := testRows()
	rows.Groups = []Group{{ID: 7, ClientID: 1, Name: "Sales"}}
	v := compile(t, rows)
	tests := []struct {
		name, question string
		would          string
		cause          call.Cause
		faults         string // fields, in order
	}{
		{"plain", `{"from":"101","to":"102"}`, StepRing, call.CauseNormal, ""},
		{"full name and separators", `{"from":"0001*101@sip.example.org","to":"1 0-2"}`, StepRing, call.CauseNormal, ""},
		{"a caller that is blocked", `{"from":"105","to":"102"}`, StepReject, call.CauseForbidden, ""},
		{"blocked by the draft", `{"from":"101","to":"102","draft":{"extensions":{"102":{"status":"blocked"}}}}`, StepReject, call.CauseNotFound, ""},
		{"freed by the draft", `{"from":"101","to":"105","draft":{"extensions":{"0001*105":{"status":"active","extension_group_id":7,"phone":{"hangup_timeout":5}}}}}`, StepRing, call.CauseNormal, ""},
		{"code of the draft", `{"from":"101","to":"*9","draft":{"client":{"codes":[{"context":"dialled","pattern":"*9","step":"echo"}]}}}`, StepEcho, call.CauseNormal, ""},
		{"null is the default", `{"from":"101","to":"105","draft":{"extensions":{"105":{"status":null}}}}`, StepRing, call.CauseNormal, ""},
		{"what is fixed, unchanged", `{"from":"101","to":"102","draft":{"client":{"prefix":"0001"},"extensions":{"102":{"id":2,"name":"0001*102","domain":"sip.example.org"}}}}`, StepRing, call.CauseNormal, ""},

		{"nobody", `{"from":"199","to":""}`, "", "", "from to"},
		{"assumptions", `{"from":"101","to":"102","assume":{"102":"asleep","199":"busy","103":"busy","0001*103":"busy","a/b~c":"busy"}}`, "", "", "assume/102 assume/103 assume/199 assume/a~1b~0c"},
		{"draft of nobody", `{"from":"101","to":"102","draft":{"extensions":{"199":{}}}}`, "", "", "draft/extensions/199"},
		{"draft with faults", `{"from":"101","to":"102","draft":{"client":{"status":"asleep"},"extensions":{"102":{"status":"asleep","label":"\u0000"},"103":{"id":4,"nonsense":1,"status":5,"phone":{"hangup_timeout":0,"x":1}}}}}`, "", "",
			"draft/client/status draft/extensions/102/status draft/extensions/102/label draft/extensions/103/id draft/extensions/103/nonsense draft/extensions/103/status draft/extensions/103/phone/x"},
		{"phone out of range", `{"from":"101","to":"102","draft":{"extensions":{"102":{"phone":{"hangup_timeout":0}}}}}`, "", "", "draft/extensions/102/phone/hangup_timeout"},
		{"phone of a queue", `{"from":"101","to":"102","draft":{"extensions":{"106":{"phone":{}}}}}`, "", "", "draft/extensions/106/phone"},
		{"phone that is none", `{"from":"101","to":"102","draft":{"extensions":{"102":{"phone":3}}}}`, "", "", "draft/extensions/102/phone"},
		{"codes that clash", `{"from":"101","to":"102","draft":{"client":{"codes":[{"context":"dialled","pattern":"*43","step":"echo"}]}}}`, "", "", "draft/client/codes"},
		{"an extension that no longer fits", `{"from":"101","to":"102","draft":{"client":{"emergency_numbers":["102"]}}}`, "", "", "draft/client"},
		{"what is fixed", `{"from":"101","to":"102","draft":{"client":{"prefix":"0002","id":2,"extension_len":4}}}`, "", "", "draft/client/extension_len draft/client/id draft/client/prefix"},
		{"group of nobody", `{"from":"101","to":"102","draft":{"extensions":{"102":{"extension_group_id":8}}}}`, "", "", "draft/extensions/102/extension_group_id"},
	}
	before := content(v)
	for _, tt := range tests {
		var q Question
		if err := json.Unmarshal([]byte(tt.question), &q); err != nil {
			t.Fatal(err)
		}
		q.At = someday
		x, err := v.Explain(q, nil)
		if got := strings.Join(fields(err), " "); got != tt.faults {
			t.Errorf("%s: %v", tt.name, err)
		}
		if x.Would != tt.would || x.Cause != tt.cause {
			t.Errorf("%s: would %q, cause %q", tt.name, x.Would, x.Cause)
		}
	}
	if diff := cmp.Diff(before, content(v)); diff != "" {
		t.Errorf("a draft changed the view: %s", diff)
	}
	if _, err := v.Explain(Question{From: "101", To: "102"}, nil); strings.Join(fields(err), " ") != "at" {
		t.Errorf("without a time: %v", err)
	}
}

// TestDraftSharesNothing: what a draft points to is its own.
func TestDraftSharesNothing(t *testing.T) {
	rows := testRows()
	limit := 5
	rows.Extensions[1].Extension.DialRuleLimit = &limit
	v := compile(t, rows)
	limit = 6
	draft := Draft{Extensions: map[string]map[string]any{"102": {"dial_rule_limit": 9.0}}}
	n, err := v.drafted(draft)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := v.Extension(2)
	now, _ := n.Extension(2)
	if *old.Extension.DialRuleLimit != 5 || *now.Extension.DialRuleLimit != 9 {
		t.Errorf("old %d, drafted %d", *old.Extension.DialRuleLimit, *now.Extension.DialRuleLimit)
	}
}
