// Package scenariotest plays scenarios: small files that say who calls, answers,
// presses and hears. A scenario runs real calls, the real dial plan of one demo
// client and the effects it is given, on phones in memory and in virtual time.
// A feature keeps its scenarios in its testdata folder:
//
//	func TestScenarios(t *testing.T) { scenariotest.Run(t, features.New(), "testdata/*.scn") }
//
// A scenario is read line by line; # begins a comment. First come the
// extensions, then what happens and what must hold, in order:
//
//	phone 101                     a phone that is switched off
//	phone 102 answers 3s          rings, and is picked up after 3 s
//	phone 103 rings, busy         two contacts: one rings, the other is busy
//	blocked 104                   a blocked phone; likewise queue, ivr, fax, conference
//
//	101 calls 102
//	wait 2s                       time passes
//	101 hears ringing             nothing, ringing, echo, music, a number, or the names of sounds
//	102 rings                     a contact of 102 rings or talks
//	wait 2s
//	101 hears 102
//	102 holds                     also resumes, and hangs up
//	101 presses 5
//	102 hangs up
//	102 idle                      no contact of 102 rings or talks
//	102 told answered_elsewhere   a contact of 102 was hung up with this cause
//	101 ends normal               the call 101 made is over, with this cause
//
// Contacts can be: answers D, early D (sends audio first, then answers), rings,
// silent, busy, rejects. Every call must be over at the end.
package scenariotest
