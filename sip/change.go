package sip

import (
	"errors"

	"github.com/cordpair/cordpair/media"
)

// conclude answers the re-INVITE at hand with our side of the session, or says why
// there is none.
func (l *leg) conclude(body []byte, err error) {
	m := l.invite.request
	switch {
	case errors.Is(err, media.ErrUndecided):
		l.waitForPeer()
		return
	case err != nil:
		status, phrase, why := mediaRefusal(err)
		l.respond(status, phrase, nil, why...)
		l.invite.settle(l.w)
		l.invite = inviteServer{}
		l.tell()
		return
	}
	change := l.invite.change
	l.dialog.learn(m)
	l.dialog.retarget(m)
	l.accept(body, l.timer.grant(m)...)
	l.keepTime()
	l.emitChange(change)
}

// waitForPeer leaves a re-INVITE open until the other party has taken or refused the
// codec that it asks for: a codec that was granted cannot be taken back. It waits for
// 32 s at most.
func (l *leg) waitForPeer() {
	l.invite.undecided = true
	l.respond(100, "Trying", nil)
	l.w.wakeAfter(&l.invite.ring, timerLong, l)
}

// decided goes on with a re-INVITE that waited.
func (l *leg) decided() {
	if !l.invite.undecided {
		return
	}
	l.invite.undecided = false
	l.w.wheel.stop(&l.invite.ring)
	l.conclude(l.session.Answer())
}

// undecidedForLong refuses a re-INVITE whose other party thinks for too long.
func (l *leg) undecidedForLong() {
	l.session.Withdraw()
	l.invite.undecided = false
	l.conclude(nil, media.ErrNoCommonCodec)
}

// dropChange ends a re-INVITE that waits when its author has given it up, or when the
// call is over (RFC 3261 15.1.2).
func (l *leg) dropChange() {
	if !l.invite.undecided {
		return
	}
	l.session.Withdraw()
	l.respond(487, "Request Terminated", nil)
	l.invite.settle(l.w)
	l.invite = inviteServer{}
}
