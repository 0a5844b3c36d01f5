package event

import "time"

// Package is one event package (RFC 6665 section 5). Its methods are called from
// any goroutine and must not wait. That something changed it says to whoever
// plugged it in (sip.Server.Changed), which asks Document in its own time.
type Package interface {
	// Name is the value of the Event header, without parameters.
	Name() string
	// Types are the body types it can write, the default first.
	Types() []string
	// Access says what a watcher may see of a resource. It is asked at every
	// SUBSCRIBE and before every NOTIFY.
	Access(watcher Watcher, r Resource) Access
	// Document writes the state for one subscription, or reports false when
	// there is nothing new to say, which it may only if q.Full is false.
	Document(q Query) (Document, bool)
}

// Publisher is a Package whose state may be published (RFC 3903).
type Publisher interface {
	Package
	// PublishTypes are the body types it takes, the default first.
	PublishTypes() []string
	// Check refuses a body it cannot read; the error becomes a reason phrase.
	Check(contentType string, body []byte) error
}

// Access is what a watcher may see.
type Access int

// The kinds of access.
const (
	Refused Access = iota // 403, or terminated;reason=rejected
	Closed                // accepted, and shown what somebody who does not exist would show
	Open
)

// Watcher is who subscribes.
type Watcher struct {
	Client, Extension int64
}

// Resource is what is watched. Extension is 0 for a name that nobody in the
// watcher's client has, or that belongs to another client: the two must look
// the same (T2).
type Resource struct {
	Extension int64 `json:"extension,omitempty"`
	// Name is the user part that was subscribed to, cleaned; URI the address of
	// record a document names.
	Name string `json:"name"`
	URI  string `json:"uri"`
}

// Query asks for one document.
type Query struct {
	Watcher  Watcher
	Resource Resource
	Access   Access // Closed or Open
	Type     string // one of Package.Types
	// Version counts the documents of this subscription: it rises with every one
	// and goes on after a restart.
	Version uint32
	// Full wants the whole state: somebody asked for it, or it is not known what
	// of the last document arrived.
	Full bool
	// Seen is the Seen of the document that arrived last; nil with Full.
	Seen any
	// Published are the publications for the resource, oldest first.
	Published []Publication
	Now       time.Time
}

// Document is the body of a NOTIFY.
type Document struct {
	Body []byte
	// Seen is what the package wants to see again in the next Query.
	Seen any
}
