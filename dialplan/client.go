package dialplan

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Status says whether a client or an extension may be used.
type Status string

// The statuses. A blocked client or extension makes and receives no calls and
// cannot register; to callers it looks as if it did not exist.
const (
	StatusActive  Status = "active"
	StatusBlocked Status = "blocked"
)

func (s Status) valid() bool { return s == StatusActive || s == StatusBlocked }

// YesNo is a switch of the API that is spelled out.
type YesNo string

// The values of a YesNo.
const (
	Yes YesNo = "yes"
	No  YesNo = "no"
)

func (y YesNo) valid() bool { return y == Yes || y == No }

// ClientType says what a client is before the law.
type ClientType string

// The types of client.
const (
	TypeCompany ClientType = "J"
	TypePerson  ClientType = "F"
)

// RecordFormat is the form of a recording.
type RecordFormat string

// The forms of a recording.
const (
	FormatMP3 RecordFormat = "mp3"
	FormatWAV RecordFormat = "wav"
)

// Client is a tenant (spec/http-api.md 5.2, http-api-more-b.md 9): one company
// with its own numbers, that nobody else's numbers can meet. Fields that the
// switch does not act on yet say so in their doc.
type Client struct {
	ID         int64      `json:"id" readonly:"true" doc:"Given by the switch, never reused"`
	DealerID   *int64     `json:"dealer_id" minimum:"1" doc:"Dealer the client belongs to; null: none"`
	Name       string     `json:"name" required:"true" maxLength:"128" doc:"Name for people, 1 to 128 bytes"`
	Type       ClientType `json:"type" enum:"J,F" doc:"J: company, F: person"`
	Status     Status     `json:"status" enum:"active,blocked" doc:"A blocked client makes and receives no calls, cannot register and cannot use the API"`
	CreateDate Stamp      `json:"create_date" readonly:"true" doc:"When the client was created; null for one that is older than this field"`
	// Prefix is unique on the switch and fixed after creation.
	Prefix   string `json:"prefix" doc:"Stands before every extension name of the client: 3 to 6 digits, fixed after creation"`
	DomainID *int64 `json:"domain_id" doc:"No domain has an id of its own: always null, see domain"`
	Domain   string `json:"domain" required:"true" maxLength:"253" doc:"SIP domain and digest realm, in lower case"`
	// DomainPrefix lets other domains dial DomainPrefix*Prefix*number.
	DomainPrefix string `json:"domain_prefix" doc:"The domain as exactly 5 digits, for calls from other domains; empty: not reachable that way"`
	ExtensionLen int    `json:"extension_len" minimum:"2" maximum:"4" doc:"Digits of the client's extensions, fixed after creation"`
	Timezone     string `json:"timezone" maxLength:"64" doc:"IANA zone name"`
	Language     string `json:"language" maxLength:"35" doc:"Language tag such as en or pt-BR; empty: none chosen. Kept for the API user"`

	Email         string `json:"email" maxLength:"254" doc:"Mail address of the client"`
	Ambassadors   string `json:"ambassadors" maxLength:"1024" doc:"Persons who speak for the client. Kept for the API user"`
	ContactPhones string `json:"contact_phones" maxLength:"1024" doc:"Kept for the API user"`
	FactAddress   string `json:"fact_address" maxLength:"1024" doc:"Address where the client works. Kept for the API user"`
	JurAddress    string `json:"jur_address" maxLength:"1024" doc:"Address of the client by law. Kept for the API user"`
	ExtraParams   string `json:"extra_params" maxLength:"16384" doc:"Free text or JSON, kept for the API user"`

	Presence                 YesNo         `json:"presence" enum:"yes,no" doc:"SUBSCRIBE to presence and dialog; not served yet"`
	SBCMode                  *YesNo        `json:"sbc_mode" enum:"yes,no" doc:"Media through the address of the SIP messages, which this switch always does; null: the provider's value"`
	GeoList                  string        `json:"geo_list" maxLength:"1024" doc:"Countries phones may register and call from, ISO 3166 alpha-2, space-separated; * all; empty: the provider's value. Not checked yet"`
	RegStatusLog             bool          `json:"reg_status_log" doc:"Keep a log of phones that go on and off line"`
	RecordFormat             *RecordFormat `json:"record_format" enum:"mp3,wav" doc:"Form of recordings unless the phone has its own; null: the provider's value. There are no recordings yet"`
	RecordStereo             *YesNo        `json:"record_stereo" enum:"yes,no" doc:"Both sides of a recording in channels of their own; null: the provider's value"`
	DiskSpaceNotifyEmail     string        `json:"disk_space_notify_email" maxLength:"254" doc:"Who is told that the disk quota is nearly used; there is no quota yet"`
	DiskSpaceNotifyThreshold *int          `json:"disk_space_notify_threshold" minimum:"1" maximum:"100" doc:"Percent of the disk quota at which that address is told; null: never"`

	RoutingListID         *int64  `json:"routing_list_id" doc:"Routing list of outgoing calls; there are none yet: always null"`
	DialRuleID            *int64  `json:"dial_rule_id" doc:"Outgoing dial rules; there are none yet: always null"`
	DIDAsTransferCallerID *string `json:"did_as_transfer_caller_id" doc:"Outside number shown when a call is forwarded; there are none yet: always null"`
	HoldMusic             *int64  `json:"hold_music" doc:"Sound that a held party hears; there are none to choose from yet: null, the switch's own"`

	// EmergencyNumbers resolve before everything else (F8).
	EmergencyNumbers []string `json:"emergency_numbers" nullable:"false" maxItems:"16" doc:"Numbers of 2 to 6 digits that resolve before everything else"`
	// Codes is the table of dialled codes. The compiler refuses a table in which
	// one string could match two codes.
	Codes []Code `json:"codes" nullable:"false" maxItems:"100" doc:"Table of dialled codes; no string may match two of them"`
}

// DefaultClient is a client before its creator has said anything.
func DefaultClient() Client {
	return Client{
		Type:             TypeCompany,
		ExtensionLen:     3,
		Status:           StatusActive,
		Timezone:         "UTC",
		Presence:         No,
		EmergencyNumbers: []string{"112", "911"},
		Codes:            []Code{},
	}
}

// Upgraded is a stored row of any age as it is read today: what had no place in
// it when it was written has its default.
func (c Client) Upgraded() Client {
	c.Type = cmp.Or(c.Type, TypeCompany)
	c.Presence = cmp.Or(c.Presence, No)
	if c.EmergencyNumbers == nil {
		c.EmergencyNumbers = []string{} // a list in JSON, also when it is empty
	}
	if c.Codes == nil {
		c.Codes = []Code{}
	}
	return c
}

// Clone is a copy that shares nothing with c: editing it leaves c as it is.
func (c Client) Clone() Client {
	c.DealerID, c.DomainID, c.SBCMode = clone(c.DealerID), clone(c.DomainID), clone(c.SBCMode)
	c.RecordFormat, c.RecordStereo = clone(c.RecordFormat), clone(c.RecordStereo)
	c.DiskSpaceNotifyThreshold = clone(c.DiskSpaceNotifyThreshold)
	c.RoutingListID, c.DialRuleID, c.HoldMusic = clone(c.RoutingListID), clone(c.DialRuleID), clone(c.HoldMusic)
	c.DIDAsTransferCallerID = clone(c.DIDAsTransferCallerID)
	c.EmergencyNumbers = slices.Clone(c.EmergencyNumbers)
	c.Codes = slices.Clone(c.Codes)
	return c
}

// Validate reports every field that is out of range as FieldErrors. What only
// shows beside other rows, such as an extension named like an emergency number,
// is for Compile to find.
func (c Client) Validate() error {
	var e FieldErrors
	e.check(c.DealerID == nil || *c.DealerID > 0, "dealer_id", "must be above 0 or null")
	e.check(c.Name != "" && plainText(c.Name), "name", "must be 1 to 128 bytes of plain text")
	e.check(c.Type == TypeCompany || c.Type == TypePerson, "type", "must be J or F")
	e.check(c.Status.valid(), "status", "must be active or blocked")
	e.check(digits(c.Prefix, 3, 6), "prefix", "must be 3 to 6 digits")
	e.none(c.DomainID != nil, "domain_id", "domain")
	e.check(domainName(c.Domain), "domain", "must be a domain name in lower case")
	e.check(c.DomainPrefix == "" || digits(c.DomainPrefix, 5, 5), "domain_prefix", "must be 5 digits or empty")
	e.check(c.ExtensionLen >= 2 && c.ExtensionLen <= 4, "extension_len", "must be 2, 3 or 4")
	e.check(zoneName(c.Timezone), "timezone", "must be an IANA zone name")
	e.check(languageTag(c.Language), "language", "must be a language tag such as en or pt-BR, or empty")
	c.checkContacts(&e)
	c.checkService(&e)
	c.checkNumbers(&e)
	return e.err()
}

// checkContacts looks at what is about people.
func (c *Client) checkContacts(e *FieldErrors) {
	e.mail("email", c.Email)
	e.text("ambassadors", c.Ambassadors, maxNote)
	e.text("contact_phones", c.ContactPhones, maxNote)
	e.text("fact_address", c.FactAddress, maxNote)
	e.text("jur_address", c.JurAddress, maxNote)
	e.text("extra_params", c.ExtraParams, maxExtra)
}

// checkService looks at what the client gets.
func (c *Client) checkService(e *FieldErrors) {
	e.check(c.Presence.valid(), "presence", "must be yes or no")
	e.check(c.SBCMode == nil || c.SBCMode.valid(), "sbc_mode", "must be yes, no or null")
	e.check(countries(c.GeoList), "geo_list", "must be countries like RU US BY, * or empty")
	format := c.RecordFormat
	e.check(format == nil || *format == FormatMP3 || *format == FormatWAV, "record_format", "must be mp3, wav or null")
	e.check(c.RecordStereo == nil || c.RecordStereo.valid(), "record_stereo", "must be yes, no or null")
	e.mail("disk_space_notify_email", c.DiskSpaceNotifyEmail)
	percent := c.DiskSpaceNotifyThreshold
	e.check(percent == nil || *percent >= 1 && *percent <= 100, "disk_space_notify_threshold", "must be 1 to 100 or null")
	e.none(c.RoutingListID != nil, "routing_list_id", "routing list")
	e.none(c.DialRuleID != nil, "dial_rule_id", "dial rule")
	e.none(c.DIDAsTransferCallerID != nil, "did_as_transfer_caller_id", "outside number")
	e.none(c.HoldMusic != nil, "hold_music", "sound")
}

// checkNumbers looks at what is dialled.
func (c *Client) checkNumbers(e *FieldErrors) {
	e.check(len(c.EmergencyNumbers) <= 16, "emergency_numbers", "must be at most 16")
	for _, n := range c.EmergencyNumbers {
		e.check(digits(n, 2, 6), "emergency_numbers", "each must be 2 to 6 digits")
	}
	e.check(len(c.Codes) <= 100, "codes", "must be at most 100")
	for _, code := range c.Codes {
		if err := code.Validate(); err != nil {
			e.check(false, "codes", err.Error())
		}
	}
}

// domainName accepts a host name (RFC 3261 25.1 hostname, RFC 952): labels of
// letters, digits and inner hyphens. An IPv4 address passes too.
func domainName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

func zoneName(s string) bool {
	if s == "" || s == "Local" {
		return false
	}
	_, err := time.LoadLocation(s)
	return err == nil
}
