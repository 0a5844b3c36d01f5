package cordpair_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair"
)

// scratch is a folder for a store, in memory where there is such a place: the
// simulation asks what the files hold, not how fast a disk is.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "cordpair")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what is left is found by others
	return dir
}

// start opens a switch over what its predecessor left and lets it run.
func (s *sim) start(prepare func(*cordpair.Switch)) {
	cfg := cordpair.InMemory(s.net, s.net.Switch)
	cfg.Demo = true
	if s.dir != "" {
		cfg.InMemory, cfg.DataDir = false, s.dir
	}
	s.log = &logBuffer{}
	cfg.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	cfg.Listen.SIP = append(cfg.Listen.SIP,
		cordpair.SIPListener{Name: "udp6", Transport: "udp", Addr: s.net.Switch6.String()},
		cordpair.SIPListener{Name: "tcp6", Transport: "tcp", Addr: s.net.Switch6.String()})
	sw, err := cordpair.Open(cfg)
	s.must(err)
	prepare(sw)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sw.Run(ctx) }() // ends with stop
	s.mu.Lock()
	s.lives++
	s.mu.Unlock()
	s.sw = sw
	s.stop = func() {
		stop()
		s.must(<-ended)
	}
	synctest.Wait()
}

// kill ends the switch as kill -9 does and starts another one over its files.
func (s *sim) kill() {
	synctest.Wait()
	next := filepath.Join(filepath.Dir(s.dir), filepath.Base(s.dir)+"+")
	s.must(copyFolder(s.dir, next))
	s.t.Cleanup(func() { _ = os.RemoveAll(next) })
	s.net.Sever(s.net.Switch.Addr())
	s.net.Sever(s.net.Switch6.Addr())
	s.checkLog()
	for key, n := range s.begun() {
		s.owed[key] += n
	}
	for _, m := range s.umpire.Unanswered() {
		if m.Method == "INVITE" {
			s.doubtful[parties(m)]++
		}
	}
	s.umpire.Restarted()
	s.mu.Lock()
	s.lives++ // nothing works until the next is there
	s.mu.Unlock()
	s.dead.Go(s.stop)
	s.dir = next
	time.Sleep(between(s.rand, 0, 4*time.Second))
	s.start(func(*cordpair.Switch) {})
	s.reachEverybody()
}

// reachEverybody is D1 and L2: a phone that has seen the 200 to its REGISTER is
// called after the switch was killed, without a new one.
func (s *sim) reachEverybody() {
	for _, h := range s.sets {
		h.mu.Lock()
		owed, changes := h.bound && !h.tcp && !h.gone, h.changes
		h.mu.Unlock()
		if !owed || time.Now().After(s.until.Add(10*time.Second)) {
			continue // it sleeps, or is about to
		}
		c, err := s.probe.Call(s.t.Context(), h.number)
		s.must(err)
		end, err := c.WaitEnded(s.t.Context())
		s.must(err)
		h.mu.Lock()
		if end.Code != 486 && !h.gone && h.bound && h.changes == changes {
			s.problem("%s was registered when the switch died; a call to it %s", h.number, end)
		}
		h.mu.Unlock()
	}
}

// copyFolder copies files and folders; long runs of zeros stay holes.
func copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, name[len(from):])
		if d.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		return copyFile(name, target)
	})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	buf, zero := make([]byte, 64<<10), make([]byte, 64<<10)
	size := int64(0)
	for {
		n, err := in.Read(buf)
		if !bytes.Equal(buf[:n], zero[:n]) {
			if _, err := out.WriteAt(buf[:n], size); err != nil {
				return errors.Join(err, out.Close())
			}
		}
		size += int64(n)
		if errors.Is(err, io.EOF) {
			return errors.Join(out.Truncate(size), out.Close())
		}
		if err != nil {
			return errors.Join(err, out.Close())
		}
	}
}
