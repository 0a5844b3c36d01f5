package sip

import "github.com/prometheus/client_golang/prometheus"

// Registerer takes the metrics of the edge.
type Registerer = prometheus.Registerer

// metrics are the counters of the edge (X6).
type metrics struct {
	panics, sendErrors, readErrors prometheus.Counter
	retransmits, repeated          prometheus.Counter
	registered, notifications      prometheus.Counter
	subscriptionEnds, texts        *prometheus.CounterVec
	unrefused, stuck               prometheus.Counter
	refusals, drops, auth          *prometheus.CounterVec
	sheds                          [classes]prometheus.Counter
	full                           [lanes]prometheus.Counter
}

// newMetrics registers with reg; with nil nobody reads what is counted.
func newMetrics(reg prometheus.Registerer, s *Server) *metrics {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "cordpair_sip_" + name, Help: help})
		reg.MustRegister(c)
		return c
	}
	vector := func(name, help, label string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cordpair_sip_" + name, Help: help}, []string{label})
		reg.MustRegister(c)
		return c
	}
	m := &metrics{
		panics:      counter("panics_total", "Faults recovered in a SIP worker."),
		sendErrors:  counter("send_errors_total", "Messages the network did not take."),
		readErrors:  counter("read_errors_total", "Failed reads and accepts."),
		retransmits: counter("retransmissions_total", "Messages we sent again for want of an answer."),
		repeated:    counter("repeated_requests_total", "Requests that came again and were absorbed."),
		registered:  counter("registrations_total", "REGISTER requests that were granted."),
		refusals:    vector("refused_total", "Requests answered with an error of ours.", "reason"),
		drops:       vector("dropped_total", "Messages dropped without an answer.", "reason"),
		auth:        vector("auth_failures_total", "Credentials that did not hold.", "reason"),
		unrefused:   counter("unrefused_total", "Shed requests that got no answer, for want of time or of plain lines."),
		stuck:       counter("stuck_workers_total", "Workers that were at one message for too long."),
	}
	sheds := vector("shed_total", "Requests not served because a worker was behind or memory short.", "class")
	for c, name := range classNames {
		m.sheds[c] = sheds.WithLabelValues(name)
	}
	full := vector("lane_full_total", "Messages dropped because too many waited, in all or of their source.", "class")
	for l, name := range laneNames {
		m.full[l] = full.WithLabelValues(name)
	}
	m.notifications = counter("notifications_total", "NOTIFY requests sent, repetitions not counted.")
	m.subscriptionEnds = vector("subscriptions_ended_total", "Subscriptions that ended.", "reason")
	m.texts = vector("text_messages_total", "Text messages by what became of them; one that was stored counts again at its end.", "result")
	gauges(reg, s)
	return m
}

func gauges(reg prometheus.Registerer, s *Server) {
	gauge := func(name, help string, value func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cordpair_sip_" + name, Help: help}, value))
	}
	gauge("legs", "INVITE dialogs that exist.", func() float64 { return float64(s.legs.Load()) })
	gauge("bindings", "Contacts that are registered.", func() float64 { return float64(s.location.Len()) })
	gauge("subscriptions", "Subscriptions that exist.", func() float64 { return float64(s.Subscriptions()) })
	gauge("publications", "Publications that are in force.", func() float64 { return float64(s.events.publications.Len()) })
	gauge("text_messages_waiting", "Text messages stored for phones that are away.", func() float64 { return float64(s.events.messages.Len()) })
	gauge("connections", "Connections of stream transports.", func() float64 { return float64(s.streams.len()) })
	gauge("memory_used_bytes", "Memory that cannot be given back, as of the last look.", func() float64 { return float64(s.memory.used.Load()) })
	gauge("memory_limit_bytes", "Memory there may be, 0 for no limit; at 80 % of it new work is refused.", func() float64 { return float64(s.memory.limit.Load()) })
	for _, k := range holdingKinds {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cordpair_sip_held", Help: "How many there are of what is kept; each kind has a bound.",
			ConstLabels: prometheus.Labels{"kind": k.name},
		}, func() float64 { return float64(k.of(s)) }))
	}
	for l, name := range laneNames {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cordpair_sip_queue_depth", Help: "Messages waiting for a worker.",
			ConstLabels: prometheus.Labels{"class": name},
		}, func() float64 { return float64(s.depth(lane(l))) }))
	}
}

var laneNames = [lanes]string{
	laneDialog: "dialog", laneEmergency: "emergency", laneAgain: "invite_again", laneInvite: "invite", laneRest: "rest",
}

func (m *metrics) subscriptionEnded(why ending) {
	m.subscriptionEnds.WithLabelValues(string(why)).Inc()
}

func (m *metrics) textMessages(result string, n int) {
	m.texts.WithLabelValues(result).Add(float64(n))
}

func (m *metrics) refused(reason string)    { m.refusals.WithLabelValues(reason).Inc() }
func (m *metrics) dropped(reason string)    { m.drops.WithLabelValues(reason).Inc() }
func (m *metrics) shed(c class)             { m.sheds[c].Inc() }
func (m *metrics) authFailed(reason string) { m.auth.WithLabelValues(reason).Inc() }
