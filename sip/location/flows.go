package location

import "sync"

// flows knows which extensions have a binding over which stream connection. Its
// lock is taken inside that of a shard, never around one.
type flows struct {
	mu         sync.Mutex
	extensions map[uint64]map[int64]struct{}
	// gone are the connections lost last: a REGISTER that came over one may
	// still be on its way through the edge.
	gone   map[uint64]struct{}
	oldest [goneKept]uint64 // a ring of what is in gone
	next   int
}

const goneKept = 4096

func newFlows() flows {
	return flows{extensions: map[uint64]map[int64]struct{}{}, gone: map[uint64]struct{}{}}
}

// enter notes that an extension has a binding over conn. It reports false if
// that connection is lost already.
func (f *flows) enter(conn uint64, extension int64) bool {
	if conn == 0 {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, lost := f.gone[conn]; lost {
		return false
	}
	set := f.extensions[conn]
	if set == nil {
		set = map[int64]struct{}{}
		f.extensions[conn] = set
	}
	set[extension] = struct{}{}
	return true
}

// leave is called when a binding of rec no longer uses conn; another one may.
// Suspended ones do not: their connection is lost.
func (f *flows) leave(conn uint64, rec *record) {
	if conn == 0 {
		return
	}
	for _, e := range rec.active {
		if e.Flow.Conn == conn && !e.Suspended {
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.extensions[conn], rec.extension)
	if len(f.extensions[conn]) == 0 {
		delete(f.extensions, conn)
	}
}

// lost forgets a connection and returns who used it.
func (f *flows) lost(conn uint64) map[int64]struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.gone[conn]; !known && conn != 0 {
		delete(f.gone, f.oldest[f.next])
		f.gone[conn] = struct{}{}
		f.oldest[f.next] = conn
		f.next = (f.next + 1) % goneKept
	}
	set := f.extensions[conn]
	delete(f.extensions, conn)
	return set
}
