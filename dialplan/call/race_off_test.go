//go:build !race

package call_test

// raceEnabled tells that the race detector is on.
const raceEnabled = false
