package dialplan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// setGroups checks the groups and puts them into v.
func (v *View) setGroups(list []Group) error {
	v.groups = make(map[int64]Group, len(list))
	for _, g := range list {
		if err := v.checkGroup(g); err != nil {
			return err
		}
		v.groups[g.ID] = g
	}
	return nil
}

func (v *View) checkGroup(g Group) error {
	var e FieldErrors
	e.check(g.ID > 0, "id", "must be above 0")
	e.check(g.ClientID == v.client.ID, "client_id", "is another client")
	err := e.err()
	if err == nil {
		err = g.Validate()
	}
	if err != nil {
		return &RowError{fmt.Sprintf("extension group %d (%s)", g.ID, g.Name), err}
	}
	return nil
}

// Groups lists the client's groups by id.
func (v *View) Groups() []Group {
	return slices.SortedFunc(maps.Values(v.groups), func(a, b Group) int { return cmp.Compare(a.ID, b.ID) })
}

// Group finds a group by id.
func (v *View) Group(id int64) (Group, bool) {
	g, ok := v.groups[id]
	return g, ok
}

// WithGroup returns a View in which the group is added, or replaces the one of
// the same id. The error is a RowError; v stays as it is either way.
func (v *View) WithGroup(g Group) (*View, error) {
	if err := v.checkGroup(g); err != nil {
		return nil, err
	}
	n := *v
	n.groups = maps.Clone(v.groups)
	n.groups[g.ID] = g
	return &n, nil
}

// WithoutGroup returns a View that lacks the group. The error is the RowError of
// an extension that is still in it.
func (v *View) WithoutGroup(id int64) (*View, error) {
	n := *v
	n.groups = maps.Clone(v.groups)
	delete(n.groups, id)
	for row := range v.Extensions() {
		if in := row.Extension.GroupID; in != nil && *in == id {
			return nil, rowError(row.Extension, FieldErrors{{"extension_group_id", "is in the group"}})
		}
	}
	return &n, nil
}
