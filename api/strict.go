package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
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
	v, fault := s.value("", 0)
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
}

// value reads the next value; at is the pointer to it.
func (s *strict) value(at string, depth int) (any, *FieldError) {
	token, fault := s.token(at)
	if fault != nil {
		return nil, fault
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case depth == maxDepth:
		return nil, &FieldError{at, "is nested deeper than 32"}
	case delim == '{':
		return s.object(at, depth+1)
	}
	return s.array(at, depth+1)
}

func (s *strict) token(at string) (json.Token, *FieldError) {
	token, err := s.dec.Token()
	if int(s.dec.InputOffset()) > s.bad {
		return nil, &FieldError{at, "is not valid UTF-8"}
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, &FieldError{at, "is not JSON: " + syntax.Error()}
	case err != nil:
		return nil, &FieldError{at, "is not JSON: it ends too early"}
	}
	return token, nil
}

func (s *strict) object(at string, depth int) (any, *FieldError) {
	members := map[string]any{}
	for s.dec.More() {
		token, fault := s.token(at)
		if fault != nil {
			return nil, fault
		}
		name, ok := token.(string)
		if !ok {
			return nil, &FieldError{at, "is not JSON: a member's name must be a string"}
		}
		place := at + "/" + pointerToken(name)
		if _, twice := members[name]; twice {
			return nil, &FieldError{place, "is given twice"}
		}
		if members[name], fault = s.value(place, depth); fault != nil {
			return nil, fault
		}
	}
	_, fault := s.token(at)
	return members, fault
}

func (s *strict) array(at string, depth int) (any, *FieldError) {
	list := []any{}
	for s.dec.More() {
		v, fault := s.value(at+"/"+strconv.Itoa(len(list)), depth)
		if fault != nil {
			return nil, fault
		}
		list = append(list, v)
	}
	_, fault := s.token(at)
	return list, fault
}
