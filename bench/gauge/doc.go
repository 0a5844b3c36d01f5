// Package gauge reads what a process costs and sums up durations: CPU, memory,
// wake-ups and dropped datagrams from /proc, and a histogram. It also starts
// processes on a core of their own.
//
// Its owner is the bench; nothing here knows SIP or RTP. A Hist belongs to one
// goroutine. Everything but the histogram is for Linux.
//
//	before := gauge.CPU(pids)
//	// ... the load ...
//	used := gauge.CPU(pids) - before
package gauge
