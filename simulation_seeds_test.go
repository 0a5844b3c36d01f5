//go:build !soak

package cordpair_test

// simulationSeeds are the seeds of every build.
func simulationSeeds() (first, n uint64) {
	if raceEnabled {
		return 1, 100
	}
	return 1, 1000
}
