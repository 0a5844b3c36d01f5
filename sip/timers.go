package sip

import "time"

// The timers of RFC 3261 section 17 and table 4.
const (
	timerT1 = 500 * time.Millisecond
	timerT2 = 4 * time.Second
	timerT4 = 5 * time.Second
	// timerLong is 64*T1: B, F, H, J, L and M.
	timerLong = 64 * timerT1
)

// backoff doubles a retransmission interval up to T2.
func backoff(d time.Duration) time.Duration { return min(2*d, timerT2) }
