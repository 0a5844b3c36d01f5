package summary

import (
	"github.com/cordpair/cordpair/sip/event"
)

// Name of the package and of its only body type.
const (
	Name = "message-summary"
	Type = "application/simple-message-summary"
)

// Source knows messages of extensions.
type Source interface {
	// Summary is what an extension has; the zero value for nothing. It must not
	// wait.
	Summary(extension int64) Summary
}

// Package is the event package.
type Package struct{ sources []Source }

// New returns the package over sources.
func New(sources ...Source) *Package { return &Package{sources} }

// Name implements event.Package.
func (*Package) Name() string { return Name }

// Types implements event.Package.
func (*Package) Types() []string { return []string{Type} }

// PublishTypes implements event.Publisher.
func (*Package) PublishTypes() []string { return []string{Type} }

// Check implements event.Publisher.
func (*Package) Check(_ string, body []byte) error {
	_, err := Parse(body)
	return err
}

// Access implements event.Package.
func (*Package) Access(w event.Watcher, r event.Resource) event.Access {
	if r.Extension == w.Extension {
		return event.Open
	}
	return event.Refused
}

// Document implements event.Package. Every document is the whole state; one equal
// to that of before is not worth saying.
func (p *Package) Document(q event.Query) (event.Document, bool) {
	var all Summary
	all.Given[Voice] = true // phones look for this line
	for _, s := range p.sources {
		all.Add(s.Summary(q.Resource.Extension))
	}
	for _, x := range q.Published {
		if s, err := Parse(x.Body); err == nil { // it was checked
			all.Add(s)
		}
	}
	if all.Account == "" {
		all.Account = q.Resource.URI
	}
	body := all.String()
	if !q.Full && q.Seen == body {
		return event.Document{}, false
	}
	return event.Document{Body: []byte(body), Seen: body}, true
}
