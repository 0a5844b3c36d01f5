package location

import "time"

// agenda is a heap of entries by due time. A refresh only ever moves a deadline
// back, so it leaves the agenda alone: an entry that is looked at too early is
// put back.
type agenda []*entry

func (a *agenda) push(e *entry, due time.Time) {
	e.due, e.slot = due, len(*a)
	*a = append(*a, e)
	a.up(e.slot)
}

// moveUp sees to it that e is looked at no later than due.
func (a agenda) moveUp(e *entry, due time.Time) {
	if due.Before(e.due) {
		e.due = due
		a.up(e.slot)
	}
}

// putBack moves an entry that was looked at too early.
func (a agenda) putBack(e *entry, due time.Time) {
	e.due = due
	a.down(e.slot)
}

func (a *agenda) remove(e *entry) {
	last := len(*a) - 1
	i := e.slot
	a.swap(i, last)
	(*a)[last] = nil
	*a = (*a)[:last]
	if i < last {
		a.down(i)
		a.up(i)
	}
}

func (a agenda) swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].slot, a[j].slot = i, j
}

func (a agenda) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !a[i].due.Before(a[parent].due) {
			return
		}
		a.swap(i, parent)
		i = parent
	}
}

func (a agenda) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(a) {
			return
		}
		if r := child + 1; r < len(a) && a[r].due.Before(a[child].due) {
			child = r
		}
		if !a[child].due.Before(a[i].due) {
			return
		}
		a.swap(i, child)
		i = child
	}
}
