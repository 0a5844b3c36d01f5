// Package escape compares parts of SIP URIs in which %HH may stand for a
// character (RFC 3261 section 19.1.4). Its functions are pure, allocate nothing
// and may be used from anywhere.
//
//	escape.Equal("%2A43", "*43") // true
package escape
