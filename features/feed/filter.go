package feed

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Filter says which events a reader wants.
type Filter struct {
	Types Types
	// Extension, if not 0, leaves what its user may see: of the calls the
	// extension has a leg in, or had one at that moment, the call.* events; of
	// its own legs leg.* and media.finding; its registrations, lamps and, where
	// those say so, its queues; changes of its own configuration.
	Extension int64
	// Sees, if not nil, leaves likewise what the users of those extensions may
	// see for which it says yes: those of a group. It is asked at every event,
	// under a lock, so it must be quick.
	Sees func(extension int64) bool
}

func (f Filter) wants(it *item) bool {
	switch {
	case f.Extension != 0 && !slices.Contains(it.seen, f.Extension),
		f.Sees != nil && !slices.ContainsFunc(it.seen, f.Sees):
		return false
	}
	return f.Types.want(it.kind)
}

// Types are the kinds a reader wants: exact names, or a group with or without
// its star: "call.*", "call". None means all. See ParseTypes.
type Types []string

// ErrType says that the stream has no event of such a name.
var ErrType = errors.New("no such event type")

// maxTypes bounds what is looked at for every event.
const maxTypes = 64

// ParseTypes reads a list of types separated by commas; spaces and empty parts
// are ignored. Errors wrap ErrType and name what is wrong.
func ParseTypes(list string) (Types, error) {
	var types Types
	for part := range strings.SplitSeq(list, ",") {
		name := strings.TrimSpace(part)
		if name == "" {
			continue
		}
		name = strings.TrimSuffix(name, ".*")
		if !known(name) {
			return nil, fmt.Errorf("%.64q: %w", name, ErrType)
		}
		if !slices.Contains(types, name) {
			types = append(types, name)
		}
		if len(types) > maxTypes {
			return nil, fmt.Errorf("more than %d: %w", maxTypes, ErrType)
		}
	}
	return types, nil
}

// known reports whether a name is that of a kind or of a group of them.
func known(name string) bool {
	group := name + "."
	if group == queuePrefix || strings.HasPrefix(name, queuePrefix) && len(name) > len(queuePrefix) {
		return true
	}
	return slices.ContainsFunc(kinds, func(k Kind) bool { return string(k) == name || strings.HasPrefix(string(k), group) })
}

func (t Types) want(k Kind) bool {
	if len(t) == 0 {
		return true
	}
	for _, name := range t {
		rest, ok := strings.CutPrefix(string(k), name)
		if ok && (rest == "" || rest[0] == '.') {
			return true
		}
	}
	return false
}
