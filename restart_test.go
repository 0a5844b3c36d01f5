package cordpair_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/siptest"
)

// TestRestartFindsPhones: a phone that registered over UDP is called after a
// restart without a new REGISTER, and the clients, numbers and passwords are as
// they were.
func TestRestartFindsPhones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := siptest.NewNet(t)
		dir := t.TempDir()
		const password = "four words of secret"
		caller, callee := net.Phone("101", password, domain), net.Phone("102", password, domain)

		stop := runOn(t, net, dir, func(sw *cordpair.Switch) {
			client, err := sw.AddClient(cordpair.Client{Name: "Acme", Domain: domain})
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []string{"101", "102"} {
				if _, err := sw.AddPhone(client.ID, cordpair.NewPhone{Number: n, Password: password}); err != nil {
					t.Fatal(err)
				}
			}
		})
		if err := callee.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()

		stop = runOn(t, net, dir, func(*cordpair.Switch) {})
		defer stop()
		out, err := caller.Call(t.Context(), "102")
		if err != nil {
			t.Fatal(err)
		}
		in, err := callee.Incoming(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := in.Answer(); err != nil {
			t.Fatal(err)
		}
		if err := out.WaitAnswered(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// runOn runs a switch over a data folder until the returned function is called.
func runOn(t *testing.T, net *siptest.Net, dir string, prepare func(*cordpair.Switch)) (stop func()) {
	t.Helper()
	cfg := cordpair.InMemory(net, net.Switch)
	cfg.InMemory, cfg.DataDir = false, dir
	sw, err := cordpair.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	prepare(sw)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- sw.Run(ctx) }() // ends with stop
	synctest.Wait()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
