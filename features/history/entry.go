package history

import (
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// An entry of the journal is the version of its form, 1 byte, and the form. Up to
// version 2 that was the record as the switch would have it if it were killed then;
// since then it is what such a record can be made of, which is less to write.

// appendEntry appends the journal entry of a call as of now.
func (r *running) appendEntry(w *writer, b []byte, now time.Time) []byte {
	w.begin(append(b, recordVersion), r.started)
	w.time(now)
	w.text(string(r.id))
	w.int(r.client)
	w.party(&r.caller)
	w.text(r.dialled)
	w.text(string(r.main))
	w.time(r.answered)
	w.time(r.bridged)
	w.time(r.first)
	w.int(int64(r.talked))
	w.party(&r.partner)
	w.time(r.over)
	w.text(string(r.cause))
	w.text(string(r.endedBy))
	w.int(int64(r.left))
	writeList(w, r.legs, w.runningLeg)
	w.part(r.tale.b)
	return w.b
}

// parseEntry reads a journal entry of this or any earlier version.
func parseEntry(rec *Record, b []byte, ext func(client, id int64) Extension) error {
	switch {
	case len(b) == 0 || b[0] > recordVersion:
		return store.ErrDamaged
	case b[0] < 3:
		return rec.ParseRow(b[0], b[1:])
	}
	r := newReader(string(b[1:]))
	now := r.time()
	call := r.running()
	if r.err != nil || r.at < len(r.s) {
		return store.ErrDamaged
	}
	if _, _, err := readTale(string(call.tale.b)); err != nil {
		return err
	}
	*rec = call.record(now, ext)
	return nil
}

func (r *reader) running() *running {
	c := &running{started: time.Unix(0, r.base).UTC(), id: call.ID(r.text()), client: r.int(), caller: r.party(), dialled: r.text()}
	c.main, c.answered, c.bridged, c.first = call.LegID(r.text()), r.time(), r.time(), r.time()
	c.talked, c.partner = time.Duration(r.int()), r.party()
	c.over, c.cause, c.endedBy, c.left = r.time(), call.Cause(r.text()), call.LegID(r.text()), int(r.int())
	c.legs = list(r, r.runningLeg)
	c.tale.b = []byte(r.bytes(r.uint()))
	return c
}

func (w *writer) party(p *call.Party) {
	w.int(p.Extension)
	w.text(p.Number)
	w.text(p.Name)
	w.text(p.Domain)
	w.bool(p.Anonymous)
}

func (r *reader) party() call.Party {
	return call.Party{Extension: r.int(), Number: r.text(), Name: r.text(), Domain: r.text(), Anonymous: r.bool()}
}

func (w *writer) runningLeg(l *runningLeg) {
	w.text(string(l.id))
	w.party(&l.party)
	w.text(string(l.direction))
	w.time(l.started)
	w.time(l.answered)
	w.time(l.ended)
	w.text(string(l.cause))
	w.bool(l.remote)
	w.bool(l.stats != nil)
	if l.stats != nil {
		w.media(l.stats)
	}
	w.text(string(l.moved))
}

func (r *reader) runningLeg() (l runningLeg) {
	l.id, l.party, l.direction = call.LegID(r.text()), r.party(), call.Direction(r.text())
	l.started, l.answered, l.ended = r.time(), r.time(), r.time()
	l.cause, l.remote = call.Cause(r.text()), r.bool()
	if r.bool() {
		l.stats = &call.MediaStats{}
		r.media(l.stats)
	}
	l.moved = call.ID(r.text())
	return l
}
