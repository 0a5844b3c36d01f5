package cordpair_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/dialplan/call"
)

// lastRecord is the newest call record, a second after the call's end (D1).
func (w *world) lastRecord() cordpair.CallRecord {
	w.t.Helper()
	time.Sleep(time.Second) // virtual
	synctest.Wait()
	list, _, err := w.sw.CallRecords(cordpair.CallQuery{Client: 1, Limit: 1})
	w.must(err)
	if len(list) != 1 {
		w.t.Fatal("no call record a second after the end")
	}
	whole, err := w.sw.CallRecord(list[0].CallUUID)
	w.must(err)
	return whole
}

func TestRecordOfATalk(t *testing.T) {
	inWorld(t, func(w *world) {
		out, in := w.talk(w.phone("101"), w.phone("102"))
		w.hearEachOther(out, in)
		time.Sleep(90 * time.Second) // virtual
		w.must(out.Hangup(w.ctx))
		r := w.lastRecord()
		if r.Result != "bridged" || r.Disposition != "caller_bye" || r.Q850 != "NORMAL_CLEARING" || r.Cause != call.CauseNormal {
			t.Errorf("result %q, disposition %q, hangup cause %q, cause %q", r.Result, r.Disposition, r.Q850, r.Cause)
		}
		if r.Duration < 90 || r.Duration > 92 || !r.Bridged {
			t.Errorf("duration %d s, bridged %v", r.Duration, r.Bridged)
		}
		if len(r.CDR) != 2 || r.CDR[0].Stats.PacketsReceived == 0 || r.CDR[1].Stats.PacketsReceived == 0 || r.CDR[0].Stats.Codec == "" {
			t.Errorf("legs: %+v", r.CDR)
		}
		if r.FromUsername != "101" || r.FromScreenName != "Phone 101" || r.ToUsername != "102" {
			t.Errorf("from %q %q to %q", r.FromUsername, r.FromScreenName, r.ToUsername)
		}
		if len(r.Trace) == 0 || r.Trace[0].Kind != call.TraceNumber || len(r.Events) == 0 {
			t.Errorf("trace %+v, %d events", r.Trace, len(r.Events))
		}
	})
}

func TestRecordsOfRefusedCalls(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		for _, tc := range []struct {
			number, result string
			cause          call.Cause
			act            func()
		}{
			{"199", "failed", call.CauseNotFound, func() {}},
			{"103", "failed", call.CauseUnreachable, func() {}},
			{"102", "busy", call.CauseBusy, func() { w.must(w.incoming(callee).Reject(486)) }},
			{"102", "rejected", call.CauseRejected, func() { w.must(w.incoming(callee).Reject(603)) }},
		} {
			out := w.call(caller, tc.number)
			tc.act()
			_, err := out.WaitEnded(w.ctx)
			w.must(err)
			if r := w.lastRecord(); r.Cause != tc.cause || r.Result != tc.result || r.ToUsername != tc.number {
				t.Errorf("%s: result %q cause %q to %q, want %q %q", tc.number, r.Result, r.Cause, r.ToUsername, tc.result, tc.cause)
			}
		}
	})
}
