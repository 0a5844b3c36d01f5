// Package sdp reads the session descriptions phones really send and decides
// what to answer.
//
// Reading is our own and tolerant ([Parse]): line ends of any kind, missing or
// misplaced lines, unknown media and unknown lines are all taken, because a
// phone that is refused for a missing "s=" is a phone that cannot call. Only
// what could hurt is refused: too many lines or formats, and numbers out of
// range.
//
// Offer and answer are pure functions over values: [Answer] answers an offer
// within a [Policy], [Offer] makes one, [ReadAnswer] reads what came back.
// Each gives a [Result], all that a stream needs to know. A [Writer] numbers
// what one side of one dialog sends (RFC 3264 section 8).
//
// Encryption and ICE are read into [Secure] and decided by the same functions:
// what we have is in Policy.Secure, what was agreed on in Result.Protection and
// Result.ICE. Keys, certificates and candidates come from the caller; nothing here
// draws any.
//
// Nothing here keeps state besides Writer, starts a goroutine or does I/O. A
// Description is not changed after it was parsed or made and may be shared; a
// Writer belongs to one session.
//
//	offer, err := sdp.Parse(body)
//	...
//	answer, result, err := sdp.Answer(offer, sdp.Policy{Address: ours, Port: 16384, Codecs: sdp.G711()})
//	...
//	bytes := writer.Write(answer)
package sdp
