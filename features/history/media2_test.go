package history

import "github.com/cordpair/cordpair/dialplan/call"

// media2 knew nothing of the far end.
func (w *writer) media2(m *call.MediaStats) {
	for _, n := range []uint64{m.PacketsReceived, m.PacketsSent, m.OctetsReceived, m.OctetsSent, m.Lost, m.Dropped} {
		w.uint(n)
	}
	w.float(m.JitterMS)
	w.text(m.Codec)
	w.time(m.FirstAt)
	w.text(m.Signalled)
	w.text(m.Source)
}
