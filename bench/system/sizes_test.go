//go:build system && !soak

package system

import "time"

// The sizes for every change; sizes_soak_test.go has the full ones.
const (
	callRate      = 50 // per second
	callSeconds   = 10
	registerRate  = 500
	registerUsers = 500
	registerTimes = 2
	loadBound     = 2 * time.Minute
	killPhones    = 50
)
