// The rules that architecture_test.go checks, as data: each list is the rule, an
// exception is a line in it, with its reason.
package cordpair_test

const module = "github.com/cordpair/cordpair"

// arrows says who may import whom. A folder stands for itself and what lies
// below it, up to the next folder listed; "." is the root package. Inside one
// folder everything may import everything. A name ending in /* makes each folder
// below a listed one of its own, so features never import each other.
var arrows = map[string][]string{
	"cmd/cordpair": {"."},
	// Encodes for media, in a process of its own.
	"cmd/cordpair-worker": {"media"},
	".":                   {"api", "features", "features/*", "sip", "media", "dialplan", "dialplan/call", "store"},
	"api":                 {"features", "features/*", "sip", "media", "dialplan", "dialplan/call", "store"},
	"features":            {"features/*", "dialplan", "dialplan/call", "store"},
	"features/*":          {"dialplan", "dialplan/call", "store"},
	"sip":                 {"dialplan", "dialplan/call", "store", "media"},
	"dialplan":            {"dialplan/call"},
	"dialplan/call":       {},
	"store":               {},
	"media":               {},
	"bench":               {},
}

// guests says where another module may be imported. "metrics.go" means: in files
// of that name only. A module that is not here has no business in the code.
var guests = map[string][]string{
	"github.com/emiago/sipgo":        {"sip"},
	"github.com/pion":                {"media"},
	"github.com/pion/srtp":           {"bench"}, // its phones with SRTP
	"github.com/ebitengine/purego":   {"cmd/cordpair-worker"},
	"github.com/dgraph-io/badger":    {"store"},
	"github.com/dgraph-io/ristretto": {"store"}, // badger's own file mapping, to check its tables
	"github.com/prometheus":          {"metrics.go"},
	"github.com/goccy/go-yaml":       {".", "cmd/cordpair"},
	"github.com/caarlos0/env":        {".", "cmd/cordpair"},
	"github.com/alecthomas/kong":     {"cmd/cordpair"},
	"github.com/danielgtaylor/huma":  {"api"},
	"github.com/swaggest/swgui":      {"api"},
	"golang.org/x/crypto":            {"api"},
	"golang.org/x/time":              {"api"},
	"golang.org/x/sys":               {".", "media", "sip", "store"},
	"go.uber.org/goleak":             {"_test.go"},
	"pgregory.net/rapid":             {"_test.go"},
	"github.com/google/go-cmp/cmp":   {"_test.go"},
}

// Sizes, in lines.
const (
	maxFile     = 400
	maxFunction = 60
)

// tooLarge excuses files ("sip/tables.go") and functions ("sip/tables.go:name").
var tooLarge = map[string]string{}

// pauses excuses files in which something sleeps outside a test.
var pauses = map[string]string{
	"features/history/run.go": "the store's queue is full; 20 ms, and every write frees it",
	"media/portable.go":       "a reader whose socket fails would spin; 10 ms, and Close ends it",
	"sip/stream.go":           "accept without descriptors would spin; 50 ms, and Close ends it",
	"sip/udp.go":              "a reader whose socket fails would spin; 1 ms, and Close ends it",
}
