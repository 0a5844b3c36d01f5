//go:build !race

package dialplan

// raceEnabled is false: allocations may be counted.
const raceEnabled = false
