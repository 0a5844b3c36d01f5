package metricstest

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Registry takes metrics and tells their values.
type Registry struct{ reg *prometheus.Registry }

// New returns an empty registry. It refuses metrics that disagree with their
// own description.
func New() *Registry { return &Registry{prometheus.NewPedanticRegistry()} }

// Registerer is where metrics register.
func (r *Registry) Registerer() prometheus.Registerer { return r.reg }

// Value is the sum over all label sets of a counter or gauge, or over those that
// have one of the given label values. It is 0 for a metric that does not exist.
func (r *Registry) Value(name string, labels ...string) float64 {
	families, err := r.reg.Gather()
	if err != nil {
		panic(fmt.Sprintf("metricstest: %v", err))
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			has := len(labels) == 0
			for _, l := range m.GetLabel() {
				for _, want := range labels {
					has = has || l.GetValue() == want
				}
			}
			if has {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// Faults are the metrics whose names break the rules of Prometheus: counters,
// and only they, end in _total; names are lower case; each has a help text.
func (r *Registry) Faults() []string {
	families, err := r.reg.Gather()
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	for _, f := range families {
		name, kind := f.GetName(), f.GetType().String()
		switch {
		case strings.HasSuffix(name, "_total") != (kind == "COUNTER"):
			faults = append(faults, name+": "+kind)
		case name != strings.ToLower(name) || !strings.HasPrefix(name, "cordpair_"):
			faults = append(faults, name+": not lower case behind cordpair_")
		case !strings.HasSuffix(f.GetHelp(), "."):
			faults = append(faults, name+": help is no sentence")
		}
	}
	return faults
}
