//go:build race

package cordpair_test

// raceEnabled: everything takes ten times as long, so generated tests are shorter.
const raceEnabled = true
