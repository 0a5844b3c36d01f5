// Package media is everything RTP and audio: it owns the ports, the packets and
// the SDP of every leg. A Session is one leg's audio; calls tell it what the
// party shall hear (another session, sounds, its own voice, nothing) and packets
// then flow without the call.
//
// Two engines move the packets behind one loop: epoll on threads of their own,
// with raw system calls, and a goroutine per socket over PacketConn, for other
// systems and for networks in memory. What a packet meets is the same in both.
//
// Ownership: each media port belongs to one worker of the engine, and everything
// a packet reads or writes belongs to that worker. It reads the ports between two
// sessions too, and throws away what arrives then. Methods of Session may be
// called from any goroutine; they swap the sink of the arriving packets or post
// to the worker, and never wait for a packet. Order: of two verbs on one session
// the later one wins, and nothing of the earlier source is heard after it.
//
// Beside the audio of two joined parties, plain video and fax (T.38) pass as they are:
// each line has ports of its own on either side and the words of the other party, under
// the same payload types, and is accepted from one party only when the other has
// accepted it. Encrypted video is refused in its place, and so is all of it where there
// is no other party or audio must be encrypted; see beside.go.
//
//	engine, err := media.Open(media.Config{Addresses: addrs, PortMin: 16384, PortMax: 32767})
//	a, err := engine.NewSession(media.SessionConfig{Local: addrs[0]})
//	change, err := a.SetOffer(offer)
//	answer, err := a.Answer()
//	media.Join(a, b)
package media
