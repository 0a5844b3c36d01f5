// Package metricstest lets a test read what the edge has counted, without a
// Prometheus server and without importing its client.
//
// A Registry belongs to the test that made it; its methods may be called from
// any goroutine, and each reads all metrics anew.
//
//	reg := metricstest.New()
//	startEdge(sip.Config{Registry: reg.Registerer()})
//	n := reg.Value("cordpair_sip_panics_total")
package metricstest
