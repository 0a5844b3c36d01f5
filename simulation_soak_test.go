//go:build soak

package cordpair_test

import "math/rand/v2"

// simulationSeeds are others every time.
func simulationSeeds() (first, n uint64) {
	first = uint64(rand.Uint32()) + 1
	if raceEnabled {
		return first, 5_000
	}
	return first, 50_000
}
