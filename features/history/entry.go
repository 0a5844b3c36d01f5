package history

import (
	"encoding/binary"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/store"
)

// An entry of the journal is the version of its form, 1 byte, and the form. Up to
// version 2 that was the record as the switch would have it if it were killed then;
// since then it is the tale of the call, to which more is appended as it goes on. Before
// the tale stand the time of the entry, the client and how many events are not in the
// tale, 8 bytes each.
const entryHead = 1 + 3*8

// appendEntry appends the journal entry of a call as of now.
func (r *running) appendEntry(b []byte, now time.Time) []byte {
	b = append(b, recordVersion)
	for _, n := range []int64{now.UnixNano(), r.client, int64(r.left)} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return append(b, r.tale.b...)
}

// parseEntry reads the journal entry of a call, of this or any earlier version. A call
// that had not ended ends with the last sign of life, be that the entry itself.
func parseEntry(rec *Record, id call.ID, b []byte, sign time.Time, ext func(client, id int64) Extension) error {
	switch {
	case len(b) == 0 || b[0] > recordVersion:
		return store.ErrDamaged
	case b[0] < 3:
		return rec.ParseRow(b[0], b[1:])
	case len(b) < entryHead:
		return store.ErrDamaged
	}
	number := func(n int) int64 { return int64(binary.BigEndian.Uint64(b[1+8*n:])) }
	now := time.Unix(0, number(0)).UTC()
	var r *running
	seq := 0
	err := retell(string(b[entryHead:]), b[0], func(ev *call.Event) {
		ev.Call, ev.Client = id, number(1)
		seq = ev.Seq
		if r == nil {
			r = begin(ev)
		} else {
			r.apply(ev)
		}
		if now.Before(ev.At) { // what was appended is later
			now = ev.At
		}
	})
	if err != nil || r == nil {
		return store.ErrDamaged
	}
	r.left = int(number(2))
	if now.Before(sign) {
		now = sign
	}
	if r.over.IsZero() {
		r.killed(now, seq)
	}
	*rec = r.record(r.over, ext)
	return nil
}
