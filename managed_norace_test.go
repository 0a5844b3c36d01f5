//go:build !race

package cordpair_test

// raceEnabled is false: generated tests run at full length.
const raceEnabled = false
