// Package wire turns bytes into SIP messages and SIP messages into bytes.
//
// It owns everything between a socket and the transactions: looking at a
// datagram without parsing it (Peek), cutting a byte stream into messages
// (Framer), reading one message (Parse, Reader), the stage that answers what
// RFC 4475 and RFC 5118 expect of a user agent (Rules.Validate), the headers of
// the extensions, and writing answers (Answer, StatelessReply). A message is cut
// into lines; what every message is handled by is checked and kept as places in
// its text, everything else is read when somebody asks. From, To and Via come in
// sipgo's form too. The reading is not sipgo's: its parser misreads white space
// around "=", quoted commas, bare LF, leading CRLF and the spelling of methods,
// and lets pass what a user agent has to refuse.
//
// Nothing in this package keeps state between messages except a Framer, which
// belongs to the goroutine that reads its connection, and a Reader, which belongs
// to who handles message after message. A Message belongs to whoever parsed it
// and is for one goroutine at a time: reading a header may cut it up for later.
// One that a Reader gave out is good until the Reader's next, unless Keep was
// called. Input buffers are never kept: a Message has one copy of the text, which
// never changes, and the strings it gives out are parts of that. So they may be
// kept, but each holds the whole text: what lives long is cloned.
//
// An answer repeats lines of its request as they came. Answer, Writer and
// AppendReply write into a buffer of the caller's and allocate nothing else.
//
// Rules.Plain stands before Parse: it knows an OPTIONS in which Parse and Validate
// would find nothing, and leaves every other message to them. Its answer is, byte by
// byte, theirs.
//
// The order on the way in is Peek, Parse, Rules.Validate:
//
//	head, ok := wire.Peek(datagram)
//	if !ok || head.KeepAlive {
//		return
//	}
//	m, err := wire.Parse(datagram)
//	if fault := new(wire.Fault); errors.As(err, &fault) {
//		send(fault.Reply(source, tag))
//		return
//	}
//	if err != nil {
//		return // unreadable: count and drop
//	}
//	if fault := rules.Validate(m); fault != nil {
//		send(fault.Reply(source, tag))
//		return
//	}
package wire
