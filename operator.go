package cordpair

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// operatorSocket is where the operator of the machine reaches the API without a
// token: whoever may read the data folder may do everything anyway.
const operatorSocket = "operator.sock"

// listenOperator opens the socket of the data folder; the store's lock has made
// sure that no other process has one there.
func (w *web) listenOperator(dir string, h http.Handler) error {
	if err := os.Chmod(dir, 0o700); err != nil { // before there is a socket in it
		return fmt.Errorf("operator's socket: %w", err)
	}
	if err := os.Remove(filepath.Join(dir, operatorSocket)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ln, err := inFolder(dir, func(name string) (net.Listener, error) { return net.Listen("unix", name) })
	if err != nil {
		return fmt.Errorf("operator's socket: %w", err)
	}
	if err := os.Chmod(filepath.Join(dir, operatorSocket), 0o600); err != nil {
		return errors.Join(err, ln.Close())
	}
	w.serve(ln, h)
	return nil
}

// inFolder calls f with a name of the socket that is short enough: a socket's
// address has room for a hundred bytes only, a folder may lie deeper.
func inFolder[T any](dir string, f func(name string) (T, error)) (T, error) {
	name := filepath.Join(dir, operatorSocket)
	if len(name) < 100 || runtime.GOOS != "linux" {
		return f(name)
	}
	d, err := os.Open(dir)
	if err != nil {
		var none T
		return none, err
	}
	defer d.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), operatorSocket))
}

// Runs reports whether a switch runs over a data folder of this machine, or whether
// that cannot be known, for the folder is somebody else's. What a crash left behind
// answers nobody.
func Runs(dataDir string) bool {
	c, err := inFolder(dataDir, func(name string) (net.Conn, error) { return net.DialTimeout("unix", name, time.Second) })
	if err != nil {
		return errors.Is(err, fs.ErrPermission)
	}
	_ = c.Close() // only asked whether somebody answers
	return true
}

// Operator is an HTTP client for the API of the switch that runs over a data
// folder on this machine, with all rights and without a token. The host in the
// URL does not matter.
func Operator(dataDir string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return inFolder(dataDir, func(name string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", name)
		})
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial}}
}
