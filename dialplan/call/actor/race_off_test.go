//go:build !race

package actor_test

// raceEnabled tells that the race detector is on.
const raceEnabled = false
