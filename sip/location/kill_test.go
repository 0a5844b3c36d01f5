package location

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/cordpair/cordpair/store/storetest"
)

const (
	killDir    = "CORDPAIR_TEST_KILL_DIR"
	killPhones = 200
)

// TestKilled registers phones in another process, ends that with SIGKILL right
// after the last answer, and finds all of them again.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(killDir); dir != "" {
		registerAndHang(t, dir)
		return
	}
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), killDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := child.StdinPipe(); err != nil { // it hangs on this until it is killed
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Errorf("the child ended early: %q, %v", line, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed

	b := open(t, Config{Store: NewStore(storetest.OpenDir(t, dir).Live())})
	for id := int64(1); id <= killPhones; id++ {
		got := b.Lookup(id, time.Now(), nil)
		if len(got) != 1 || got[0].Suspended || got[0].Flow != udp || got[0].Remaining(time.Now()) < 3500 {
			t.Fatalf("phone %d: %+v", id, got)
		}
	}
}

func registerAndHang(t *testing.T, dir string) {
	b := open(t, Config{Store: NewStore(storetest.OpenDir(t, dir).Live())})
	var answers sync.WaitGroup
	for id := int64(1); id <= killPhones; id++ {
		answers.Add(1)
		r := realistic(id, 1)
		if _, err := b.Update(r, time.Now(), func(err error) {
			if err == nil {
				answers.Done()
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	answers.Wait()
	fmt.Println("answered")
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent, which kills this process before
}
