package reginfo

import (
	"encoding/xml"
	"strconv"
	"time"

	"github.com/cordpair/cordpair/sip/event"
	"github.com/cordpair/cordpair/sip/location"
)

// Name of the package and of its only body type.
const (
	Name = "reg"
	Type = "application/reginfo+xml"
)

// Bindings is where registrations come from; met by location.Bindings.
type Bindings interface {
	Lookup(extension int64, now time.Time, dst []location.Binding) []location.Binding
}

// Package is the event package.
type Package struct{ bindings Bindings }

// New returns the package over the registrations of a node.
func New(b Bindings) *Package { return &Package{b} }

// Name implements event.Package.
func (*Package) Name() string { return Name }

// Types implements event.Package.
func (*Package) Types() []string { return []string{Type} }

// Access implements event.Package.
func (*Package) Access(w event.Watcher, r event.Resource) event.Access {
	if r.Extension == w.Extension {
		return event.Open
	}
	return event.Refused
}

// contact is what a subscription knows of one binding.
type contact struct {
	id, uri string
	q       int
	expires time.Time
}

// Document implements event.Package.
func (p *Package) Document(q event.Query) (event.Document, bool) {
	bindings := p.bindings.Lookup(q.Resource.Extension, q.Now, nil)
	seen, _ := q.Seen.([]contact)
	now := make([]contact, len(bindings))
	reg := registration{AOR: q.Resource.URI, ID: "r" + strconv.FormatInt(q.Resource.Extension, 10), State: "init"}
	if len(bindings) > 0 {
		reg.State = "active"
	}
	for i := range bindings {
		b := &bindings[i]
		now[i] = contact{b.ID, b.Contact, b.Q, b.Expires}
		if what := change(seen, &now[i], q.Full); what != "" {
			reg.Contacts = append(reg.Contacts, element(b, what, q.Now))
		}
	}
	for _, was := range seen {
		if find(now, was.id) == nil {
			reg.Contacts = append(reg.Contacts, ended(was, q.Now))
			if len(now) == 0 {
				reg.State = "terminated"
			}
		}
	}
	if !q.Full && len(reg.Contacts) == 0 {
		return event.Document{}, false
	}
	return event.Document{Body: render(q, reg), Seen: now}, true
}

// change is the event of a contact that is there, empty if there is nothing to
// say about it. That it was merely refreshed is nothing (RFC 3680 leaves it open).
func change(seen []contact, c *contact, full bool) string {
	was := find(seen, c.id)
	switch {
	case full:
		return "registered"
	case was == nil:
		return "created"
	case was.uri != c.uri || was.q != c.q:
		return "refreshed"
	}
	return ""
}

func find(list []contact, id string) *contact {
	for i := range list {
		if list[i].id == id {
			return &list[i]
		}
	}
	return nil
}

// The document of RFC 3680 section 5.
type (
	document struct {
		XMLName      xml.Name     `xml:"urn:ietf:params:xml:ns:reginfo reginfo"`
		Version      uint32       `xml:"version,attr"`
		State        string       `xml:"state,attr"`
		Registration registration `xml:"registration"`
	}
	registration struct {
		AOR      string           `xml:"aor,attr"`
		ID       string           `xml:"id,attr"`
		State    string           `xml:"state,attr"`
		Contacts []contactElement `xml:"contact"`
	}
	contactElement struct {
		ID       string `xml:"id,attr"`
		State    string `xml:"state,attr"`
		Event    string `xml:"event,attr"`
		Duration int    `xml:"duration-registered,attr"`
		Expires  int    `xml:"expires,attr"`
		Q        string `xml:"q,attr,omitempty"`
		URI      string `xml:"uri"`
	}
)

func element(b *location.Binding, what string, now time.Time) contactElement {
	return contactElement{
		ID: b.ID, State: "active", Event: what, URI: b.Contact,
		Duration: max(0, int(now.Sub(b.Registered)/time.Second)), Expires: b.Remaining(now), Q: qvalue(b.Q),
	}
}

func ended(c contact, now time.Time) contactElement {
	what := "unregistered"
	if !c.expires.After(now) {
		what = "expired"
	}
	return contactElement{ID: c.id, State: "terminated", Event: what, URI: c.uri}
}

// qvalue leaves out 1, which is what no q means.
func qvalue(thousandths int) string {
	if thousandths >= 1000 {
		return ""
	}
	return strconv.FormatFloat(float64(thousandths)/1000, 'f', -1, 64)
}

func render(q event.Query, reg registration) []byte {
	doc := document{Version: q.Version, State: "partial", Registration: reg}
	if q.Full {
		doc.State = "full"
	}
	b, err := xml.Marshal(doc)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return append([]byte(xml.Header), b...)
}
