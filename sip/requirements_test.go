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

// requirements says which test holds each requirement on SIP input, authentication
// and media that binds here. A name with a slash is a test of that
// package, a path from this one.
var requirements = map[string][]string{
	"S1": {"TestPanicIsSurvived", "TestCorpus", "TestWheelSurvivesPanic"},
	"S2": {"TestCorpus", "wire/TestRFC4475"},
	"S3": {"TestCorpus", "TestMissingHeaders"},
	"S4": {"TestCorpus", "wire/TestRFC5118"},
	"S5": {"wire/TestTooLargeMessage", "wire/TestValidate", "TestTooManyConnections"},
	"S6": {"wire/TestRFC4475", "wire/TestValidate", "wire/TestExpires"},
	"S7": {"wire/TestFramer", "wire/TestFramerFaultIsAnsweredOnce"},
	"S8": {"TestSlowStreams", "TestTooManyConnections", "TestTenThousandConnections"},
	"S9": {
		"TestRepeatedRegister", "TestRepeatedAnswersAreTheSame", "TestMergedRequest", "TestByeBeforeACK", "TestReinviteRules", "TestKept", "TestTransactions",
		"TestTextRepeated", "TestPublishAnswers", "TestSentByTellsApart",
	},
	"S10": {"TestInDialogOrder", "TestForeignFlow", "TestMovedDialog", "TestCancel", "TestCancelFromElsewhere", "TestACKOfAnother"},
	"S11": {"TestAnswersGoBackToTheSource", "TestStrayResponses", "wire/TestPlainAsParsed"},
	"S12": {"TestAmplification", "TestRefusalsAreBounded"},
	"S13": {"TestDivertedForEver", "TestTooManyForks"},
	"S14": {"TestContacts", "wire/TestValidate", "TestRequestsUseTheFlow"},
	"S15": {"TestControlCharacters", "TestRefusalLog"},

	"A1":  {"TestNobodyWithoutCredentials"},
	"A2":  {"TestOptionsSaysNothingOfUs", "TestPlainOptions"},
	"A3":  {"TestNoEnumeration", "TestNoEnumerationByWork"},
	"A4":  {"TestNonces", "digest/TestNonceLife", "digest/TestNonceCounts", "digest/TestForgedNonce", "digest/TestNonceOfAnotherProcess"},
	"A5":  {"TestIdentity", "TestRegisterOnlyOneself"},
	"A6":  {"TestDigestPolicies"},
	"A7":  {"digest/TestCheckPassword", "digest/TestGeneratePassword", "../TestKeysAreNowhere", "../media/TestKeysAreNotLogged"},
	"A9":  {"TestPhoneChallengesUs"},
	"A12": {"TestUnpredictable", "TestRandomness", "digest/TestConstantTime", "../media/TestBeginsUnpredictable"},

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
	"L1": {
		"../TestStopWithARunningCall", "../TestStopWaitsNoLongerThanItsCalls", "../bench/system/TestTerminate", "../bench/system/TestSecondSignal",
	},
	"L2": {"TestRestartFindsPhones", "TestSuspendedPhone", "../TestSimulation"},
	"L4": {"TestSessionExpires", "TestSessionRefreshed", "TestRefreshUnanswered", "TestNoTimerAtFarEnd", "TestPhoneDiesHolding"},
	"L5": {"TestDialogFollowsRegistration", "TestSubscriptionFollowsThePhone"},
	"L7": {"../TestNothingGrows"},
	"M1": {"../media/TestAttackFromElsewhere", "../media/TestLearning", "../media/TestReach", "../media/TestLineStrangers"},
	"M2": {"../media/TestStableSSRC"},
	"M3": {"../media/TestAttacksOnEncryptedLegs", "../media/TestNewKeys", "../media/secure/TestRefusals", "../media/secure/TestSourcesAreBounded", "../media/ice/TestAnswer"},
	"M4": {"../media/TestBrokenPackets", "../media/TestBrokenStreamsEndNothing"},
	"M5": {"../media/TestForbiddenTargets", "../media/TestUnconfirmedTargets", "../media/TestLineStrangers"},
	"M6": {
		"../media/TestQuarantine", "../media/TestHeldPackets", "../media/TestPairsUnderPressure", "../media/TestEarlierUser", "../media/TestMovedUser",
		"../media/TestPoolTakesTheOldest", "../media/TestExhaustion", "../media/TestChurn", "../media/TestLineQuarantine",
	},
	"M7":  {"TestDigits", "../media/TestDigitLimits", "../media/TestDigitsAreSeenAndRelayed"},
	"M8":  {"TestSilentLeg", "../media/TestSilentParty", "../media/TestSilentMany", "../media/TestFaxIsNoSilence"},
	"M10": {"../media/TestDecoderPanics"},
	"L9":  {"TestStuckWorker", "../dialplan/call/TestStuckCall"},
	"O1":  {"TestRefusedAtOnce", "TestRefusalsAreBounded", "TestBurst", "wire/TestRefusal"},
	"O2":  {"TestFullLanes", "TestSheddingOrder", "TestRepetitionIsNotRefused", "TestEmergencyFirst", "../dialplan/call/TestEmergencyIsDialledUrgently"},
	"O3":  {"TestFloodBesideCalls", "TestInventedTags", "TestFairTurns", "TestManyBehindOneAddress"},
	"O4":  {"location/TestSpread"},
	"O5": {
		"TestJobsAreBounded", "TestHeardMemory",
		"TestShortMemory", "TestFullLanes", "TestManyTransactions", "TestTransactionsOfOneSource", "TestKeptIsBounded",
		"TestSubscriptionCaps", "pager/TestLimits", "event/TestPublicationLimits", "event/TestPublicationsOfOneClient",
	},
	"O7":  {"TestStoresHang", "../store/TestFullQueueRefuses"},
	"O8":  {"TestOutOfDescriptors", "TestRouteWithoutDescriptors", "TestListenersSurviveErrors"},
	"S16": {"TestNotifyPace", "TestSubscriptionCaps", "TestFetch", "TestSubscriptionLives", "event/TestPaceModel"},
	"S17": {"wire/TestHostileInputIsCheap"},
	"T2":  {"TestOtherTenants", "../TestReplacesRefused", "../TestReferToForeignDialog"},
	"F9":  {"TestSubscriptionEnds"},
	"L6":  {"event/TestRecordLeft", "location/TestRestartWithClockSetBack", "TestClockIsSet", "location/TestClockIsSet", "digest/TestNonceLifeWhenTheClockIsSet", "../features/history/TestClockIsSet"},
	"L10": {"../TestTransferMatrix", "../TestReplaces"},
	"L11": {"../TestReloadAllOrNothing", "../cmd/cordpair/TestReload"},
	"L12": {"../TestReadyAndHealthy", "../TestReadyFails"},
	"L14": {"../TestEveryWriteIsAudited"},
	"O9":  {"../TestSimulation", "../TestLossyNetwork", "TestExtensionsOverBadNetwork"},
	"X2":  {"../TestSimulation", "siptest/TestUmpire"},
	"X6":  {"TestMetricNames"},
}

// elsewhere are the numbers of the groups that bind here which no test of a build can
// hold, or which come with something that is not there yet.
var elsewhere = map[string]string{
	"A8":  "comes with the transports",
	"A10": "comes with the transports",
	"A11": "comes with TLS and WebSocket",
	"O6":  "comes with trunks",
	"M9":  "comes with recording",
	"L3":  "not promised: sockets are not handed over",
	"L8":  "72 hours: make soak",
	"L13": "is about releases",
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
	for group, last := range map[string]int{"S": 17, "A": 12, "O": 9, "L": 14, "M": 10} {
		for i := 1; i <= last; i++ {
			number := group + strconv.Itoa(i)
			if (len(requirements[number]) == 0) == (elsewhere[number] == "") {
				t.Errorf("%s: held by a test, or not?", number)
			}
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
