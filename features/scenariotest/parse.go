package scenariotest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan"
)

// errSyntax is the sentinel under every error of parse.
var errSyntax = errors.New("not a scenario")

// scenario is a file that has been read.
type scenario struct {
	extensions []extension
	acts       []act
}

// extension is a line of the first part.
type extension struct {
	number   string
	kind     dialplan.Type
	blocked  bool
	contacts []contact
}

// contact is how one of a phone's contacts behaves.
type contact struct {
	behaviour string
	after     time.Duration
}

// act is a line of the second part. Who is empty for wait.
type act struct {
	line      int
	who, verb string
	what      string
	time      time.Duration
}

// verbs says which verbs there are and whether something must follow them.
var verbs = map[string]bool{
	"calls": true, "hears": true, "presses": true, "told": true, "ends": true,
	"holds": false, "resumes": false, "hangs up": false, "rings": false, "idle": false,
}

// behaviours says which behaviours there are and whether a time must follow them.
var behaviours = map[string]bool{
	"answers": true, "early": true, "rings": false, "silent": false, "busy": false, "rejects": false,
}

// parse reads a scenario. An error names the line and wraps errSyntax.
func parse(text string) (scenario, error) {
	var s scenario
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := s.add(i+1, words); err != nil {
			return scenario{}, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return s, nil
}

// add reads one line that is not empty.
func (s *scenario) add(line int, words []string) error {
	switch words[0] {
	case "phone", "blocked", "queue", "ivr", "fax", "conference":
		return s.addExtension(words)
	case "wait":
		d, err := duration(words[1:])
		if err != nil {
			return err
		}
		s.acts = append(s.acts, act{line: line, verb: "wait", time: d})
		return nil
	}
	if len(words) < 2 {
		return fmt.Errorf("%w: %s does what?", errSyntax, words[0])
	}
	a := act{line: line, who: words[0], verb: words[1], what: strings.Join(words[2:], " ")}
	if a.verb == "hangs" && a.what == "up" {
		a.verb, a.what = "hangs up", ""
	}
	if !s.has(a.who) {
		return fmt.Errorf("%w: there is no %s", errSyntax, a.who)
	}
	needs, known := verbs[a.verb]
	if !known || needs != (a.what != "") {
		return fmt.Errorf("%w: %s", errSyntax, strings.Join(words, " "))
	}
	s.acts = append(s.acts, a)
	return nil
}

func (s *scenario) has(number string) bool {
	return slices.ContainsFunc(s.extensions, func(x extension) bool { return x.number == number })
}

// addExtension reads a line of the first part.
func (s *scenario) addExtension(words []string) error {
	if len(s.acts) > 0 || len(words) < 2 || s.has(words[1]) {
		return fmt.Errorf("%w: extensions come first, once, each with a number", errSyntax)
	}
	x := extension{number: words[1], kind: dialplan.Type(words[0])}
	if words[0] == "blocked" {
		x.kind, x.blocked = dialplan.TypePhone, true
	}
	if len(words) > 2 {
		for part := range strings.SplitSeq(strings.Join(words[2:], " "), ",") {
			c, err := parseContact(strings.Fields(part))
			if err != nil {
				return err
			}
			x.contacts = append(x.contacts, c)
		}
	}
	s.extensions = append(s.extensions, x)
	return nil
}

func parseContact(words []string) (contact, error) {
	if len(words) == 0 {
		return contact{}, fmt.Errorf("%w: a contact that does nothing", errSyntax)
	}
	timed, known := behaviours[words[0]]
	if !known || !timed && len(words) > 1 {
		return contact{}, fmt.Errorf("%w: a contact cannot %s", errSyntax, strings.Join(words, " "))
	}
	if !timed {
		return contact{behaviour: words[0]}, nil
	}
	d, err := duration(words[1:])
	return contact{words[0], d}, err
}

// maxWait bounds a scenario's times; virtual hours cost real time, too.
const maxWait = 24 * time.Hour

// duration reads the one word that must be a duration.
func duration(words []string) (time.Duration, error) {
	if len(words) != 1 {
		return 0, fmt.Errorf("%w: one duration is missing here", errSyntax)
	}
	d, err := time.ParseDuration(words[0])
	if err != nil || d <= 0 || d > maxWait {
		return 0, fmt.Errorf("%w: duration %q", errSyntax, words[0])
	}
	return d, nil
}
