package api

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/store"
)

// memory is a Configuration without a store: the rules that the API shows, and
// no more.
type memory struct {
	mu         sync.Mutex
	next       int64
	clients    map[int64]dialplan.Client
	extensions map[int64]dialplan.Row
	groups     map[int64]dialplan.Group
	lists      map[int64][]dialplan.Row // by client and id; rebuilt when nil
	hook       func()                   // runs in AddExtension, outside the lock
}

func newMemory() *memory {
	return &memory{
		next: 1000, clients: map[int64]dialplan.Client{}, extensions: map[int64]dialplan.Row{},
		groups: map[int64]dialplan.Group{}, lists: map[int64][]dialplan.Row{},
	}
}

func byID[T any](m map[int64]T, keep func(T) bool) []T {
	var list []T
	for _, id := range slices.Sorted(maps.Keys(m)) {
		if keep(m[id]) {
			list = append(list, m[id])
		}
	}
	return list
}

func (m *memory) Clients() []dialplan.Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	return byID(m.clients, func(dialplan.Client) bool { return true })
}

func (m *memory) Client(id int64) (dialplan.Client, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.clients[id]
	return c, ok
}

func (m *memory) AddClient(_ context.Context, c dialplan.Client) (dialplan.Client, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := c.Validate(); err != nil {
		return c, err
	}
	for _, other := range m.clients {
		if other.Prefix == c.Prefix {
			return c, fmt.Errorf("prefix: %w", store.ErrTaken)
		}
	}
	m.next++
	c.ID = m.next
	m.clients[c.ID] = c
	return c, nil
}

func (m *memory) ChangeClient(_ context.Context, id int64, change func(*dialplan.Client) error) (dialplan.Client, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.clients[id]
	if !ok {
		return c, store.ErrNotFound
	}
	if err := change(&c); err != nil {
		return c, err
	}
	if err := c.Validate(); err != nil {
		return c, err
	}
	m.clients[id] = c
	return c, nil
}

func (m *memory) DeleteClient(_ context.Context, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, row := range m.extensions {
		if row.Extension.ClientID == id {
			return ErrInUse
		}
	}
	delete(m.clients, id)
	return nil
}

func (m *memory) Extensions(client int64) []dialplan.Row {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lists[client] == nil {
		m.lists[client] = byID(m.extensions, func(r dialplan.Row) bool { return r.Extension.ClientID == client })
	}
	return m.lists[client]
}

func (m *memory) Extension(id int64) (dialplan.Row, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.extensions[id]
	return row, ok
}

func (m *memory) FindExtension(client int64, name string) (dialplan.Row, bool) {
	for _, row := range m.Extensions(client) {
		if row.Extension.Name == name || row.Extension.Number() == name {
			return row, true
		}
	}
	return dialplan.Row{}, false
}

func (m *memory) AddExtension(_ context.Context, n NewExtension) (dialplan.Row, error) {
	if m.hook != nil {
		m.hook()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	row := dialplan.Row{Extension: n.Extension, Phone: n.Phone}
	m.next++
	row.Extension.ID = m.next
	if !strings.Contains(row.Extension.Name, "*") {
		row.Extension.Name = m.clients[n.Extension.ClientID].Prefix + "*" + row.Extension.Name
	}
	if err := row.Extension.Validate(); err != nil {
		return row, err
	}
	for _, other := range m.extensions {
		if other.Extension.Name == row.Extension.Name {
			return row, fmt.Errorf("name: %w", store.ErrTaken)
		}
	}
	m.extensions[row.Extension.ID] = row
	m.lists[row.Extension.ClientID] = nil
	return row, nil
}

func (m *memory) ChangeExtension(_ context.Context, id int64, change func(*dialplan.Row) error) (dialplan.Row, error) {
	row, ok := m.Extension(id)
	if !ok {
		return row, store.ErrNotFound
	}
	if err := change(&row); err != nil {
		return row, err
	}
	if err := row.Extension.Validate(); err != nil {
		return row, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.extensions[id] = row
	m.lists[row.Extension.ClientID] = nil
	return row, nil
}

func (m *memory) ChangePhone(ctx context.Context, id int64, change func(*dialplan.Phone) error, _ string) (dialplan.Row, error) {
	return m.ChangeExtension(ctx, id, func(row *dialplan.Row) error { return change(&row.Phone) })
}

func (m *memory) DeleteExtension(_ context.Context, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists[m.extensions[id].Extension.ClientID] = nil
	delete(m.extensions, id)
	return nil
}

func (m *memory) Groups(client int64) []dialplan.Group {
	m.mu.Lock()
	defer m.mu.Unlock()
	return byID(m.groups, func(g dialplan.Group) bool { return g.ClientID == client })
}

func (m *memory) AddGroup(_ context.Context, g dialplan.Group) (dialplan.Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := g.Validate(); err != nil {
		return g, err
	}
	m.next++
	g.ID = m.next
	m.groups[g.ID] = g
	return g, nil
}

func (m *memory) ChangeGroup(_ context.Context, client, id int64, change func(*dialplan.Group) error) (dialplan.Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g, ok := m.groups[id]
	if !ok || g.ClientID != client {
		return g, store.ErrNotFound
	}
	if err := cmp.Or(change(&g), g.Validate()); err != nil {
		return g, err
	}
	m.groups[id] = g
	return g, nil
}

func (m *memory) DeleteGroup(_ context.Context, client, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.groups[id].ClientID != client {
		return store.ErrNotFound
	}
	delete(m.groups, id)
	return nil
}

func (m *memory) Version(int64) uint64 { return 1 }
