//go:build system && soak

package system

import "time"

// The full sizes.
const (
	callRate      = 200 // per second
	callSeconds   = 60
	registerRate  = 2000
	registerUsers = 2000
	registerTimes = 30
	loadBound     = 10 * time.Minute
	killPhones    = 1000
)
