package features

import (
	"errors"
	"fmt"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/basic"
	"github.com/cordpair/cordpair/features/transfer"
)

// Errors of a step that no effect can be made of.
var (
	ErrUnknownStep = errors.New("unknown step")
	ErrArgs        = errors.New("arguments of another step")
)

// Table finds the effect of a step by the step's name. It implements
// call.Effects and is read-only once made.
type Table map[string]constructor

type constructor func(call.Step) (call.Effect, error)

// New is the table of everything a call can be told to do.
func New() Table {
	return Table{
		dialplan.StepRing: with(func(s call.Step, a dialplan.RingArgs) call.Effect {
			return basic.Ring{Branch: s.Branch, RingArgs: a}
		}),
		dialplan.StepReject:    with(func(_ call.Step, a dialplan.RejectArgs) call.Effect { return basic.Reject{RejectArgs: a} }),
		dialplan.StepEcho:      with(func(call.Step, dialplan.EchoArgs) call.Effect { return basic.Echo{} }),
		dialplan.StepMusic:     with(func(call.Step, dialplan.MusicArgs) call.Effect { return basic.Music{} }),
		dialplan.StepSayNumber: with(func(_ call.Step, a dialplan.SayNumberArgs) call.Effect { return basic.SayNumber{SayNumberArgs: a} }),
		dialplan.StepReturn:    with(func(_ call.Step, a dialplan.ReturnArgs) call.Effect { return transfer.Return{ReturnArgs: a} }),
		dialplan.StepTakeOver: with(func(_ call.Step, a dialplan.TakeOverArgs) call.Effect {
			return transfer.TakeOver{TakeOverArgs: a}
		}),
		dialplan.StepBlindTransfer:    with(func(call.Step, dialplan.BlindTransferArgs) call.Effect { return transfer.Ask{} }),
		dialplan.StepAttendedTransfer: with(func(call.Step, dialplan.AttendedTransferArgs) call.Effect { return transfer.Ask{Consult: true} }),
	}
}

// Effect makes the effect of one step. The error wraps ErrUnknownStep or
// ErrArgs; either is a fault of whoever made the step.
func (t Table) Effect(s call.Step) (call.Effect, error) {
	construct, ok := t[s.Name]
	if !ok {
		return nil, fmt.Errorf("step %q: %w", s.Name, ErrUnknownStep)
	}
	return construct(s)
}

// with turns a function over typed arguments into a constructor.
func with[A any](effect func(call.Step, A) call.Effect) constructor {
	return func(s call.Step) (call.Effect, error) {
		a, ok := s.Args.(A)
		if !ok {
			return nil, fmt.Errorf("step %q with %T: %w", s.Name, s.Args, ErrArgs)
		}
		return effect(s, a), nil
	}
}
