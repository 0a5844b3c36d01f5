package siptest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cordpair/cordpair/sip/siptest"
)

// Two phones call each other without a switch, on sockets of the machine. In a
// test, take siptest.NewNet and its phones within synctest.Test instead: no
// ports, no waiting.
func ExampleNewPhone() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	alice, err := siptest.NewPhone(siptest.Config{User: "alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer alice.Close()
	bob, err := siptest.NewPhone(siptest.Config{User: "bob"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bob.Close()

	out, _ := alice.Call(ctx, bob.URI())
	in, _ := bob.Incoming(ctx)
	in.Ring()
	fmt.Println("it rings:", out.WaitRinging(ctx) == nil)
	in.Answer()
	fmt.Println("it is answered:", out.WaitAnswered(ctx) == nil)
	out.SayTone(440)
	fmt.Println("bob hears alice:", in.HearsTone(ctx, 440) == nil)
	out.Hangup(ctx)
	end, _ := in.WaitEnded(ctx)
	fmt.Println(end)
	// Output:
	// it rings: true
	// it is answered: true
	// bob hears alice: true
	// hung up by the far end
}
