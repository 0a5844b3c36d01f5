package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// maxFaults bounds the list of faults of one answer.
const maxFaults = 20

// checker holds a parsed body against its schema. Unlike huma's own check it
// minds the case of names, refuses null where it is not allowed, knows the range
// of integers, and points with RFC 6901.
type checker struct {
	schemas huma.Registry
	faults  []FieldError
}

func (c *checker) fault(at, message string) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, FieldError{at, message})
	}
}

// check looks at v, which lies at the pointer at.
func (c *checker) check(s *huma.Schema, v any, at string) {
	for s.Ref != "" {
		s = c.schemas.SchemaFromRef(s.Ref)
	}
	if len(s.OneOf) > 0 {
		c.oneOf(s.OneOf, v, at)
		return
	}
	if v == nil {
		if !s.Nullable && s.Type != "" {
			c.fault(at, "must not be null")
		}
		return
	}
	switch s.Type {
	case huma.TypeObject:
		c.object(s, v, at)
	case huma.TypeArray:
		c.array(s, v, at)
	case huma.TypeInteger:
		c.integer(s, v, at)
	case "":
	default:
		c.scalar(s, v, at)
	}
}

// oneOf wants one alternative without faults; the last one's faults are told.
func (c *checker) oneOf(alternatives []*huma.Schema, v any, at string) {
	var try checker
	for _, s := range alternatives {
		try = checker{schemas: c.schemas}
		if try.check(s, v, at); len(try.faults) == 0 {
			return
		}
	}
	c.faults = append(c.faults, try.faults...)
}

func (c *checker) object(s *huma.Schema, v any, at string) {
	members, ok := v.(map[string]any)
	if !ok {
		c.fault(at, "must be an object")
		return
	}
	for _, name := range s.Required {
		if _, ok := members[name]; !ok {
			c.fault(at+"/"+pointerToken(name), "is required")
		}
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names) // the same body always gets the same answer
	more, _ := s.AdditionalProperties.(*huma.Schema)
	for _, name := range names {
		place := at + "/" + pointerToken(name)
		switch property := s.Properties[name]; {
		case property != nil:
			c.check(property, members[name], place)
		case more != nil:
			c.check(more, members[name], place)
		case s.AdditionalProperties != true:
			c.fault(place, "is not a known field")
		}
	}
}

func (c *checker) array(s *huma.Schema, v any, at string) {
	list, ok := v.([]any)
	switch {
	case !ok:
		c.fault(at, "must be an array")
		return
	case s.MaxItems != nil && len(list) > *s.MaxItems:
		c.fault(at, fmt.Sprintf("must have at most %d elements", *s.MaxItems))
		return
	case s.MinItems != nil && len(list) < *s.MinItems:
		c.fault(at, fmt.Sprintf("must have at least %d elements", *s.MinItems))
	}
	for i, element := range list {
		c.check(s.Items, element, at+"/"+strconv.Itoa(i))
	}
}

// integer wants digits only: 1.0 and 1e2 are numbers that a field of integers
// does not hold.
func (c *checker) integer(s *huma.Schema, v any, at string) {
	number, ok := v.(json.Number)
	if !ok || strings.ContainsAny(string(number), ".eE") {
		c.fault(at, "must be an integer")
		return
	}
	bits := 64
	if s.Format == "int32" {
		bits = 32
	}
	if _, err := strconv.ParseInt(string(number), 10, bits); err != nil {
		c.fault(at, "is out of range")
		return
	}
	c.scalar(s, v, at)
}

// scalar leaves ranges, patterns, formats and enumerations to huma.
func (c *checker) scalar(s *huma.Schema, v any, at string) {
	if number, ok := v.(json.Number); ok {
		f, err := number.Float64()
		if err != nil {
			c.fault(at, "is out of range")
			return
		}
		v = f
	}
	if len(s.Enum) > 0 && slices.Contains(s.Enum, v) {
		return
	}
	var res huma.ValidateResult
	huma.Validate(c.schemas, s, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, v, &res)
	for _, err := range res.Errors {
		message := err.Error()
		if detail, ok := err.(*huma.ErrorDetail); ok {
			message = detail.Message
		}
		c.fault(at, ownWords(message))
	}
}

// humaWords are the beginnings of huma's messages and what we say.
var humaWords = [][2]string{
	{"expected value to be ", "must be "},
	{"expected string to ", "must "},
	{"expected string", "must be a string"},
	{"expected boolean", "must be true or false"},
	{"expected number ", "must be "},
	{"expected number", "must be a number"},
	{"expected integer", "must be an integer"},
	{"expected length ", "must have a length "},
	{"expected array length ", "must have a length "},
	{"expected ", "must be "},
	{"invalid integer", "must be an integer"},
	{"invalid boolean", "must be true or false"},
}

// ownWords says what huma says, as the rest of our messages.
func ownWords(message string) string {
	message = strings.Replace(strings.Replace(message, ", None, <nil>", ", null", 1), ", <nil>", ", null", 1)
	for _, words := range humaWords {
		if rest, ok := strings.CutPrefix(message, words[0]); ok {
			return words[1] + rest
		}
	}
	return message
}
