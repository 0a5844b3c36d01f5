package store

// Prefix names a table inside its space. It is lower case, ends with a slash and
// is never the beginning of another one, so that no table can see the rows of
// its neighbour. A prefix is never given a second meaning.
type Prefix string

// Every table of the store, one line each. Adding a table means adding a line;
// keys_test.go checks all of them.
const (
	Clients       Prefix = "client/"       // config: dialplan.Client by id
	Extensions    Prefix = "extension/"    // config: dialplan.Extension by id
	Phones        Prefix = "phone/"        // config: dialplan.Phone by extension id
	PhoneSecret   Prefix = "phonesecret/"  // config: SIP password by extension id
	Groups        Prefix = "group/"        // config: dialplan.Group by id
	Users         Prefix = "user/"         // config: auth.User by id
	Apps          Prefix = "app/"          // config: auth.App by client_id
	Tokens        Prefix = "token/"        // config: auth grants by the hash of their token
	Lockouts      Prefix = "lockout/"      // config: auth's pauses after wrong passwords
	Versions      Prefix = "version/"      // config: number of the last change by client id
	Audit         Prefix = "audit/"        // config: audit.Entry by number
	Probe         Prefix = "probe/"        // config: the write of a readiness test
	Streams       Prefix = "stream/"       // config: the sequence of feed's blocks of numbers; no rows
	RegLog        Prefix = "reglog/"       // records: reglog's rows by number
	Bindings      Prefix = "binding/"      // live: location.Record by extension id
	Subscriptions Prefix = "subscription/" // live: event.Record by our tag
	Publications  Prefix = "publication/"  // live: event.Published by extension id
	Messages      Prefix = "message/"      // records: pager.Message by extension id and number
	Journal       Prefix = "journal/"      // live: of earlier releases, calls that have not ended
	Calls         Prefix = "call/"         // records: calls that have ended, by call_uuid
	CallPlaces    Prefix = "callplace/"    // records: where they and their legs stand in lists, see history
)

// Keys of a space that belong to no table. A tilde sorts behind every prefix.
const (
	metaVersion  = "~version"  // number of the last migration, 8 bytes
	metaCursor   = "~cursor"   // how far a running migration has come
	metaCommits  = "~commits"  // number of the last commit, 8 bytes
	metaKeyCheck = "~keycheck" // a known text, sealed with the key of this store
	metaSequence = "~sequence/"
	metaForm     = "~form/" // and a prefix: version and indexes its rows were last brought to
)
