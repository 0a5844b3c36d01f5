package cordpair

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Limits of an HTTP connection (H2). A stream of events moves its own deadline
// for writing.
const (
	headerWithin  = 5 * time.Second
	requestWithin = 30 * time.Second
	answerWithin  = time.Minute
	idleFor       = 2 * time.Minute
	maxHeader     = 64 << 10
)

// web are the HTTP listeners: the API, for the world and for the operator of
// this machine, and metrics on an address of their own (H11).
type web struct {
	log       *slog.Logger
	servers   []*http.Server
	listeners []net.Listener
	addrs     map[string]string // "http", "metrics"
	bound     []netip.AddrPort  // the same
	serving   sync.WaitGroup
	requests  sync.WaitGroup
}

func (s *Switch) openWeb() error {
	s.web = &web{log: s.log, addrs: map[string]string{}}
	if s.cfg.Network != nil {
		return nil // a network in memory has no browsers
	}
	if err := s.web.listen("http", s.cfg.Listen.HTTP, s.api, s.cfg.API.ConnectionsPerSource); err != nil {
		return err
	}
	if err := s.web.listen("metrics", s.cfg.Listen.Metrics, s.inside(), 0); err != nil || s.cfg.InMemory {
		return err
	}
	return s.web.listenOperator(s.cfg.DataDir, s.api.Operator())
}

// inside is what the machine's own monitoring sees (H11).
func (s *Switch) inside() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metricsHandler(s.metrics))
	mux.HandleFunc("GET /healthz", serveHealth)
	mux.HandleFunc("GET /readyz", s.serveReady)
	for path, h := range map[string]http.HandlerFunc{
		"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		mux.HandleFunc("GET /debug/pprof/"+path, byAddress(h))
	}
	return mux
}

// byAddress refuses requests that name a host: a web page in a browser on this
// machine can have its name resolve to us, but cannot make it an address.
func byAddress(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil {
			http.Error(w, "ask by address", http.StatusMisdirectedRequest)
			return
		}
		h(w, r)
	}
}

// listen opens a listener, with at most so many connections of one source at
// once; 0 sets no limit.
func (w *web) listen(name, addr string, h http.Handler, perSource int) error {
	if addr == "" {
		return nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen.%s: %w", name, err)
	}
	w.addrs[name] = ln.Addr().String()
	if tcp, ok := ln.Addr().(*net.TCPAddr); ok {
		w.bound = append(w.bound, tcp.AddrPort())
	}
	if perSource > 0 {
		ln = limitSources(ln, perSource)
	}
	w.serve(ln, h)
	return nil
}

// serve lets h answer what comes in at ln from start on.
func (w *web) serve(ln net.Listener, h http.Handler) {
	w.listeners = append(w.listeners, ln)
	w.servers = append(w.servers, &http.Server{
		Handler: w.counting(h), ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin, WriteTimeout: answerWithin,
		IdleTimeout: idleFor, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelDebug),
	})
}

func (w *web) start() {
	for i, srv := range w.servers {
		w.serving.Go(func() { // ends with close
			if err := srv.Serve(w.listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				w.log.Error("HTTP is no longer served", "addr", w.listeners[i].Addr(), "err", err)
			}
		})
	}
}

// close ends the servers side by side, within a second each, and waits for the
// requests that are being answered: what they use is closed next.
func (w *web) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	errs := make([]error, len(w.servers))
	var ending sync.WaitGroup
	for i, srv := range w.servers {
		ending.Go(func() { // ends within a second
			if err := srv.Shutdown(ctx); err != nil {
				errs[i] = srv.Close()
			}
			if err := w.listeners[i].Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	ending.Wait()
	w.serving.Wait()
	w.awaitRequests()
	return errors.Join(errs...)
}

// lastRequests is how long requests whose connections were closed may go on.
const lastRequests = 2 * time.Second

// awaitRequests waits for the handlers that still run.
func (w *web) awaitRequests() {
	done := make(chan struct{})
	go func() { // ends with the last handler
		w.requests.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(lastRequests):
		w.log.Warn("requests are still being answered at the end")
	}
}

// counting lets awaitRequests know of each request.
func (w *web) counting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		defer w.requests.Done()
		h.ServeHTTP(rw, r)
	})
}
