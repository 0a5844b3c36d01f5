package api

import (
	"net/url"
	"slices"
	"strings"
)

// Paging chooses a part of a list; embed it in a handler's input. Without
// per_page a list is whole (spec/http-api.md 6, row 2).
type Paging struct {
	Page    int `query:"page" minimum:"1" maximum:"1000000000" doc:"Page of the list, from 1; needs per_page"`
	PerPage int `query:"per_page" minimum:"1" maximum:"1000" doc:"Elements of a page; without it the list is whole"`
}

// Ordering chooses the direction of a list; embed it in a handler's input.
type Ordering struct {
	Order string `query:"order" enum:"asc,desc" doc:"Direction of the list"`
}

// pageOf cuts the chosen part out of a list.
func pageOf[T any](p Paging, all []T) []T {
	if all == nil {
		all = []T{} // a list without elements is no null
	}
	if p.PerPage == 0 {
		return all
	}
	from := min(max(p.Page-1, 0), len(all)) // so the product below stays small
	from = min(from*p.PerPage, len(all))
	return all[from:min(from+p.PerPage, len(all))]
}

// wanted is a filter: values of one parameter mean any of them, none means
// anything (spec/http-api.md 1.3).
func wanted[T comparable](values []T, v T) bool {
	return len(values) == 0 || slices.Contains(values, v)
}

// plainQuery rewrites what a PHP client sends for arrays, id[0]=1&id[]=2, into
// repeated keys. ok is false when the query cannot be read at all.
func plainQuery(raw string) (query string, ok bool) {
	if _, err := url.ParseQuery(raw); err != nil {
		return "", false
	}
	if !strings.Contains(raw, "[") && !strings.Contains(strings.ToUpper(raw), "%5B") {
		return raw, true
	}
	var parts []string
	for pair := range strings.SplitSeq(raw, "&") { // in the order given
		key, value, _ := strings.Cut(pair, "=")
		name, _ := url.QueryUnescape(key) // ParseQuery has read it
		if i := strings.IndexByte(name, '['); i > 0 && strings.HasSuffix(name, "]") && arrayIndex(name[i+1:len(name)-1]) {
			key = url.QueryEscape(name[:i])
		}
		parts = append(parts, key+"="+value)
	}
	return strings.Join(parts, "&"), true
}

// arrayIndex: nothing or digits.
func arrayIndex(s string) bool { return strings.Trim(s, "0123456789") == "" }
