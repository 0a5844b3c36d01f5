// Package api is the HTTP side of the switch: it decodes, authorises, calls the
// owner of a resource and encodes; it holds no behaviour. It does not serve any
// resource yet: the frame answers every path with the error body that the
// resources will use, so that a client finds out in one request.
//
// Ownership: a Handler holds no state and may be used by any goroutine.
package api
