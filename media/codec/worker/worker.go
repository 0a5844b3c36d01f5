package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds.
const (
	maxQueue   = 4 << 20 // bytes that wait for the process: a fifth of a second of 2,000 streams
	maxStreams = 20000
	patience   = 5 * time.Second // for Ready
	leastPause = 100 * time.Millisecond
	mostPause  = 30 * time.Second
)

// ErrAbsent says that the process runs, but has no library.
var ErrAbsent = errors.New("no Opus library")

// Worker is the process and what waits for it. Its methods may be called from any
// goroutine.
type Worker struct {
	path   string
	log    *slog.Logger
	wake   chan struct{} // something is queued; one slot
	quit   chan struct{}
	over   chan struct{}
	up     atomic.Bool
	starts atomic.Uint64
	behind atomic.Int64

	mu      sync.Mutex
	version string
	process *process // nil between two of them
	queue   []byte
	spare   []byte // the other half of queue
	streams map[uint32]*Encoder
	last    uint32 // stream
	swept   time.Time
}

// process is one life of the worker.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *Reader
	errors tail
}

// tail keeps the first of what a process complains of.
type tail struct{ bytes.Buffer }

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	if room := 4096 - t.Len(); room > 0 {
		t.Buffer.Write(b[:min(len(b), room)])
	}
	return len(b), nil
}

// Start runs the program at path and waits until it says whether it has the library.
// It fails with ErrAbsent, or with why the program does not run.
func Start(path string, log *slog.Logger) (*Worker, error) {
	w := &Worker{path: path, log: log, wake: make(chan struct{}, 1), quit: make(chan struct{}), over: make(chan struct{}),
		streams: map[uint32]*Encoder{}}
	p, err := w.launch()
	if err != nil {
		return nil, err
	}
	// Ends with Close.
	go w.run(p)
	return w, nil
}

// Version is that of the library, "libopus 1.3.1".
func (w *Worker) Version() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version
}

// Up tells whether the process runs.
func (w *Worker) Up() bool { return w.up.Load() }

// Restarts counts how often it had to be started again.
func (w *Worker) Restarts() uint64 { return w.starts.Load() - 1 }

// Behind is how many frames the process has and has not answered; what it has lost
// counts until its next start.
func (w *Worker) Behind() int { return int(w.behind.Load()) }

// Close ends the process and waits for it.
func (w *Worker) Close() {
	close(w.quit)
	w.mu.Lock()
	if w.process != nil {
		_ = w.process.cmd.Process.Kill() // it may have ended already
	}
	w.mu.Unlock()
	<-w.over
}

// NewEncoder makes a stream; rate is 8000, 16000 or 48000 Hz. It needs no closing.
func (w *Worker) NewEncoder(rate int) *Encoder { return &Encoder{worker: w, rate: rate} }

// launch starts the process and waits for its first word.
func (w *Worker) launch() (*process, error) {
	p := &process{cmd: exec.Command(w.path)}
	if path, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		p.cmd.Env = []string{"LD_LIBRARY_PATH=" + path}
	} else {
		p.cmd.Env = []string{} // it has no use for what else is there
	}
	p.cmd.Stderr = &p.errors
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.in, p.out = in, NewReader(out)
	slow := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	f, err := p.out.Next()
	slow.Stop()
	if err == nil && f.Kind == Ready {
		w.starts.Add(1)
		w.mu.Lock()
		w.behind.Store(0)
		w.process, w.queue, w.version = p, w.queue[:0], string(f.Body)
		w.mu.Unlock()
		w.up.Store(true)
		return p, nil
	}
	_ = p.cmd.Process.Kill() // what it says is known
	_ = p.cmd.Wait()
	if err == nil {
		return nil, fmt.Errorf("%w: %s", ErrAbsent, f.Body)
	}
	return nil, fmt.Errorf("%s: %w: %s", w.path, err, bytes.TrimSpace(p.errors.Bytes()))
}

// run lets one process after another work, with pauses that grow while they fail.
func (w *Worker) run(p *process) {
	defer close(w.over)
	for pause := leastPause; ; pause = min(2*pause, mostPause) {
		if p != nil {
			select {
			case <-w.quit:
				_ = p.cmd.Process.Kill() // Close may have missed it
			default:
			}
			began := time.Now()
			w.serve(p)
			if time.Since(began) > mostPause {
				pause = leastPause
			}
		}
		select {
		case <-w.quit:
			return
		case <-time.After(pause):
		}
		var err error
		if p, err = w.launch(); err != nil {
			w.log.Warn("the Opus worker does not start", "err", err)
		}
	}
}

// serve lets a process work until it ends.
func (w *Worker) serve(p *process) {
	ended, written := make(chan struct{}), make(chan struct{})
	// Ends with the process: it stops reading then.
	go func() {
		defer close(written)
		w.feed(p, ended)
	}()
	err := w.fetch(p)
	w.up.Store(false)
	w.mu.Lock()
	w.process = nil
	w.mu.Unlock()
	close(ended)
	_ = p.cmd.Process.Kill() // it is of no use any more
	<-written
	_ = p.cmd.Wait() // err says why
	select {
	case <-w.quit:
	default:
		w.log.Error("the Opus worker has ended; it is started again", "err", err, "said", string(bytes.TrimSpace(p.errors.Bytes())))
	}
}

// feed writes what is queued until the process has ended.
func (w *Worker) feed(p *process, ended chan struct{}) {
	for {
		select {
		case <-w.wake:
		case <-ended:
			return
		}
		w.mu.Lock()
		b := w.queue
		w.queue, w.spare = w.spare[:0], nil
		w.mu.Unlock()
		if _, err := p.in.Write(b); err != nil {
			_ = p.cmd.Process.Kill() // fetch sees its end
			return
		}
		w.mu.Lock()
		w.spare = b
		w.mu.Unlock()
	}
}

// fetch hands out packets until the process ends.
func (w *Worker) fetch(p *process) error {
	for {
		f, err := p.out.Next()
		if err != nil {
			return err
		}
		w.mu.Lock()
		e := w.streams[f.Stream]
		w.mu.Unlock()
		if e != nil && f.Kind == Packet {
			e.done(f.Body)
			w.behind.Add(-1)
		}
	}
}

// post queues a frame.
func (w *Worker) post(e *Encoder, number uint32, pcm []int16) bool {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process == nil || len(w.queue)+MaxFrame > maxQueue || !w.know(e, now) {
		return false
	}
	w.behind.Add(1)
	w.queue = AppendSamples(w.queue, e.stream, number, e.rate, pcm)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return true
}

// know gives a stream its number, and forgets those that have ended. The caller holds
// mu.
func (w *Worker) know(e *Encoder, now time.Time) bool {
	e.used = now
	if now.Sub(w.swept) > idle {
		w.swept = now
		for id, other := range w.streams {
			if now.Sub(other.used) > idle {
				other.stream = 0
				delete(w.streams, id)
			}
		}
	}
	if e.stream != 0 {
		return true
	}
	if len(w.streams) >= maxStreams {
		return false
	}
	w.last++
	e.stream = w.last
	w.streams[e.stream] = e
	return true
}
