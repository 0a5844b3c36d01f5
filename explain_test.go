package cordpair_test

import (
	"testing"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/siptest"
)

// TestRecordsReplay: what the record of a real call says of its decisions is what
// explain answers, given the same outcomes.
func TestRecordsReplay(t *testing.T) {
	inWorld(t, func(w *world) {
		caller, callee := w.phone("101"), w.phone("102")
		for number, act := range map[string]func(*siptest.Call){
			"102": func(out *siptest.Call) {
				w.must(w.incoming(callee).Answer())
				w.must(out.WaitAnswered(w.ctx))
				w.must(out.Hangup(w.ctx))
			},
			"103": func(*siptest.Call) {}, // not registered
			"199": func(*siptest.Call) {}, // no such number
			"*43": func(out *siptest.Call) { w.must(out.WaitAnswered(w.ctx)); w.must(out.Hangup(w.ctx)) },
		} {
			out := w.call(caller, number)
			act(out)
			record := w.lastRecord()
			if err := w.sw.Replay(record); err != nil {
				t.Errorf("%s: %v", number, err)
			}
			told, err := w.sw.Explain(w.ctx, 1, cordpair.Question{From: "101", To: number})
			if err != nil || len(told.Trace) == 0 || told.Trace[0].Name != record.Trace[0].Name || told.ConfigVersion == 0 {
				t.Errorf("%s: %+v, %v", number, told, err)
			}
		}
	})
}
