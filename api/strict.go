package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays of a body may nest (H2).
const maxDepth = 32

// parseStrict reads a JSON body without the leniencies of encoding/json: bytes
// that are not UTF-8, members that come twice, anything after the value, and
// nesting beyond maxDepth are refused, with a pointer to the place (H3). Numbers
// stay as written (json.Number).
func parseStrict(body []byte) (any, *Problem) {
	s := strict{dec: json.NewDecoder(bytes.NewReader(body)), bad: badByte(body)}
	s.dec.UseNumber()
	v, fault := s.value(0)
	if fault == nil && s.bad < len(body) {
		fault = &FieldError{"", "is not valid UTF-8"}
	}
	if fault == nil && s.dec.More() || fault == nil && len(bytes.TrimSpace(body[s.dec.InputOffset():])) > 0 {
		fault = &FieldError{"", "something follows the JSON value"}
	}
	if fault != nil {
		return nil, badRequest(*fault)
	}
	return v, nil
}

// badByte is the place of the first byte that is not UTF-8, len(b) without one.
func badByte(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

type strict struct {
	dec *json.Decoder
	bad int // offset of the first byte that is not UTF-8
	// place is where the reading is. It becomes a pointer only for a fault: one
	// for each element below a long name would cost far more than the body.
	place []step
}

// step leads to a member of an object or to an element of an array.
type step struct {
	name  string
	index int // of an element; -1 for a member
}

// fault is about the place where the reading is.
func (s *strict) fault(message string) *FieldError {
	var at strings.Builder
	for _, step := range s.place {
		at.WriteByte('/')
		if step.index < 0 {
			at.WriteString(pointerToken(step.name))
		} else {
			at.WriteString(strconv.Itoa(step.index))
		}
	}
	return &FieldError{at.String(), message}
}

// value reads the next value.
func (s *strict) value(depth int) (any, *FieldError) {
	token, fault := s.token()
	if fault != nil {
		return nil, fault
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case depth == maxDepth:
		return nil, s.fault("is nested deeper than 32")
	case delim == '{':
		return s.object(depth + 1)
	}
	return s.array(depth + 1)
}

func (s *strict) token() (json.Token, *FieldError) {
	token, err := s.dec.Token()
	if int(s.dec.InputOffset()) > s.bad {
		return nil, s.fault("is not valid UTF-8")
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, s.fault("is not JSON: " + syntax.Error())
	case err != nil:
		return nil, s.fault("is not JSON: it ends too early")
	}
	return token, nil
}

// below reads the value that one more step leads to.
func (s *strict) below(to step, depth int) (any, *FieldError) {
	s.place = append(s.place, to)
	v, fault := s.value(depth)
	s.place = s.place[:len(s.place)-1]
	return v, fault
}

func (s *strict) object(depth int) (any, *FieldError) {
	members := map[string]any{}
	for s.dec.More() {
		token, fault := s.token()
		if fault != nil {
			return nil, fault
		}
		name, ok := token.(string)
		if !ok {
			return nil, s.fault("is not JSON: a member's name must be a string")
		}
		if _, twice := members[name]; twice {
			s.place = append(s.place, step{name, -1})
			return nil, s.fault("is given twice")
		}
		if members[name], fault = s.below(step{name, -1}, depth); fault != nil {
			return nil, fault
		}
	}
	_, fault := s.token()
	return members, fault
}

func (s *strict) array(depth int) (any, *FieldError) {
	list := []any{}
	for s.dec.More() {
		v, fault := s.below(step{index: len(list)}, depth)
		if fault != nil {
			return nil, fault
		}
		list = append(list, v)
	}
	_, fault := s.token()
	return list, fault
}
