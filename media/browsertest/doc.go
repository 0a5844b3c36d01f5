// Package browsertest holds tests only: browser legs of media against
// implementations of WebRTC that are not ours. pion's PeerConnection runs with every
// test, Chromium with those of the tag system. It has a folder of its own so that
// nothing but these tests depends on pion/webrtc.
//
// Ownership: each test opens its own engine on the loopback address and closes what
// it began. Order: a test sends until what it waits for is heard or its patience is
// over, so a slow machine makes it slow, not wrong.
//
//	go test ./media/browsertest
//	go test -tags system -run Chromium ./media/browsertest
package browsertest
