// The simulation (X2): whole histories of phones and a switch from one seed each.
//
// A seed draws the weather (loss, delay, duplicates, reordering), the phones and
// what each of them does, and whether and when the switch is killed. The clock is
// virtual. What a seed does not fix is the order in which goroutines of one instant
// run, so a history that depends on such an order may need its seed more than
// once; everything else, keys and tags included, is the same every time.
//
// A kill is a copy of the data folder and the end of the old process's sockets at one
// instant, while nothing runs: kill -9 leaves what was written. It does not fall
// between a write and its answer; sip/TestDurableBeforeAnswered and the
// kills of bench/system do.
package cordpair_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/sip/siptest"
)

var (
	simSeed   = flag.Uint64("seed", 0, "run this one seed of the simulation, and tell its history")
	simFaults = flag.Int("faults", 3, "stop after this many seeds that failed")
	simKilled = flag.Bool("kill", false, "with -seed: kill the switch whatever the seed says")
)

// TestSimulation runs many seeds. A failure names its seed and how to see it
// again.
func TestSimulation(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // each history is short and begins anew
	if *simSeed != 0 {
		simulate(t, *simSeed)
		return
	}
	first, n := simulationSeeds()
	failed := 0
	for seed := first; seed < first+n && failed < *simFaults; seed++ {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { simulate(t, seed) }) {
			failed++
		}
	}
}

// sim is one history.
type sim struct {
	t    *testing.T
	seed uint64
	rand *rand.Rand // main goroutine only
	net  *siptest.Net
	dir  string // of the living switch; empty: in memory

	umpire *siptest.Umpire
	sets   []*handset
	probe  *siptest.Phone
	busy   sync.WaitGroup // what phones do
	dead   sync.WaitGroup // killed switches that still close

	sw   *cordpair.Switch
	log  *logBuffer
	stop func()

	mu       sync.Mutex
	until    time.Time // phones do nothing new after it
	lives    int       // of the switch, from 1
	problems []string
	// owed are the records of calls of past lives, "101>102"; doubtful are those of
	// which the phone knows nothing yet.
	owed, doubtful map[string]int
	// asked are the calls the switch may have placed for a transfer, by target.
	asked map[string]int
	// texts are the messages that were answered with 2xx, by text: for whom.
	texts map[string]string
	// twice are those whose answer died with the switch: how often that died meanwhile.
	twice map[string]int
}

// simPassword is every phone's.
const simPassword = "four words of secret"

func simulate(t *testing.T, seed uint64) {
	cryptotest.SetGlobalRandom(t, seed)
	synctest.Test(t, func(t *testing.T) {
		s := &sim{t: t, seed: seed, rand: dice(seed, 0), net: siptest.New(seed), owed: map[string]int{}, doubtful: map[string]int{}, texts: map[string]string{}, twice: map[string]int{}, asked: map[string]int{}}
		s.umpire = siptest.NewUmpire(s.net, s.net.Switch, s.net.Switch6)
		kill := *simKilled || s.rand.IntN(6) == 0
		if kill {
			s.dir = scratch(t)
		}
		s.start(s.populate)
		s.live(kill)
		s.settle()
		s.check()
		s.finish()
	})
}

// dice are one of the independent random sequences of a seed.
func dice(seed, n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }

// between draws a duration.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)))
}

func (s *sim) populate(sw *cordpair.Switch) {
	client, err := sw.AddClient(cordpair.Client{Name: "Acme", Domain: domain})
	s.must(err)
	for _, number := range []string{"101", "102", "103", "104", "105", "109"} {
		_, err := sw.AddPhone(client.ID, cordpair.NewPhone{Number: number, Label: "Phone " + number, Password: simPassword})
		s.must(err)
	}
}

// live lets the phones do as they please for a while.
func (s *sim) live(kill bool) {
	s.weather()
	s.probe = s.net.Phone("109", simPassword, domain)
	for i := range 3 + s.rand.IntN(3) {
		var options []siptest.Option
		tcp := s.rand.IntN(3) == 0
		if tcp {
			options = append(options, siptest.TCP)
		}
		if s.rand.IntN(4) == 0 {
			options = append(options, siptest.IPv6)
		}
		if s.rand.IntN(3) == 0 {
			options = append(options, siptest.Reliable)
		}
		if s.rand.IntN(3) == 0 {
			options = append(options, siptest.SessionTimer(90*time.Second))
		}
		number := fmt.Sprint(101 + i)
		h := &handset{
			s: s, number: number, tcp: tcp, index: uint64(i), rand: dice(s.seed, uint64(1000+i)),
			phone: s.net.Phone(number, simPassword, domain, options...), calls: map[*siptest.Call]int{},
		}
		s.sets = append(s.sets, h)
	}
	s.until = time.Now().Add(between(s.rand, 15*time.Second, 40*time.Second))
	for _, h := range s.sets {
		s.busy.Go(func() { h.live(s.until) })
	}
	if s.rand.IntN(8) == 0 {
		lost := s.sets[s.rand.IntN(len(s.sets))]
		after := between(s.rand, 0, 40*time.Second)
		s.busy.Go(func() { time.Sleep(after); lost.vanish() })
	}
	for kill {
		time.Sleep(between(s.rand, 3*time.Second, 12*time.Second))
		s.kill()
		kill = s.rand.IntN(4) == 0 && time.Now().Before(s.until)
	}
	s.busy.Wait()
}

// weather is the same for everybody: a switch behind a bad line.
func (s *sim) weather() {
	im := siptest.Impairment{Delay: between(s.rand, 0, 100*time.Millisecond), Jitter: between(s.rand, 0, 60*time.Millisecond)}
	switch s.rand.IntN(4) {
	case 0: // fair
	case 1:
		im.Loss, im.Duplicate, im.Reorder = 0.2, 0.05, 0.1
	default:
		im.Loss, im.Duplicate, im.Reorder = s.rand.Float64()*0.2, 0.05, s.rand.Float64()*0.2
	}
	s.net.Impair(im)
}

// settle waits in fair weather until every timer of RFC 3261 has run out, and
// what nobody ended is found out.
func (s *sim) settle() {
	s.net.Impair(siptest.Impairment{})
	for range int(sessionEnds / (25 * time.Second)) {
		time.Sleep(25 * time.Second)
		if st := s.sw.Stats(); st.Calls == 0 && st.Legs == 0 && st.MediaPorts == 0 {
			break
		}
	}
	s.collect()
	time.Sleep(40 * time.Second)
	synctest.Wait()
}

// finish stops everything; what is left fails the bubble.
func (s *sim) finish() {
	failed := len(s.problems) > 0
	if failed || *simSeed != 0 {
		s.tell()
	}
	s.must(s.net.Close()) // phones first: the switch hangs up on nobody
	s.stop()
	s.dead.Wait()
	if failed {
		s.t.Fail()
	}
}

// tell writes the history down.
func (s *sim) tell() {
	var b strings.Builder
	for _, p := range s.problems {
		fmt.Fprintf(&b, "  %s\n", p)
	}
	for _, h := range s.sets {
		fmt.Fprintf(&b, "phone %s at %s:\n%s", h.number, h.phone.Addr(), h.phone.Transcript())
	}
	fmt.Fprintf(&b, "the prober:\n%s", s.probe.Transcript())
	s.t.Logf("seed %d; again: go test -run 'TestSimulation$' . -args -seed %d%s\n%sthe switch logged:\n%s",
		s.seed, s.seed, map[bool]string{true: " -kill"}[*simKilled], b.String(), s.log)
}

// problem notes a broken promise.
func (s *sim) problem(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

func (s *sim) must(err error) {
	s.t.Helper()
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("seed %d: %s:%d: %v", s.seed, file, line, err))
	}
}

// life numbers the lives of the switch.
func (s *sim) life() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lives
}
