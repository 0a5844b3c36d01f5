package auth

import (
	"errors"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/sip/digest"
)

const (
	maxLogin  = 64
	maxName   = 128
	maxNote   = 1024
	maxExtra  = 4096
	maxURL    = 2048
	maxURLs   = 10
	mostLimit = 1_000_000
)

// faults collects what is wrong with a resource.
type faults struct{ list dialplan.FieldErrors }

func (f *faults) check(ok bool, field, message string) {
	if !ok {
		f.list = append(f.list, dialplan.FieldError{Field: field, Message: message})
	}
}

// err is nil when nothing is wrong.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return f.list
}

// fault is one thing wrong.
func fault(field, message string) error {
	return dialplan.FieldErrors{{Field: field, Message: message}}
}

// Validate reports every field that is out of range as dialplan.FieldErrors. A
// Password that is empty stays what it was; AddUser asks for one.
func (u User) Validate() error {
	var f faults
	f.check(u.Level >= LevelExtension && u.Level <= LevelPlatform, "level", "must be extension, extension_group, client, dealer or platform")
	f.checkIDs(u)
	f.check(u.Login != "" && len(u.Login) <= maxLogin && plain(u.Login) && !strings.ContainsFunc(u.Login, unicode.IsSpace),
		"login", "must be 1 to 64 bytes of text without spaces")
	if u.Password != "" {
		if err := checkPassword(u, ""); err != nil {
			f.check(false, "password", err.Error())
		}
	}
	f.check(u.Name != "" && len(u.Name) <= maxName && plain(u.Name), "name", "must be 1 to 128 bytes of plain text")
	f.check(u.Email == "" || address(u.Email), "email", "must be an e-mail address")
	f.check(len(u.Comment) <= maxNote && utf8.ValidString(u.Comment), "comment", "must be at most 1024 bytes of text")
	f.check(zone(u.Timezone), "timezone", "must be an IANA zone name")
	f.check(len(u.ExtraParams) <= maxExtra && utf8.ValidString(u.ExtraParams), "extra_params", "must be at most 4096 bytes of text")
	f.check(u.Status == dialplan.StatusActive || u.Status == dialplan.StatusBlocked, "status", "must be active or blocked")
	f.check(u.Access == AccessFull || u.Access == AccessReadOnly, "access", "must be full or read_only")
	return f.err()
}

// checkIDs wants the ids of the level and no others.
func (f *faults) checkIDs(u User) {
	for _, x := range []struct {
		field  string
		id     *int64
		wanted bool
	}{
		{"dealer_id", u.DealerID, u.Level == LevelDealer},
		{"client_id", u.ClientID, u.Level <= LevelClient},
		{"extension_group_id", u.GroupID, u.Level == LevelGroup},
		{"extension_id", u.ExtensionID, u.Level == LevelExtension},
	} {
		switch {
		case x.wanted && (x.id == nil || *x.id <= 0):
			f.check(false, x.field, "must be above 0 for a user of this level")
		case !x.wanted && x.id != nil:
			f.check(false, x.field, "must be null for a user of this level")
		}
	}
}

// checkPassword refuses passwords a guesser tries first (A7). number is that of
// the user's extension, if any.
func checkPassword(u User, number string) error {
	password := u.Password.Reveal()
	if err := digest.CheckPassword(password, number); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), digest.ErrWeakPassword.Error()+": "))
	}
	if u.Login != "" && strings.Contains(strings.ToLower(password), strings.ToLower(u.Login)) {
		return errors.New("it must not contain the login")
	}
	return nil
}

// Validate reports every field that is out of range as dialplan.FieldErrors.
func (x App) Validate() error {
	var f faults
	f.check(x.UserID > 0, "user_id", "must be above 0")
	f.check(x.Name != "" && len(x.Name) <= maxName && plain(x.Name), "name", "must be 1 to 128 bytes of plain text")
	f.check(len(x.RedirectURLs) <= maxURLs, "redirect_urls", "must be at most 10")
	for _, u := range x.RedirectURLs {
		if !redirect(u) {
			f.check(false, "redirect_urls", "each must be an https address without a fragment; http only for this machine itself")
			break
		}
	}
	f.check(x.Type == AppPublic || x.Type == AppTrusted || x.Type == AppPassword, "type", "must be public, trusted or password_credentials")
	f.check(x.Access == AppCallAPI || x.Access == AppAll, "access", "must be Call API or All")
	f.check(x.RateLimit == nil || *x.RateLimit >= 1 && *x.RateLimit <= mostLimit, "rate_limit", "must be 1 to 1000000 or null")
	return f.err()
}

// redirect accepts what a browser with a code may be sent to (OAuth 2.1 section
// 2.3): https, or http to the loopback of the one who uses it.
func redirect(s string) bool {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxURL || !plain(s) || strings.ContainsFunc(s, unicode.IsSpace) || strings.Contains(s, "#") || u.Host == "" || u.User != nil {
		return false
	}
	switch u.Scheme {
	case "https":
		return true
	case "http":
		ip, err := netip.ParseAddr(u.Hostname())
		return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	}
	return false
}

// plain reports whether s is text that can break no header or log line.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// address accepts a bare e-mail address (RFC 5322 section 3.4.1).
func address(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= 254
}

func zone(s string) bool {
	if s == "" || s == "Local" {
		return false
	}
	_, err := time.LoadLocation(s)
	return err == nil
}
