package sip

import (
	"strconv"
	"strings"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/sip/wire"
)

// fork is one early dialog of our INVITE (RFC 3261 12.1.2, 13.2.2.4): a contact may
// be a proxy that rings several phones. The caller hears the first that described
// its media; the 2xx decides with whom it talks.
type fork struct {
	// dialog of every fork but the first, whose dialog is the leg's. The number of our
	// latest request is always the leg's.
	dialog *dialog
	tag    string
	rseq   uint32 // of its last reliable response; 0 before
	sdp    []byte // what it described last
	// settled: it described it reliably, so that nothing else is an answer.
	settled bool
}

// forkOf finds the early dialog of a provisional response, or begins one; an RFC 2543
// phone has one without a tag. nil if there are too many already.
func (l *leg) forkOf(res *wire.Message) *fork {
	c := l.calling
	tag := res.ToTag()
	for _, f := range c.forks {
		if f.tag == tag {
			l.dialogOf(f).learn(res)
			return f
		}
	}
	if len(c.forks) >= maxForks {
		return nil
	}
	f := &fork{tag: strings.Clone(tag), dialog: &l.dialog}
	if len(c.forks) > 0 {
		d := l.dialog
		d.remoteSeq, d.far = -1, 0
		f.dialog = &d
	}
	f.dialog.confirm(res)
	c.forks = append(c.forks, f)
	return f
}

// dialogOf is where the requests of a fork belong.
func (l *leg) dialogOf(f *fork) *dialog {
	f.dialog.localSeq, f.dialog.flow = l.dialog.localSeq, l.dialog.flow
	return f.dialog
}

// dialogWith is the dialog with a far end's tag; nil if the leg, which may be nil,
// has none.
func (l *leg) dialogWith(tag string) *dialog {
	switch {
	case l == nil:
		return nil
	case tag == l.dialog.remoteTag:
		return &l.dialog
	case l.calling == nil || l.state != legTrying:
		return nil
	}
	for _, f := range l.calling.forks {
		if f.tag == tag {
			return l.dialogOf(f)
		}
	}
	return nil
}

// acknowledge sends the PRACK of a reliable response (RFC 3262 section 4). It
// reports false for one that came before, or too early: that is to be ignored.
func (l *leg) acknowledge(f *fork, res *wire.Message) bool {
	seq, ok := reliably(res)
	if !ok {
		return true
	}
	if f.rseq != 0 && seq != f.rseq+1 {
		return false
	}
	f.rseq = seq
	d := l.dialogOf(f)
	r := d.request(methodPrack)
	l.dialog.localSeq = d.localSeq
	r.fields = []wire.Field{{Name: "RAck", Value: strconv.FormatUint(uint64(seq), 10) + " " +
		strconv.FormatUint(uint64(l.calling.tx.req.cseq), 10) + " " + methodInvite}}
	l.w.tell(&r, d.flow)
	return true
}

// reliably tells that a provisional response is to be acknowledged, and its number.
func reliably(res *wire.Message) (seq uint32, ok bool) {
	seq, ok = res.RSeq()
	return seq, ok && res.Has("Require", optionReliable)
}

// earlyMedia takes what a fork says of its media before the answer.
func (l *leg) earlyMedia(f *fork, res *wire.Message) {
	sdp := sdpOf(res)
	if sdp == nil || f.settled {
		return
	}
	_, f.settled = reliably(res)
	f.sdp = sdp
	c := l.calling
	if c.early && f.tag != c.heardTag {
		return // another one is listened to
	}
	if _, err := l.session.SetAnswer(sdp); err != nil {
		return
	}
	c.agreed = f.settled
	if !c.early {
		c.early, c.heardTag = true, f.tag
		l.emit(call.LegEarlyMedia)
	}
}

// choose makes the dialog that a 2xx confirms the leg's, and returns what counts
// as the answer to our offer: who has answered it early need not repeat it
// (RFC 3264), and who did so reliably cannot change it (RFC 3262 section 5).
func (l *leg) choose(res *wire.Message) []byte {
	c := l.calling
	sdp := sdpOf(res)
	for _, f := range c.forks {
		if f.tag != res.ToTag() {
			continue
		}
		l.dialog.remoteSeq = l.dialogOf(f).remoteSeq
		l.dialog.far = l.dialogOf(f).far
		if sdp == nil || f.settled {
			sdp = f.sdp
		}
	}
	if c.heardTag != res.ToTag() {
		c.agreed = false
	} else if c.agreed {
		sdp = nil // an UPDATE may have changed it since
	}
	l.dialog.confirm(res)
	return sdp
}
