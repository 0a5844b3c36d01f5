package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// The stored form of a row:
//
//	version  1 byte, of the table
//	flags    1 byte
//	expiry   8 bytes, Unix milliseconds, if flagExpiry
//	sealed   length as uvarint and that many bytes, if flagSealed
//	body     the rest, JSON or what Coded writes; nothing if flagTombstone
const (
	flagExpiry    = 1 << iota // the row is not there any more after that time
	flagSealed                // secrets follow, as a sealed JSON object of path -> text
	flagTombstone             // the row was deleted
)

// expirer is met by rows that carry their own end.
type expirer interface{ Expires() time.Time }

// Coded is met by the pointers of rows that know a cheaper form than JSON. The
// form must keep all that indexes look at, for they see the row as it was given.
// A Coded type holds no Secret.
type Coded interface {
	// AppendRow appends the form of the table's present version to b.
	AppendRow(b []byte) ([]byte, error)
	// ParseRow reads a row of the present or any earlier version and refuses
	// everything else with ErrDamaged. b is the caller's.
	ParseRow(version byte, b []byte) error
}

// codec turns rows of T into bytes and back.
type codec[T any] struct {
	sp      *Space
	prefix  Prefix
	version byte
	expires bool
	secrets bool
	coded   bool
}

func newCodec[T any](sp *Space, prefix Prefix, version byte) codec[T] {
	_, expires := any(new(T)).(expirer)
	_, coded := any(new(T)).(Coded)
	secrets := holdsSecret(reflect.TypeFor[T]())
	if coded && secrets {
		panic("store: " + string(prefix) + " holds a secret in a form of its own")
	}
	return codec[T]{sp, prefix, version, expires, secrets, coded}
}

// encode gives the stored form of a row, in memory of the transaction.
func (c codec[T]) encode(tx *Tx, key Key, row *T) ([]byte, error) {
	head := row0{version: c.version}
	if c.expires {
		if at := any(row).(expirer).Expires(); !at.IsZero() {
			head.flags |= flagExpiry
			head.expiry = at.UnixMilli()
		}
	}
	if c.coded {
		b, err := any(row).(Coded).AppendRow(head.append(tx.room(codedRoom)))
		if err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		return tx.keep(b), nil
	}
	body, err := json.Marshal(row)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if c.secrets {
		found := takeSecrets(reflect.ValueOf(row).Elem())
		if len(found) > 0 {
			plain, err := json.Marshal(found)
			if err != nil {
				return nil, fmt.Errorf("store: %w", err)
			}
			head.flags |= flagSealed
			head.sealed = c.sp.db.seal.seal(plain, c.about(key))
		}
	}
	return append(head.bytes(len(body)), body...), nil
}

// codedRoom is what a coded row is expected to need.
const codedRoom = 2 << 10

// about ties sealed secrets to their row, so that they open nowhere else.
func (c codec[T]) about(key Key) []byte {
	return []byte(c.sp.name + "\x00" + rowKey(c.prefix, key))
}

// decode reads a row; ErrNotFound if it is deleted or its time has come.
func (c codec[T]) decode(key Key, raw []byte) (row T, err error) {
	if c.gone(raw) {
		return row, ErrNotFound
	}
	return c.parse(key, raw)
}

// parse reads a row whether its time has come or not.
func (c codec[T]) parse(key Key, raw []byte) (row T, err error) {
	head, body, err := parseRow(raw)
	if err != nil {
		return row, fmt.Errorf("store: row %q %w", key, err)
	}
	if head.version != c.version && (!c.coded || head.version > c.version) {
		return row, fmt.Errorf("store: row %q of version %d, want %d: %w", key, head.version, c.version, ErrNewerStore)
	}
	if c.coded {
		err = any(&row).(Coded).ParseRow(head.version, body)
	} else {
		err = json.Unmarshal(body, &row)
	}
	if err != nil {
		return row, fmt.Errorf("store: row %q %w: %w", key, ErrDamaged, err)
	}
	if head.sealed != nil {
		plain, err := c.sp.db.seal.open(head.sealed, c.about(key))
		if err != nil {
			return row, fmt.Errorf("store: secrets of row %q: %w", key, err)
		}
		var found map[string]string
		if err := json.Unmarshal(plain, &found); err != nil {
			return row, fmt.Errorf("store: secrets of row %q: %w", key, err)
		}
		putSecrets(reflect.ValueOf(&row).Elem(), found)
	}
	return row, nil
}

// maybe decodes a row that may be absent, for watchers.
func (c codec[T]) maybe(key Key, raw []byte) (*T, error) {
	if raw == nil {
		return nil, nil
	}
	row, err := c.parse(key, raw)
	if err != nil {
		return nil, err
	}
	return &row, nil
}

// remains is what the indexes still hold of a stored row: nothing if there is
// none or it was deleted, the row if its time has merely come.
func (c codec[T]) remains(key Key, raw []byte) (*T, error) {
	if raw == nil || c.isTombstone(raw) {
		return nil, nil
	}
	return c.maybe(key, raw)
}

// gone reports whether a stored row is deleted or its time has come. Damaged
// bytes are not gone, so that reading them is an error.
func (c codec[T]) gone(raw []byte) bool {
	if raw == nil {
		return true
	}
	head, _, err := parseRow(raw)
	if err != nil {
		return false
	}
	return head.flags&flagTombstone != 0 ||
		head.flags&flagExpiry != 0 && time.Now().UnixMilli() >= head.expiry
}

func (c codec[T]) isTombstone(raw []byte) bool {
	return len(raw) > 1 && raw[1]&flagTombstone != 0
}

// tombstone is what takes the place of a deleted row: nothing, or for a row with
// an expiry a mark that lasts as long as the row would have. Should the database
// ever show an older state of the key, that row would have expired by itself.
func (c codec[T]) tombstone(raw []byte) []byte {
	head, _, err := parseRow(raw)
	if err != nil || head.flags&flagExpiry == 0 {
		return nil
	}
	return row0{version: c.version, flags: flagTombstone | flagExpiry, expiry: head.expiry}.bytes(0)
}

// row0 is the head of a stored row.
type row0 struct {
	version, flags byte
	expiry         int64
	sealed         []byte
}

// bytes writes the head with room for a body.
func (h row0) bytes(body int) []byte {
	return h.append(make([]byte, 0, 2+8+binary.MaxVarintLen64+len(h.sealed)+body))
}

func (h row0) append(b []byte) []byte {
	b = append(b, h.version, h.flags)
	if h.flags&flagExpiry != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(h.expiry))
	}
	if h.flags&flagSealed != 0 {
		b = binary.AppendUvarint(b, uint64(len(h.sealed)))
		b = append(b, h.sealed...)
	}
	return b
}

// parseRow takes a stored row apart. The parts share its memory.
func parseRow(raw []byte) (h row0, body []byte, err error) {
	if len(raw) < 2 {
		return h, nil, ErrDamaged
	}
	h.version, h.flags, body = raw[0], raw[1], raw[2:]
	if h.flags&^(flagExpiry|flagSealed|flagTombstone) != 0 {
		return h, nil, ErrDamaged
	}
	if h.flags&flagExpiry != 0 {
		if len(body) < 8 {
			return h, nil, ErrDamaged
		}
		h.expiry, body = int64(binary.BigEndian.Uint64(body)), body[8:]
	}
	if h.flags&flagSealed != 0 {
		n, size := binary.Uvarint(body)
		if size <= 0 || n > uint64(len(body)-size) {
			return h, nil, ErrDamaged
		}
		h.sealed, body = body[size:size+int(n)], body[size+int(n):]
	}
	return h, body, nil
}
