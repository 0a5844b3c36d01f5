// Package siptest lets a Go test hold telephones against a switch: an
// in-memory network without sockets, and scripted SIP phones that register,
// call, answer, press keys, talk and hear over it.
//
// # Purpose
//
// [Net] carries datagrams and streams between goroutines. Everything that
// waits on it is durably blocked in the sense of testing/synctest, so a call of
// an hour passes in milliseconds and a forgotten goroutine fails the test. A
// [Phone] is a user agent of its own: it shares no code with package sip and is
// therefore an independent witness of what the switch says. The same Phone
// works over real sockets (see [Sockets]) and without package testing, so load
// tools can use it too.
//
//	synctest.Test(t, func(t *testing.T) {
//		net := siptest.NewNet(t)
//		startSwitch(t, net) // listens on net.Switch
//		alice := net.Phone("101", "secret-101", "demo.test")
//		bob := net.Phone("102", "secret-102", "demo.test")
//		alice.Register(ctx)
//		bob.Register(ctx)
//		out, _ := alice.Call(ctx, "102")
//		in, _ := bob.Incoming(ctx)
//		in.Ring()
//		out.WaitRinging(ctx)
//		in.Answer()
//		out.WaitAnswered(ctx)
//		out.SayTone(440)
//		in.HearsTone(ctx, 440)
//		out.Hangup(ctx)
//		in.WaitEnded(ctx)
//	})
//
// An [Umpire] watches the network and says where the switch breaks a rule that no
// phone of the test happens to mind.
//
// # Ownership
//
// A Net belongs to the test that made it; [NewNet] closes it, and the phones it
// made, when the test ends. A Phone guards its state with one lock that is
// never held while waiting; its goroutines are one reader for each socket and
// connection, one writer for each connection, and for each talk its readers and, while
// it says something, one speaker. [Phone.Close] ends them and waits for them.
// All methods of all types may be called from any goroutine.
//
// # Ordering and waiting
//
// Without impairment datagrams arrive in the order they were sent, at the
// instant they were sent. Methods named Wait…, and every other method that takes a
// context, return as soon as what they wait for has happened, even if that was
// before the call. When the context ends first, or what they wait for can no
// longer happen, the error tells what was seen instead, with the transcript of
// the phone. A context without a deadline waits for one hour at most.
package siptest
