//go:build race

package dialplan

// raceEnabled: the detector allocates, so assertions on allocations are skipped.
const raceEnabled = true
