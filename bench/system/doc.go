// Package system holds the tests that use the product as a stranger would: the
// built binary, the files `cordpair demo` writes, and foreign programs (SIPp,
// baresip, linphonec). It has no code of its own outside tests.
//
// They run with the build tag system (make test) at a size for every change and
// with the tags system and soak (make soak) at full size. A test whose program
// is not installed skips itself. Each takes a block of 1,000 ports that no
// other run on this machine uses, and ends every process it started.
//
//	go test -tags system -run TestTalk ./bench/system
package system
