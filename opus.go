package cordpair

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/cordpair/cordpair/media/codec/worker"
)

// opusWorker is the program that encodes Opus: the configured one, else the one
// beside ours; empty without one.
func (r RTP) opusWorker() string {
	if r.OpusWorker != "" {
		return r.OpusWorker
	}
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	name := "cordpair-worker"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	beside := filepath.Join(filepath.Dir(self), name)
	if st, err := os.Stat(beside); err != nil || !st.Mode().IsRegular() {
		return ""
	}
	return beside
}

// openOpus starts the worker. Without one, or without a library, Opus passes through.
func (s *Switch) openOpus() {
	path := s.cfg.RTP.opusWorker()
	if path == "" || s.cfg.Network != nil {
		return
	}
	w, err := worker.Start(path, s.log)
	if err != nil {
		s.log.Warn("Opus is only passed through", "err", err)
		return
	}
	s.opus = w
	s.log.Info("Opus is transcoded", "library", w.Version())
}

// examineOpus says what becomes of Opus.
func examineOpus(cfg Config) Finding {
	const what, through = "opus", "passed through, not transcoded: "
	path := cfg.RTP.opusWorker()
	if path == "" {
		return Finding{what, Note, through + "no cordpair-worker beside this program"}
	}
	w, err := worker.Start(path, slog.New(slog.DiscardHandler))
	switch {
	case errors.Is(err, worker.ErrAbsent):
		return Finding{what, Note, through + err.Error() + "; Debian has it in libopus0"}
	case err != nil:
		return Finding{what, Warn, through + err.Error()}
	}
	defer w.Close()
	return Finding{what, Good, "transcoded, by " + w.Version()}
}
