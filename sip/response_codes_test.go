package sip_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// responseCodes are all status codes of RFC 3261 section 21 and of the RFCs that
// extend it: the test that shows when we send one, or why we never do. A test with a
// slash is of that package below this one.
var responseCodes = map[int]struct{ test, never string }{
	100: {test: "TestTransactions"},
	180: {test: "TestKeepRinging"},
	181: {test: "TestDiverted"},
	182: {never: "a queue answers its callers and speaks to them"},
	183: {test: "TestReliableRinging"},
	199: {never: "RFC 6228: one early dialog towards the caller, whatever forks behind it"},
	200: {test: "TestCancel"},
	202: {test: "TestTexts"},
	204: {never: "RFC 5839 is not spoken"},
	300: {never: "a B2BUA calls where a call is to go, it sends nobody away"},
	301: {never: "as 300"},
	302: {never: "as 300"},
	305: {never: "as 300"},
	380: {never: "as 300"},
	400: {test: "TestContacts"},
	401: {test: "TestNonces"},
	402: {never: "reserved"},
	403: {test: "TestRegisterOnlyOneself"},
	404: {test: "TestRefusedInviteIsRepeated"},
	405: {test: "TestRepeatedAnswersAreTheSame"},
	406: {test: "TestSubscribeAnswers"},
	407: {test: "TestNobodyWithoutCredentials"},
	408: {never: "a time-out at one leg is 480 at the other; to anything but INVITE RFC 4320 forbids it"},
	410: {never: "what is gone is not told from what never was (A3)"},
	412: {test: "TestPublishAnswers"},
	413: {test: "TestInfoRelay"},
	414: {never: "a line that is too long is 400 with the header's name (S3)"},
	415: {test: "wire/TestValidateBodies"},
	416: {test: "wire/TestRFC4475"},
	417: {never: "RFC 4412: no resource priority"},
	420: {test: "TestSubscribeAnswers"},
	421: {never: "no extension is ever asked of a phone"},
	422: {test: "TestSessionTimerAnswered"},
	423: {test: "TestRegistrar"},
	424: {never: "RFC 6442: no location"},
	428: {never: "RFC 8224: no signed identity"},
	429: {never: "RFC 3892: Referred-By is not asked for"},
	430: {never: "RFC 5626: for edge proxies"},
	433: {never: "RFC 5079: anonymous calls are a rule of the dial plan, which says 403"},
	436: {never: "as 428"},
	437: {never: "as 428"},
	438: {never: "as 428"},
	439: {never: "RFC 5626: outbound is not asked for by an edge"},
	440: {never: "RFC 5393: forks are capped before their breadth is spent"},
	469: {test: "TestInfoRelay"},
	470: {never: "RFC 5360: no consent framework"},
	480: {test: "TestUnansweredInvite"},
	481: {test: "TestInDialogOrder"},
	482: {test: "TestMergedRequest"},
	483: {test: "wire/TestRFC4475"},
	484: {test: "TestRepeatedAnswersAreTheSame"},
	485: {never: "a number has one owner"},
	486: {test: "TestReasonOfRefusal"},
	487: {test: "TestCancel"},
	488: {test: "TestReinviteRules"},
	489: {test: "TestSubscribeAnswers"},
	491: {test: "TestGlare"},
	493: {never: "S/MIME bodies are 415"},
	494: {never: "RFC 3329: no security agreement"},
	500: {test: "TestInDialogOrder"},
	501: {test: "TestMethodsAreCaseSensitive"},
	502: {never: "a trunk's failure is 480 or 500 to the caller (O6)"},
	503: {test: "TestFullLanes"},
	504: {test: "TestReliableUnacknowledged"},
	505: {test: "wire/TestRFC4475"},
	513: {test: "wire/TestTooLargeMessage"},
	555: {never: "RFC 8599: no push"},
	580: {never: "RFC 3312: no preconditions"},
	600: {never: "nobody knows that a number is busy everywhere"},
	603: {test: "TestReasonOfRefusal"},
	604: {never: "404 says so, and other branches may know"},
	606: {never: "as 604, with 488"},
	607: {never: "RFC 8197: unwanted calls are the dial plan's, which says 403"},
	608: {never: "as 607"},
}

// TestResponseCodes: the table knows what the code can send, the code can send what
// the table says, and each has its test.
func TestResponseCodes(t *testing.T) {
	sent := map[int]string{}
	for _, dir := range []string{".", "wire", "event", "pager"} {
		sentIn(t, dir, sent)
	}
	for code, at := range sent {
		if responseCodes[code].test == "" {
			t.Errorf("%s sends %d: the table does not know", at, code)
		}
	}
	known := map[string]map[string]bool{}
	for code, row := range responseCodes {
		dir, name, found := strings.Cut(row.test, "/")
		if !found {
			dir, name = ".", row.test
		}
		if known[dir] == nil {
			known[dir] = testsIn(t, dir)
		}
		switch {
		case (row.test == "") == (row.never == ""):
			t.Errorf("%d: sent or not?", code)
		case row.test == "":
		case sent[code] == "":
			t.Errorf("%d: nothing sends it", code)
		case !known[dir][name]:
			t.Errorf("%d: there is no %s", code, row.test)
		}
	}
}

// sentIn finds the statuses of a folder: a number beside a phrase, in a call or in a
// row of a table.
func sentIn(t *testing.T, dir string, sent map[int]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				beside(n.Args, set, sent)
			case *ast.CompositeLit:
				beside(n.Elts, set, sent)
			case *ast.AssignStmt:
				beside(n.Rhs, set, sent)
			case *ast.ReturnStmt:
				beside(n.Results, set, sent)
			}
			return true
		})
	}
}

func beside(list []ast.Expr, set *token.FileSet, sent map[int]string) {
	for i := 0; i+1 < len(list); i++ {
		number, ok := list[i].(*ast.BasicLit)
		if !ok || number.Kind != token.INT || !isPhrase(list[i+1]) {
			continue
		}
		if code, err := strconv.Atoi(number.Value); err == nil && code >= 100 && code < 700 {
			sent[code] = set.Position(number.Pos()).String()
		}
	}
}

// isPhrase: a text that begins with a capital letter, perhaps with more behind it.
func isPhrase(e ast.Expr) bool {
	if sum, ok := e.(*ast.BinaryExpr); ok {
		return isPhrase(sum.X)
	}
	text, ok := e.(*ast.BasicLit)
	return ok && text.Kind == token.STRING && len(text.Value) > 2 && text.Value[1] >= 'A' && text.Value[1] <= 'Z'
}
