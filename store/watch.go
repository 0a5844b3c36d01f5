package store

import "sync"

// change is a row that a transaction wrote, in stored form.
type change struct {
	prefix   Prefix
	key      Key
	old, new []byte // nil if there was none, or is none any more
}

// watches are the watchers of a space, by table.
type watches struct {
	mu   sync.Mutex
	next int
	by   map[Prefix][]watcher
}

type watcher struct {
	id int
	fn func(change)
}

func (w *watches) add(p Prefix, fn func(change)) (cancel func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = make(map[Prefix][]watcher)
	}
	w.next++
	id := w.next
	w.by[p] = append(w.by[p], watcher{id, fn})
	return func() { w.remove(p, id) }
}

// any reports whether a table has watchers.
func (w *watches) any(p Prefix) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.by[p]) > 0
}

// remove takes a watcher out. The list is replaced, not changed, because tell
// may be walking over it.
func (w *watches) remove(p Prefix, id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var rest []watcher
	for _, one := range w.by[p] {
		if one.id != id {
			rest = append(rest, one)
		}
	}
	w.by[p] = rest
}

// tell calls the watchers in the order of the changes. No lock is held meanwhile.
func (w *watches) tell(changes []change) {
	for _, ch := range changes {
		w.mu.Lock()
		list := w.by[ch.prefix]
		w.mu.Unlock()
		for _, one := range list[:len(list):len(list)] {
			one.fn(ch)
		}
	}
}
