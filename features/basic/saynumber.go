package basic

import (
	"context"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/dialplan/call"
)

// SayNumber answers, says "your number is" and the number digit by digit, and
// ends the call.
//
// Parameters: Number, of 0-9 * # +; other characters are passed over.
//
// Outcomes: done after the last digit.
type SayNumber struct {
	dialplan.SayNumberArgs
}

// Run plays the announcement once.
func (s SayNumber) Run(ctx context.Context, c *call.Call) (call.Outcome, error) {
	if err := c.Answer(ctx); err != nil {
		return call.Outcome{}, err
	}
	return done(c.Play(ctx, append([]string{"your-number-is"}, digitSounds(s.Number)...), false))
}

// digitSounds names the sounds that spell a number.
func digitSounds(number string) []string {
	sounds := make([]string, 0, len(number))
	for _, r := range number {
		switch {
		case r >= '0' && r <= '9':
			sounds = append(sounds, "digits/"+string(r))
		case r == '*':
			sounds = append(sounds, "digits/star")
		case r == '#':
			sounds = append(sounds, "digits/hash")
		case r == '+':
			sounds = append(sounds, "digits/plus")
		}
	}
	return sounds
}
