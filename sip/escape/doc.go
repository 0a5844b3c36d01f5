// Package escape compares, reads and writes parts of SIP URIs in which %HH may
// stand for a character (RFC 3261 section 19.1.4). Its functions are pure and may
// be used from anywhere; comparing allocates nothing.
//
//	escape.Equal("%2A43", "*43") // true
package escape
