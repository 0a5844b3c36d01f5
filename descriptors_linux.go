package cordpair

import "syscall"

// mediaPairs is how many media port pairs may be open: half of the descriptors
// the process may have. The other half is for connections and for the store,
// which does not survive to be without.
func mediaPairs() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(limit.Cur/2, 1<<17)) / 2
}
