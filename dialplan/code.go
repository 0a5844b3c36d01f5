package dialplan

import (
	"errors"
	"fmt"
	"strings"
)

// Context is where a code is dialled. Codes clash within one context only.
type Context string

// The contexts. Codes in a call are pressed by a party that talks, as DTMF; a
// client without any has the default ones.
const (
	ContextDialled Context = "dialled" // as a number of their own
	ContextInCall  Context = "in_call"
)

// Code is one row of a client's code table: a pattern and the step it stands
// for. A pattern begins with * or #, goes on with digits, * and #, and may end
// in <ext> (the bare number of an extension of this client) or in [slot] (no
// digits, or up to 3 of them).
type Code struct {
	Context Context `json:"context" enum:"dialled,in_call" doc:"Where the code is dialled: as a number, or by a party that talks. A client without codes of the latter kind has #1 and *2"`
	Pattern string  `json:"pattern" maxLength:"22" doc:"* or #, then digits, * and #, then maybe <ext> or [slot]: *61<ext>. In a call nothing may follow, and no code may begin another"`
	Step    string  `json:"step" enum:"ring,echo,music,saynumber,blind_transfer,attended_transfer" doc:"Step the code stands for; the last two in a call, the others dialled"`
}

// Errors of a code table.
var (
	// ErrPattern: the pattern is not one, or its step has no use for what it
	// lets follow.
	ErrPattern = errors.New("not a code pattern")
	// ErrCodeClash: Compile found two codes that one string matches.
	ErrCodeClash = errors.New("one string matches two codes")
)

// programmedKeys begins the strings that programmed keys dial
// (spec/function-keys.md 2.2). They are their own place in the order of
// resolution, so no code may reach into them.
const programmedKeys = "*735"

// codeSteps are the steps a code may stand for, and whether the step needs the
// number of an extension behind the code.
var codeSteps = map[string]bool{StepRing: true, StepEcho: false, StepMusic: false, StepSayNumber: false}

// demoCodes are the demo numbers. Only a demo client has them.
var demoCodes = []Code{
	{ContextDialled, "*43", StepEcho},
	{ContextDialled, "*44", StepMusic},
	{ContextDialled, "*45", StepSayNumber},
}

// inCallCodes are those in a call of a client that has no others (design.md 5).
var inCallCodes = []Code{
	{ContextInCall, "#1", StepBlindTransfer},
	{ContextInCall, "*2", StepAttendedTransfer},
}

// Validate reports what is wrong with the code by itself.
func (c Code) Validate() error {
	switch c.Context {
	case ContextDialled:
		return c.validDialled()
	case ContextInCall:
		return c.validInCall()
	}
	return fmt.Errorf("code %q: context must be %s or %s", c.Pattern, ContextDialled, ContextInCall)
}

func (c Code) validInCall() error {
	if _, known := inCallArgs[c.Step]; !known {
		return fmt.Errorf("code %q: no step %q in a call", c.Pattern, c.Step)
	}
	p, err := parsePattern(c.Pattern, 2)
	if err == nil && p.tail != tailNone {
		err = fmt.Errorf("code %q: nothing may follow it: %w", c.Pattern, ErrPattern)
	}
	return err
}

func (c Code) validDialled() error {
	needsExtension, known := codeSteps[c.Step]
	if !known {
		return fmt.Errorf("code %q: no step %q", c.Pattern, c.Step)
	}
	p, err := parsePattern(c.Pattern, 2)
	if err != nil {
		return err
	}
	if takesExtension := p.tail == tailExtension; takesExtension != needsExtension || p.tail == tailSlot {
		return fmt.Errorf("code %q: step %q cannot use what follows the code: %w", c.Pattern, c.Step, ErrPattern)
	}
	return nil
}

// tail is what may follow the fixed part of a pattern.
type tail int

const (
	tailNone tail = iota
	tailExtension
	tailSlot
)

// pattern is a compiled code: every string that begins with literal and goes on
// with min to max decimal digits.
type pattern struct {
	literal  string
	tail     tail
	min, max int
}

// parsePattern reads a pattern for a client whose extensions have extLen digits.
func parsePattern(s string, extLen int) (pattern, error) {
	p := pattern{literal: s}
	if lit, ok := strings.CutSuffix(s, "<ext>"); ok {
		p = pattern{lit, tailExtension, extLen, extLen}
	} else if lit, ok := strings.CutSuffix(s, "[slot]"); ok {
		p = pattern{lit, tailSlot, 0, 3}
	}
	if len(p.literal) < 2 || len(p.literal) > 16 || strings.Trim(p.literal, "0123456789*#") != "" ||
		p.literal[0] != '*' && p.literal[0] != '#' {
		return pattern{}, fmt.Errorf("code %q: %w", s, ErrPattern)
	}
	return p, nil
}

// match returns the digits behind the fixed part.
func (p pattern) match(s string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(s, p.literal)
	return rest, ok && digits(rest, p.min, p.max)
}

// overlaps reports whether some string matches both patterns. The longer fixed
// part must be the shorter one and digits of its tail; what is left of that tail
// and the longer one's own tail must then allow a common length.
func (p pattern) overlaps(q pattern) bool {
	if len(p.literal) > len(q.literal) {
		p, q = q, p
	}
	between, ok := strings.CutPrefix(q.literal, p.literal)
	if !ok || !digits(between, 0, len(between)) {
		return false
	}
	n := len(between)
	return p.min <= n+q.max && n+q.min <= p.max
}

// reaches reports whether some string of the pattern begins with prefix.
func (p pattern) reaches(prefix string) bool {
	if strings.HasPrefix(p.literal, prefix) {
		return true
	}
	rest, ok := strings.CutPrefix(prefix, p.literal)
	return ok && digits(rest, 0, p.max)
}

// compiledCode is a row of a registry.
type compiledCode struct {
	pattern
	code Code
}

// clashes reports whether one of two codes hides the other. In a call a code is
// served as soon as it has been pressed, so none may begin another.
func (c compiledCode) clashes(o compiledCode) bool {
	switch {
	case c.code.Context != o.code.Context:
		return false
	case c.code.Context == ContextInCall:
		return strings.HasPrefix(c.literal, o.literal) || strings.HasPrefix(o.literal, c.literal)
	}
	return c.overlaps(o.pattern)
}

// compileCodes makes the registry of one client, in the order given, of codes
// that are valid by themselves. It names both when two clash.
func compileCodes(codes []Code, extLen int) ([]compiledCode, error) {
	out := make([]compiledCode, 0, len(codes))
	for _, c := range codes {
		p, err := parsePattern(c.Pattern, extLen)
		if err != nil {
			return nil, err
		}
		next := compiledCode{p, c}
		if c.Context == ContextDialled && p.reaches(programmedKeys) {
			return nil, fmt.Errorf("codes %q and %s…: %w", c.Pattern, programmedKeys, ErrCodeClash)
		}
		for _, o := range out {
			if o.clashes(next) {
				return nil, fmt.Errorf("codes %q and %q: %w", o.code.Pattern, c.Pattern, ErrCodeClash)
			}
		}
		out = append(out, next)
	}
	return out, nil
}
