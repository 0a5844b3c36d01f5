// Package calltest has fake phones, media, dialer and mixer for tests of calls,
// features and dial plans: real calls (package call) on legs that are plain
// memory. Everything runs in virtual time when the test runs in a synctest
// bubble, which also proves that no goroutine is left.
//
// Ownership: a test owns the fakes; their methods may be used from any
// goroutine. Order: what a leg is told is recorded in the order told.
//
//	synctest.Test(t, func(t *testing.T) {
//		sw := calltest.New(t, effects, plan)
//		sw.Dialer.Set(2, calltest.Answers(3*time.Second))
//		caller, c := sw.Call(t, call.Invite{Client: 1, From: call.Party{Number: "101"}, Dialled: "102"})
//		time.Sleep(10 * time.Second)
//		synctest.Wait()
//		caller.Hears() // the called leg's ID
//		caller.HangUp()
//	})
package calltest
