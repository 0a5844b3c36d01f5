package sip_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// requirements says which test holds each requirement on SIP input and
// authentication that binds here. A name with a slash is a test of that
// package, a path from this one.
var requirements = map[string][]string{
	"S1": {"TestPanicIsSurvived", "TestCorpus", "TestWheelSurvivesPanic"},
	"S2": {"TestCorpus", "wire/TestRFC4475"},
	"S3": {"TestCorpus", "TestMissingHeaders"},
	"S4": {"TestCorpus", "wire/TestRFC5118"},
	"S5": {"wire/TestTooLargeMessage", "TestTooManyConnections"},
	"S6": {"wire/TestRFC4475", "wire/TestExpires"},
	"S7": {"wire/TestFramer", "wire/TestFramerFaultIsAnsweredOnce"},
	"S8": {"TestSlowStreams", "TestTooManyConnections"},
	"S9": {
		"TestRepeatedRegister", "TestRepeatedAnswersAreTheSame", "TestMergedRequest", "TestByeBeforeACK", "TestReinviteRules", "TestKept", "TestTransactions",
		"TestTextRepeated", "TestPublishAnswers",
	},
	"S10": {"TestInDialogOrder", "TestForeignFlow", "TestCancel"},
	"S11": {"TestAnswersGoBackToTheSource", "TestStrayResponses"},
	"S12": {"TestAmplification", "TestRefusalsAreBounded"},
	"S13": {"TestDivertedForEver", "TestTooManyForks"},
	"S14": {"TestContacts", "TestRequestsUseTheFlow"},
	"S15": {"TestControlCharacters", "TestRefusalLog"},

	"A1":  {"TestNobodyWithoutCredentials"},
	"A2":  {"TestOptionsSaysNothingOfUs"},
	"A3":  {"TestNoEnumeration"},
	"A4":  {"TestNonces"},
	"A5":  {"TestIdentity", "TestRegisterOnlyOneself"},
	"A6":  {"TestDigestPolicies"},
	"A7":  {"digest/TestCheckPassword", "digest/TestGeneratePassword"},
	"A9":  {"TestPhoneChallengesUs"},
	"A12": {"TestUnpredictable"},

	"D1": {
		"TestDurableBeforeAnswered", "../TestSimulation",
		"TestSubscribeIsDurableBeforeItsAnswer", "TestSubscriptionsSurvive", "TestPublicationsSurvive", "TestTextsSurvive", "pager/TestOrderSurvives",
	},
	"F4": {"TestDiverted", "TestDivertedNowhere", "../TestTransferMatrix"},
	"F5": {"TestIdentity", "TestDiverted"},
	"F8": {
		"../TestEmergencyPassesLimits", "../TestUnwrittenRecords", "../dialplan/call/TestEmergencyAboveMaxCalls", "../media/TestSpare",
		"TestSheddingOrder",
	},
	"L1": {"../TestStopWithARunningCall"},
	"L2": {"TestRestartFindsPhones", "TestSuspendedPhone"},
	"L4": {"TestSessionExpires", "TestSessionRefreshed", "TestRefreshUnanswered", "TestNoTimerAtFarEnd", "TestPhoneDiesHolding"},
	"L5": {"TestDialogFollowsRegistration", "TestSubscriptionFollowsThePhone"},
	"L7": {"../TestNothingGrows"},
	"M7": {"TestDigits"},
	"M8": {"TestSilentLeg"},
	"L9": {"TestStuckWorker", "../dialplan/call/TestStuckCall"},
	"O1": {"TestRefusedAtOnce", "TestRefusalsAreBounded", "TestBurst", "wire/TestRefusal"},
	"O2": {"TestFullLanes", "TestSheddingOrder", "TestRepetitionIsNotRefused", "TestEmergencyFirst", "../dialplan/call/TestEmergencyIsDialledUrgently"},
	"O3": {"TestFloodBesideCalls", "TestInventedTags", "TestFairTurns", "TestManyBehindOneAddress"},
	"O4": {"location/TestSpread"},
	"O5": {
		"TestJobsAreBounded", "TestHeardMemory",
		"TestShortMemory", "TestFullLanes", "TestManyTransactions", "TestTransactionsOfOneSource", "TestKeptIsBounded",
		"TestSubscriptionCaps", "pager/TestLimits", "event/TestPublicationLimits", "event/TestPublicationsOfOneClient",
	},
	"O8":  {"TestOutOfDescriptors", "TestRouteWithoutDescriptors", "TestListenersSurviveErrors"},
	"S16": {"TestNotifyPace", "TestSubscriptionCaps", "TestFetch", "TestSubscriptionLives", "event/TestPaceModel"},
	"S17": {"wire/TestHostileInputIsCheap"},
	"T2":  {"TestOtherTenants", "../TestReplacesRefused"},
	"F9":  {"TestSubscriptionEnds"},
	"L6":  {"event/TestRecordLeft"},
	"O9":  {"../TestSimulation", "../TestLossyNetwork", "TestExtensionsOverBadNetwork"},
	"X2":  {"../TestSimulation", "siptest/TestUmpire"},
	"X6":  {"TestMetricNames"},
}

// testsIn lists the test functions of a folder.
func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				tests[fn.Name.Name] = true
			}
		}
	}
	return tests
}

func TestRequirementsHaveTests(t *testing.T) {
	known := map[string]map[string]bool{}
	check := func(what, name string) {
		dir, test := ".", name
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			dir, test = name[:i], name[i+1:]
		}
		if known[dir] == nil {
			known[dir] = testsIn(t, dir)
		}
		if !known[dir][test] {
			t.Errorf("%s: there is no %s", what, name)
		}
	}
	for number, tests := range requirements {
		for _, name := range tests {
			check(number, name)
		}
	}
	for _, f := range sipgoFaults {
		check(f.finding, f.test)
	}
}
