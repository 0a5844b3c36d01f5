package features

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/basic"
	"github.com/cordpair/cordpair/features/transfer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryStepHasItsEffect(t *testing.T) {
	ring, reject := dialplan.RingArgs{Extension: 7, Timeout: 60}, dialplan.RejectArgs{Cause: call.CauseBusy}
	say := dialplan.SayNumberArgs{Number: "101"}
	back, take := dialplan.ReturnArgs{Cause: call.CauseBusy}, dialplan.TakeOverArgs{Leg: "a"}
	tests := []struct {
		step call.Step
		want call.Effect
	}{
		{call.Step{Name: dialplan.StepRing, Branch: "1.2", Args: ring}, basic.Ring{Branch: "1.2", RingArgs: ring}},
		{call.Step{Name: dialplan.StepReject, Args: reject}, basic.Reject{RejectArgs: reject}},
		{call.Step{Name: dialplan.StepEcho, Args: dialplan.EchoArgs{}}, basic.Echo{}},
		{call.Step{Name: dialplan.StepMusic, Args: dialplan.MusicArgs{}}, basic.Music{}},
		{call.Step{Name: dialplan.StepSayNumber, Args: say}, basic.SayNumber{SayNumberArgs: say}},
		{call.Step{Name: dialplan.StepReturn, Args: back}, transfer.Return{ReturnArgs: back}},
		{call.Step{Name: dialplan.StepTakeOver, Args: take}, transfer.TakeOver{TakeOverArgs: take}},
		{call.Step{Name: dialplan.StepBlindTransfer, Args: dialplan.BlindTransferArgs{}}, transfer.Ask{}},
		{call.Step{Name: dialplan.StepAttendedTransfer, Args: dialplan.AttendedTransferArgs{}}, transfer.Ask{Consult: true}},
	}
	table := New()
	if len(table) != len(tests) {
		t.Errorf("%d steps in the table, %d here", len(table), len(tests))
	}
	for _, tt := range tests {
		got, err := table.Effect(tt.step)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", tt.step.Name, err, diff)
		}
	}
}

func TestStepsWithoutAnEffect(t *testing.T) {
	tests := []struct {
		step call.Step
		want error
	}{
		{call.Step{Name: "dance"}, ErrUnknownStep},
		{call.Step{}, ErrUnknownStep},
		{call.Step{Name: dialplan.StepRing}, ErrArgs},
		{call.Step{Name: dialplan.StepRing, Args: dialplan.EchoArgs{}}, ErrArgs},
		{call.Step{Name: dialplan.StepEcho, Args: &dialplan.EchoArgs{}}, ErrArgs},
	}
	for _, tt := range tests {
		if effect, err := New().Effect(tt.step); effect != nil || !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v, %v; want %v", tt.step, effect, err, tt.want)
		}
	}
}
