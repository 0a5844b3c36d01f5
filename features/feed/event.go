package feed

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ID is the number of an event in the stream of its client, above 0 and below
// 2^53. As Last-Event-ID, 0 means none.
type ID uint64

// maxID keeps ids exact in JavaScript.
const maxID ID = 1<<53 - 1

// Kind names an event, see spec/shapes.md.
type Kind string

// The kinds that do not come from the calls; those are call.EventKind.
const (
	KindRegistered   Kind = "registration.added"
	KindUnregistered Kind = "registration.removed"
	KindLamp         Kind = "lamp.changed"
	KindConfig       Kind = "config.changed"
	// KindGap tells a reader that it missed the events with the ids from
	// {"from":…,"to":…}, both included. It is sent whatever the types, and its
	// own id is that of "to".
	KindGap Kind = "stream.gap"
)

// queuePrefix begins the kinds of queues, which those name.
const queuePrefix = "queue."

// kinds are the names that the stream has, but for those of queues.
var kinds = []Kind{
	"call.started", "call.ringing", "call.answered", "call.held", "call.resumed", "call.transferred", "call.joined", "call.ended",
	"leg.started", "leg.ended", "media.finding", KindRegistered, KindUnregistered, KindLamp, KindConfig, KindGap,
}

// streamed reports whether the stream has events of this kind.
func (k Kind) streamed() bool {
	return slices.Contains(kinds, k) || strings.HasPrefix(string(k), queuePrefix)
}

// Event is one event as it is sent.
type Event struct {
	ID   ID
	Kind Kind
	// Data is a JSON object on one line, shared with other readers: not to be
	// changed.
	Data []byte
}

// item is an event in a ring. It does not change but for its JSON.
type item struct {
	id   ID
	kind Kind
	kept time.Time // when it came; with a monotonic reading
	// seen are the extensions whose users may see it.
	seen []int64
	cost int // bytes, roughly, with its JSON
	data any
	json atomic.Pointer[[]byte]
}

// event renders an item, once. Two readers at the same time may both do it.
func (it *item) event() Event {
	if p := it.json.Load(); p != nil {
		return Event{it.id, it.kind, *p}
	}
	raw, err := json.Marshal(it.data)
	if err != nil {
		raw = []byte(`{"error":"event cannot be shown"}`) // only what Publish was given can be so
	}
	it.json.Store(&raw)
	return Event{it.id, it.kind, raw}
}

// about is what the data of every event begins with.
type about struct {
	Call      text   `json:"call_uuid"`
	Leg       text   `json:"call_api_id"`
	Extension number `json:"extension_id"`
	At        moment `json:"at"`
}

// text is null when empty.
type text string

func (s text) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(s))
}

// number is null when 0.
type number int64

func (n number) MarshalJSON() ([]byte, error) {
	if n == 0 {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(n), 10), nil
}

// moment is a time in UTC with milliseconds.
type moment time.Time

func (m moment) MarshalJSON() ([]byte, error) {
	return time.Time(m).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), nil
}

// seconds is a duration in seconds with up to three decimals.
type seconds time.Duration

func (s seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Duration(s).Milliseconds())/1000, 'f', -1, 64), nil
}

func secondsOf(d time.Duration) seconds { return seconds(max(d, 0)) }
