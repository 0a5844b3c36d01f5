// Package sip is the SIP edge of the switch: listeners, stream framing, flows,
// transactions, dialogs, digest authentication and the registrar. It turns an
// INVITE into a call.Leg and a call.Invite, and a call's verbs into requests and
// responses; nothing outside it sees a header, a tag or a status code.
//
// Ownership: every message is hashed by its Call-ID to one of a few workers, and
// whoever has the turn of a worker alone touches the transactions, dialogs and legs
// of that Call-ID: its goroutine, or a UDP reader for a message that came alone and
// found the worker idle. A call's loop runs where its leg speaks, so that most of
// what a message leads to is done before the turn ends. Verbs of a leg and answers
// of the store come to the worker as jobs in the same mailbox. Nothing in a worker
// waits. Order: messages of one Call-ID and one lane (in dialog, emergency calls,
// INVITEs with credentials, those without, the rest) are handled in the order they
// arrived on their flow; a CANCEL waits behind the INVITE it means. Into the first
// lane lead only tags and branches of ours, and in a lane the sources take turns
// (O3).
//
// Overload: each message of the lower lanes has a wait to expect, from what is
// before it and what each took of late. Where it is too long, though shorter than
// what makes a phone repeat its request, new work is refused unread, the least
// valuable class first (O1, O2); what is let in is served. The time that refusals
// cost is bounded, and so is everything that is kept; each bound has a gauge (O5).
// A worker that is busy reads the sockets itself, four times a millisecond, so that
// what comes meanwhile has its lane, or its refusal.
//
// Dialogs and legs: a leg is one INVITE dialog, in either role. What an RFC fixes
// (100, ACK, CANCEL, 200 to BYE) is answered here at once; what policy decides
// comes back from the call as a verb.
//
// Subscriptions (RFC 6665) are dialogs of their worker too. What may be watched is
// an event.Package; whoever plugs one in says Server.Changed, and each watcher is
// told in its own time. Stored text messages are carried by one courier for each
// target.
package sip
