// Package secure is what a media port needs to talk in secret: the suites and
// keys that descriptions name (SDES, RFC 4568), contexts that check and decrypt
// what arrives and protect what leaves (SRTP, RFC 3711), the handshake that
// agrees on keys in the media path (DTLS-SRTP, RFC 5764), and the demultiplexer
// that tells the protocols of one port apart (RFC 7983).
//
// Ownership: an [Opener] and a [Sealer] belong to one stream and are used by its
// loop only; they neither lock nor allocate per packet. A [Handshake] owns one
// goroutine, bounded by HandshakeTime; everything else is values and pure
// functions. Order: an Opener learns nothing from a packet before its tag and its
// replay window are checked (security-reliability M3).
//
// A [Key] prints as the name of its suite, whatever the verb: keys reach no log.
//
//	key, err := secure.NewKey(suite)
//	seal, err := secure.NewSealer(key)
//	out, err := seal.RTP(buffer[:0], packet)
package secure
