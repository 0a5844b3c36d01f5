package cordpair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/cordpair/cordpair/api"
)

// Limits of an HTTP connection (H2).
const (
	headerWithin  = 5 * time.Second
	requestWithin = 30 * time.Second
	idleFor       = 2 * time.Minute
	maxHeader     = 64 << 10
)

// web is the pair of HTTP listeners: the API, and metrics on an address of
// their own (H11).
type web struct {
	log       *slog.Logger
	servers   []*http.Server
	listeners []net.Listener
	addrs     map[string]string // "http", "metrics"
	serving   sync.WaitGroup
}

func (s *Switch) openWeb() error {
	s.web = &web{log: s.log, addrs: map[string]string{}}
	s.metrics = s.newMetrics()
	if s.cfg.Network != nil {
		return nil // a network in memory has no browsers
	}
	if err := s.web.listen("http", s.cfg.Listen.HTTP, api.NewHandler()); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metricsHandler(s.metrics))
	mux.HandleFunc("GET /readyz", s.serveReady)
	return s.web.listen("metrics", s.cfg.Listen.Metrics, mux)
}

// serveReady tells a load balancer whether new calls are taken (L1).
func (s *Switch) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !s.ready.Load() {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n") // whoever asked may be gone
}

func (w *web) listen(name, addr string, h http.Handler) error {
	if addr == "" {
		return nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen.%s: %w", name, err)
	}
	w.listeners = append(w.listeners, ln)
	w.addrs[name] = ln.Addr().String()
	w.servers = append(w.servers, &http.Server{
		Handler: h, ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin,
		IdleTimeout: idleFor, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelWarn),
	})
	return nil
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

func (w *web) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var errs []error
	for i, srv := range w.servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, srv.Close())
		}
		if err := w.listeners[i].Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	w.serving.Wait()
	return errors.Join(errs...)
}
