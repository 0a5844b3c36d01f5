package cordpair_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/siptest"
)

// TestExample is the README's example: a whole switch and two phones inside
// go test, without ports and without sleeping.
func TestExample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := siptest.NewNet(t)
		sw, _ := cordpair.Open(cordpair.InMemory(net, net.Switch))
		client, _ := sw.AddClient(cordpair.Client{Name: "Acme", Domain: "acme.example"})
		for _, number := range []string{"101", "102"} {
			_, _ = sw.AddPhone(client.ID, cordpair.NewPhone{Number: number, Password: "four words of secret"})
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- sw.Run(ctx) }() // until stop
		alice, bob := net.Phone("101", "four words of secret", "acme.example"), net.Phone("102", "four words of secret", "acme.example")
		_, _ = alice.Register(ctx), bob.Register(ctx)
		out, _ := alice.Call(ctx, "102")
		in, _ := bob.Incoming(ctx)
		_, _, _ = in.Answer(), out.WaitAnswered(ctx), out.SayTone(440)
		if err := in.HearsTone(ctx, 440); err != nil {
			t.Error(err)
		}
		stop()
		<-ended
	})
}
