package call

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// maxPath is how many steps the story of a call mentions.
const maxPath = 32

// emit gives an event its place in the call's sequence and publishes it.
func (c *Call) emit(ev Event) {
	c.seq++
	ev.Call, ev.Client, ev.Seq, ev.At = c.ref.ID, c.invite.Client, c.seq, c.now
	if ev.Trace != nil {
		ev.Trace.Seq, ev.Trace.At = ev.Seq, ev.At
	}
	c.reg.cfg.Bus.publish(&ev)
}

// trace emits a trace entry, which nobody else may change from now on. It is
// numbered as the event that carries it.
func (c *Call) trace(t *TraceEntry) { c.emit(Event{Kind: EventDecided, Trace: t}) }

// stop is a step on the way of a call, or what else it came to, and how that ended.
type stop struct {
	at  string
	end OutcomeKind // may be empty
}

// String is a word of the story.
func (s stop) String() string {
	if s.end == "" {
		return s.at
	}
	return s.at + "=" + string(s.end)
}

// note adds a word to the story.
func (c *Call) note(at string, end OutcomeKind) {
	if len(c.path) < maxPath {
		c.path = append(c.path, stop{at, end})
	}
}

// words is the way of the call.
func (c *Call) words() string {
	var words []string
	for _, s := range c.path {
		words = append(words, s.String())
	}
	return strings.Join(words, " ")
}

func (c *Call) log() *slog.Logger { return c.reg.cfg.Logger.With("call", c.ref.ID) }

// story logs the story of a call that has ended, in one line. A log may have to
// wait for whoever reads it, the loop may not.
func (c *Call) story() {
	log := c.reg.cfg.Logger
	if !log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	talked := time.Duration(0)
	if !c.answered.IsZero() {
		talked = c.now.Sub(c.answered)
	}
	line := []any{
		"call", c.ref.ID, "client", c.invite.Client, "from", c.invite.From.Number, "dialled", c.invite.Dialled,
		"cause", c.cause, "by", c.by, "steps", c.words(),
		"duration", c.now.Sub(c.started).Round(time.Millisecond), "answered", talked.Round(time.Millisecond),
		"events", c.seq,
	}
	c.reg.loops.Go(func() { log.Info("call ended", line...) }) // ends when the line is written
}
