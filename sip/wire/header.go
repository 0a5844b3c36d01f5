package wire

import "strings"

// Limits of requirement S5.
const (
	// MaxMessage is the longest message in bytes, header and body together.
	MaxMessage = 64 << 10

	maxLine     = 8 << 10
	maxHeaders  = 200
	maxVias     = 70
	maxRoutes   = 30
	maxContacts = 10
	maxTokens   = 32
)

// headerID names a header whose name is known.
type headerID uint8

// The headers this package reads itself; those that come after them in
// headerNames have no constant.
const (
	hdrOther headerID = iota
	hdrVia
	hdrFrom
	hdrTo
	hdrCallID
	hdrCSeq
	hdrContact
	hdrMaxForwards
	hdrContentLength
	hdrContentType
	hdrRoute
	hdrRecordRoute
	hdrExpires
	hdrAccept
	hdrAllow
	hdrSupported
	hdrRequire
	hdrAllowEvents
	hdrDate
	hdrEvent
	hdrReferTo
	hdrReplaces
	hdrSessionExpires
	hdrRAck
	hdrSIPIfMatch
	hdrSubscriptionState
	hdrAuthorization
	hdrProxyAuthorization
	hdrMinSE
	hdrTimestamp
)

// headerNames are the usual spellings, which sipgo's look-ups depend on.
var headerNames = [...]string{
	hdrVia:                "Via",
	hdrFrom:               "From",
	hdrTo:                 "To",
	hdrCallID:             "Call-ID",
	hdrCSeq:               "CSeq",
	hdrContact:            "Contact",
	hdrMaxForwards:        "Max-Forwards",
	hdrContentLength:      "Content-Length",
	hdrContentType:        "Content-Type",
	hdrRoute:              "Route",
	hdrRecordRoute:        "Record-Route",
	hdrExpires:            "Expires",
	hdrAccept:             "Accept",
	hdrAllow:              "Allow",
	hdrSupported:          "Supported",
	hdrRequire:            "Require",
	hdrAllowEvents:        "Allow-Events",
	hdrDate:               "Date",
	hdrEvent:              "Event",
	hdrReferTo:            "Refer-To",
	hdrReplaces:           "Replaces",
	hdrSessionExpires:     "Session-Expires",
	hdrRAck:               "RAck",
	hdrSIPIfMatch:         "SIP-If-Match",
	hdrSubscriptionState:  "Subscription-State",
	hdrAuthorization:      "Authorization",
	hdrProxyAuthorization: "Proxy-Authorization",
	hdrMinSE:              "Min-SE",
	hdrTimestamp:          "Timestamp",
	"Accept-Contact", "Accept-Encoding", "Accept-Language", "Alert-Info", "Call-Info",
	"Content-Disposition", "Content-Encoding", "Content-Language", "Diversion", "Error-Info",
	"History-Info", "Identity", "Identity-Info", "Join", "MIME-Version", "Min-Expires", "Organization",
	"P-Asserted-Identity", "P-Preferred-Identity", "Path", "Priority", "Privacy", "Proxy-Authenticate",
	"Proxy-Require", "Reason", "Referred-By", "Refer-Sub", "Reject-Contact", "Request-Disposition",
	"Retry-After", "RSeq", "Server", "Service-Route", "SIP-ETag", "Subject", "Target-Dialog", "Unsupported",
	"User-Agent", "Warning", "WWW-Authenticate",
}

// compactNames are the short forms (RFC 3261 section 7.3.3 and the IANA
// registry), in lower case.
var compactNames = [256]headerID{
	'v': hdrVia, 'f': hdrFrom, 't': hdrTo, 'i': hdrCallID, 'm': hdrContact, 'l': hdrContentLength,
	'c': hdrContentType, 'k': hdrSupported, 'o': hdrEvent, 'u': hdrAllowEvents, 'r': hdrReferTo,
	'x': hdrSessionExpires, 's': find("Subject"), 'e': find("Content-Encoding"), 'b': find("Referred-By"),
	'a': find("Accept-Contact"), 'j': find("Reject-Contact"), 'd': find("Request-Disposition"),
	'y': find("Identity"), 'n': find("Identity-Info"),
}

func find(name string) headerID {
	for id, known := range headerNames {
		if known == name {
			return headerID(id)
		}
	}
	panic("no header " + name)
}

// headerSlots finds a name by its hash: it stands at slot or in the places that
// follow, before the first empty one.
var headerSlots = slots()

func slots() (t [256]headerID) {
	for id, name := range headerNames {
		if id == int(hdrOther) {
			continue
		}
		i := slot(name)
		for t[i] != hdrOther {
			i++
		}
		t[i] = headerID(id)
	}
	return t
}

// slot is the same for every spelling of a name, which must not be empty.
func slot(name string) uint8 {
	n := len(name)
	return uint8(n*29) + (name[0]|0x20)*7 + (name[n/2]|0x20)*13 + (name[n-1]|0x20)*3
}

// lookUp finds a header by its full or compact name in any case.
func lookUp(name string) headerID {
	switch len(name) {
	case 0:
		return hdrOther
	case 1:
		return compactNames[name[0]|0x20]
	}
	for i := slot(name); ; i++ {
		id := headerSlots[i]
		known := headerNames[id]
		if id == hdrOther || name == known || len(name) == len(known) && strings.EqualFold(name, known) {
			return id
		}
	}
}
