package cordpair

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cordpair/cordpair/dialplan/call"
)

// registry is where every part of the switch registers its metrics.
type registry = *prometheus.Registry

// newMetrics makes the registry of a switch. The SIP edge adds its own.
func (s *Switch) newMetrics() registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, value func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cordpair_" + name, Help: help}, value))
	}
	counter := func(name, help string, value func() float64) {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "cordpair_" + name, Help: help}, value))
	}
	gauge("calls", "Calls that are up.", func() float64 { return float64(s.calls.Len()) })
	counter("calls_started_total", "Calls begun.", func() float64 { return float64(s.calls.Stats().Started) })
	counter("panics_total", "Faults recovered in calls.", func() float64 { return float64(s.calls.Stats().Panics) })
	counter("call_faults_total", "Calls ended because a step of theirs failed.", func() float64 { return float64(s.calls.Stats().Faults) })
	counter("calls_stuck_total", "Calls whose mailbox made no progress for too long.", func() float64 { return float64(s.calls.Stats().Stuck) })
	counter("call_parts_abandoned_total", "Legs and scripts that did not end when told.", func() float64 { return float64(s.calls.Stats().Abandoned) })
	gauge("call_mailbox_deepest", "Most messages that ever waited for one call.", func() float64 { return float64(s.calls.Stats().MailboxDepth) })
	for _, why := range call.Refusals() {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cordpair_calls_refused_total", Help: "What was asked of calls and not done.",
			ConstLabels: prometheus.Labels{"reason": string(why)},
		}, func() float64 { return float64(s.calls.Stats().Refused[why]) }))
	}
	for _, code := range call.FindingCodes() {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cordpair_media_findings_total", Help: "What was found wrong with the audio of a party.",
			ConstLabels: prometheus.Labels{"kind": string(code)},
		}, func() float64 { return float64(s.calls.Stats().Findings[code]) }))
	}
	counter("records_written_total", "Call records that are durable.", func() float64 { return float64(s.history.Stats().Written) })
	counter("records_failed_total", "Writes of call records that the store refused for good.", func() float64 { return float64(s.history.Stats().Failed) })
	gauge("records_pending", "Writes of call records on their way to the disk.", func() float64 { return float64(s.history.Stats().Pending) })
	gauge("record_events_waiting", "Events of calls not yet looked at for records.", func() float64 { return float64(s.history.Stats().Backlog) })
	gauge("media_ports_free", "Media port pairs that can be taken.", func() float64 { return float64(s.media.Stats().PortsFree) })
	gauge("media_ports_used", "Media port pairs in use.", func() float64 { return float64(s.media.Stats().PortsUsed) })
	counter("media_packets_received_total", "RTP and RTCP packets received.", func() float64 { return float64(s.media.Stats().PacketsReceived) })
	counter("media_packets_sent_total", "RTP and RTCP packets sent.", func() float64 { return float64(s.media.Stats().PacketsSent) })
	counter("media_packets_dropped_total", "RTP and RTCP packets that were malformed or from a stranger.", func() float64 { return float64(s.media.Stats().PacketsDropped) })
	counter("media_packets_forged_total", "Packets that were not under the key of the party they claimed to come from.", func() float64 { return float64(s.media.Stats().PacketsForged) })
	gauge("store_free_bytes", "Free space on the file system of the store.", func() float64 {
		free, err := s.db.FreeBytes()
		if err != nil {
			return -1
		}
		return float64(free)
	})
	s.followerMetrics(gauge, counter)
	return reg
}

// metric registers one value that is read when it is asked for.
type metric func(name, help string, value func() float64)

// followerMetrics are those of the API and of who follows what happens.
func (s *Switch) followerMetrics(gauge, counter metric) {
	gauge("event_stream_readers", "Clients connected to an event stream.", func() float64 { return float64(s.feed.Stats().Readers) })
	gauge("event_stream_backlog", "Events of calls not yet in the event streams.", func() float64 { return float64(s.feed.Stats().Backlog) })
	gauge("event_stream_bytes", "Memory of the events that are kept, roughly.", func() float64 { return float64(s.feed.Stats().Bytes) })
	counter("event_stream_events_total", "Events told to the event streams.", func() float64 { return float64(s.feed.Stats().Events) })
	counter("event_stream_lost_total", "Events that got no number.", func() float64 { return float64(s.feed.Stats().Lost) })
	gauge("registration_log_queued", "Entries of the registration log on their way to the disk.", func() float64 { return float64(s.reglog.Stats().Queued) })
	counter("registration_log_lost_total", "Entries of the registration log that could not be written.", func() float64 { return float64(s.reglog.Stats().Lost) })
	gauge("api_tokens", "Access tokens that are good now.", func() float64 { return float64(s.auth.Stats().Tokens) })
	gauge("api_logins_locked", "Pauses in force after wrong passwords.", func() float64 { return float64(s.auth.Stats().Locked) })
	counter("api_login_failures_total", "Wrong logins, passwords and secrets.", func() float64 { return float64(s.auth.Stats().Failures) })
	counter("api_panics_total", "Faults recovered in requests.", func() float64 { return float64(s.api.Stats().Panics) })
}

// metricsHandler exposes a registry.
func metricsHandler(reg registry) http.Handler {
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}
