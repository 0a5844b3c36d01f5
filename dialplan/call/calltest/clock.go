package calltest

import (
	"time"
	"unsafe"
)

// monotonic is set in the first word of a time.Time that has a monotonic reading. The
// word holds nanoseconds in its lower 30 bits then, and seconds above them.
const monotonic = 1 << 63

// SetClock is t, a reading of time.Now, as it would have been had somebody set the wall
// clock by d, in whole seconds, since the program began: it shows another time of day,
// and Sub of another reading is what it was (L6). Only so can a test set the clock: the
// one of the machine belongs to everybody.
func SetClock(t time.Time, d time.Duration) time.Time {
	word := (*uint64)(unsafe.Pointer(&t)) // t is a copy
	if *word&monotonic == 0 {
		panic("calltest: a time without a monotonic reading")
	}
	*word += uint64(d/time.Second) << 30
	return t
}
