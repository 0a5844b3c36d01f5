package feed

import (
	"encoding/json"
	"errors"
	"time"
)

// Registration is what the stream tells of a phone's registration; the names are
// those of the registration resource.
type Registration struct {
	Extension int64
	Number    string // within the client: "101"
	ID        string // registration_id
	Contact   string // as the phone named it
	Address   string // where it really is
	Device    string // its User-Agent
	Left      int    // registrations the extension has after the event
	Reason    string // why it ended
	At        time.Time
}

type registrationData struct {
	about
	Number  string `json:"short_ext_name"`
	ID      string `json:"registration_id"`
	Device  string `json:"device"`
	Contact string `json:"contact_address"`
	Address string `json:"real_address"`
	Left    int    `json:"registrations"`
	Reason  string `json:"reason,omitempty"`
}

// Registered tells that a phone has registered, or can be reached again.
func (f *Feed) Registered(client int64, r Registration) { f.registration(client, KindRegistered, r) }

// Unregistered tells that a registration has ended, or is cut off.
func (f *Feed) Unregistered(client int64, r Registration) {
	f.registration(client, KindUnregistered, r)
}

func (f *Feed) registration(client int64, kind Kind, r Registration) {
	if r.At.IsZero() {
		r.At = time.Now()
	}
	d := &registrationData{
		about: about{Extension: number(r.Extension), At: moment(r.At)}, Number: r.Number, ID: r.ID,
		Device: r.Device, Contact: r.Contact, Address: r.Address, Left: r.Left, Reason: r.Reason,
	}
	size := 2 * (len(r.ID) + len(r.Device) + len(r.Contact) + len(r.Address)) // here and in the JSON
	f.append(client, &item{kind: kind, seen: only(r.Extension), cost: baseCost + size, data: d})
}

type configData struct {
	about
	What    string `json:"what"`
	ID      int64  `json:"id"`
	Version uint64 `json:"version"`
}

// Changed tells that a resource of the client's configuration was written: its
// kind ("extension"), its id, and the version of the configuration by then.
func (f *Feed) Changed(client int64, what string, id int64, version uint64) {
	d := &configData{about: about{At: moment(time.Now())}, What: what, ID: id, Version: version}
	it := &item{kind: KindConfig, cost: baseCost, data: d}
	if what == "extension" {
		d.Extension, it.seen = number(id), only(id)
	}
	f.append(client, it)
}

// otherData is what a feature tells, with members of its own.
type otherData struct {
	about   about
	members any
}

var errNoObject = errors.New("members are no JSON object")

// MarshalJSON puts the members behind what every event begins with.
func (d *otherData) MarshalJSON() ([]byte, error) {
	head, err := json.Marshal(d.about)
	if err != nil || d.members == nil {
		return head, err
	}
	tail, err := json.Marshal(d.members)
	switch {
	case err != nil:
		return nil, err
	case len(tail) < 2 || tail[0] != '{':
		return nil, errNoObject
	case string(tail) == "{}":
		return head, nil
	}
	return append(append(head[:len(head)-1], ','), tail[1:]...), nil
}

// Publish tells what a feature has to say: a kind of the stream, such as
// KindLamp or "queue.joined", the extension it is about (0: none), and members of
// its own: nil or what marshals to a small JSON object, which must not change any
// more nor use the names every event has. A kind that the stream does not have
// is ignored.
func (f *Feed) Publish(client int64, kind Kind, extension int64, members any) {
	if !kind.streamed() || kind == KindGap {
		return
	}
	d := &otherData{about{Extension: number(extension), At: moment(time.Now())}, members}
	f.append(client, &item{kind: kind, seen: only(extension), cost: baseCost, data: d})
}

// only is the one extension whose user may see something.
func only(extension int64) []int64 {
	if extension == 0 {
		return nil
	}
	return []int64{extension}
}
