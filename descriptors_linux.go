package cordpair

import "syscall"

// othersFiles are the fewest descriptors that are left for connections and for the
// store, which does not survive to be without.
const othersFiles = 512

// mediaPairs is how many media port pairs may be open: three quarters of the
// descriptors the process may have. A pair is busy for its call and two seconds
// of rest (M6), less when none is left, so with many short calls it is the pairs that
// run out first.
func mediaPairs() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur-min(max(limit.Cur/4, othersFiles), limit.Cur/2), 1<<18)) / 2
}
