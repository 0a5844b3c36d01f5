package location

import "sync"

// flows knows which extensions have a binding over which stream connection. Its
// lock is taken inside that of a shard, never around one.
type flows struct {
	mu         sync.Mutex
	extensions map[uint64]map[int64]struct{}
}

func (f *flows) enter(conn uint64, extension int64) {
	if conn == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	set := f.extensions[conn]
	if set == nil {
		set = map[int64]struct{}{}
		f.extensions[conn] = set
	}
	set[extension] = struct{}{}
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
	set := f.extensions[conn]
	delete(f.extensions, conn)
	return set
}
