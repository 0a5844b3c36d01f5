// Command cordpair-worker encodes Opus for cordpair with the libopus of the machine.
// It is started by the switch, says whether there is a library, encodes what comes in
// on its standard input and ends with it; the protocol is that of media/codec/worker.
// It is a process of its own because foreign code may crash.
//
//	cordpair-worker </dev/null | od -c    # says the version of the library
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"

	"github.com/cordpair/cordpair/media/codec/worker"
)

// libopus is the library as the loader of the system knows it.
const libopus = "libopus.so.0"

func main() {
	// The switch ends us by ending our input, after its last call.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cordpair-worker:", err)
		os.Exit(1)
	}
}

// run serves one switch until it ends.
func run(in io.Reader, out io.Writer) error {
	to := &output{w: bufio.NewWriterSize(out, 1<<16)}
	lib, err := load(libopus)
	if err != nil {
		return to.say(worker.Absent, err.Error())
	}
	if err := to.say(worker.Ready, lib.version); err != nil {
		return err
	}
	return serve(lib, in, to)
}

// serve spreads the streams over the cores.
func serve(lib *library, in io.Reader, to *output) error {
	shards := make([]*shard, runtime.NumCPU())
	var running sync.WaitGroup
	for i := range shards {
		shards[i] = newShard(lib, to)
		running.Add(1)
		// Ends when jobs is closed below.
		go func() {
			defer running.Done()
			shards[i].run()
		}()
	}
	defer running.Wait()
	defer func() {
		for _, s := range shards {
			close(s.jobs)
		}
	}()
	frames := worker.NewReader(in)
	for {
		f, err := frames.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		j := jobs.Get().(*job)
		j.stream = f.Stream
		if j.number, j.rate, j.n, err = f.Samples(j.pcm[:]); err != nil {
			return err
		}
		select {
		case shards[int(f.Stream%uint32(len(shards)))].jobs <- j:
		default:
			jobs.Put(j) // too slow for all of them: this frame is lost
		}
	}
}

// output is shared by the shards.
type output struct {
	mu sync.Mutex
	w  *bufio.Writer
}

// say writes a frame of text.
func (o *output) say(kind worker.Kind, text string) error {
	text = text[:min(len(text), 1000)]
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := o.w.Write(append(worker.Append(nil, kind, 0, len(text)), text...))
	return errors.Join(err, o.w.Flush())
}

// packet writes an encoded packet; more says that another one will follow at once.
func (o *output) packet(b []byte, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.w.Write(b) // if the switch is gone the input ends too
	if !more {
		_ = o.w.Flush()
	}
}
