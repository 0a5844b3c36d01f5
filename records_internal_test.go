package cordpair

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/dialplan/call/calltest"
	"github.com/cordpair/cordpair/features/history"
	"github.com/cordpair/cordpair/store/storetest"
)

// TestUnwrittenRecords: while records wait for the disk there are no new calls but
// those to emergency numbers (O5, F8), of which there is a bound.
func TestUnwrittenRecords(t *testing.T) {
	bus := call.NewBus()
	h := history.New(storetest.Open(t), bus, history.Options{})
	for !h.Full() {
		bus.Publish(call.Event{})
	}
	synctest.Test(t, func(t *testing.T) {
		emergency := func(client int64, number string) bool { return client == 1 && number == "112" }
		calls := call.NewRegistry(call.Config{
			Effects: calltest.Effects{}, Mixer: calltest.Mixer{}, Dialer: &calltest.Dialer{}, MaxCalls: 1, Emergency: emergency,
			Plan: calltest.Steps(call.Step{Name: "none"}), Logger: slog.New(slog.DiscardHandler),
		})
		defer calls.Close()
		a := admission{calls: calls, history: h, emergency: emergency}
		start := func(inv call.Invite) error {
			_, err := a.Start(calltest.NewLeg(inv.From), inv)
			return err
		}
		for _, inv := range []call.Invite{{Client: 1, Dialled: "102"}, {Client: 2, Dialled: "112"}} {
			if err := start(inv); !errors.Is(err, call.ErrOverload) {
				t.Errorf("client %d to %s: %v", inv.Client, inv.Dialled, err)
			}
		}
		if err := start(call.Invite{Client: 1, Dialled: "112"}); err != nil {
			t.Errorf("emergency: %v", err)
		}
	})
}
