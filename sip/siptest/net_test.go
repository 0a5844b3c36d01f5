package siptest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var (
	here   = netip.MustParseAddrPort("10.9.0.1:5060")
	there  = netip.MustParseAddrPort("10.9.0.2:5060")
	there6 = netip.MustParseAddrPort("[fd00::9]:5060")
)

// inBubble runs f with a network of a fixed seed.
func inBubble(t *testing.T, f func(t *testing.T, n *Net)) {
	synctest.Test(t, func(t *testing.T) {
		n := New(7)
		f(t, n)
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
}

func socket(t *testing.T, n *Net, at netip.AddrPort) PacketConn {
	t.Helper()
	c, err := n.ListenPacket(at)
	must(t, err)
	return c
}

func TestAddresses(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Net) {
		listeners := map[string]func(netip.AddrPort) (io.Closer, net.Addr, error){
			"udp": func(a netip.AddrPort) (io.Closer, net.Addr, error) {
				c, err := n.ListenPacket(a)
				if err != nil {
					return nil, nil, err
				}
				return c, c.LocalAddr(), nil
			},
			"tcp": func(a netip.AddrPort) (io.Closer, net.Addr, error) {
				l, err := n.Listen(a)
				if err != nil {
					return nil, nil, err
				}
				return l, l.Addr(), nil
			},
		}
		for name, listen := range listeners {
			first, addr, err := listen(here)
			must(t, err)
			if addrPort(addr) != here || addr.Network() != name {
				t.Errorf("%s: address is %v", name, addr)
			}
			if _, _, err := listen(here); !errors.Is(err, ErrAddrInUse) || !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("%s: a second listener gives %v", name, err)
			}
			must(t, first.Close())
			if err := first.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: closing twice gives %v", name, err)
			}
			_, _, err = listen(here)
			must(t, err)
			seen := map[netip.AddrPort]bool{}
			for range 100 {
				_, addr, err := listen(netip.AddrPortFrom(here.Addr(), 0))
				must(t, err)
				if a := addrPort(addr); seen[a] || a.Port() < firstEphemeral || a.Port() > lastEphemeral {
					t.Fatalf("%s: picked %v", name, a)
				}
				seen[addrPort(addr)] = true
			}
			for _, a := range []netip.AddrPort{{}, netip.MustParseAddrPort("0.0.0.0:5060"), netip.MustParseAddrPort("[::]:0")} {
				if _, _, err := listen(a); !errors.Is(err, ErrUnspecified) {
					t.Errorf("%s: %v gives %v", name, a, err)
				}
			}
		}
		must(t, n.Close())
		if _, err := n.ListenPacket(there); !errors.Is(err, ErrNetClosed) {
			t.Errorf("a closed network gives %v", err)
		}
	})
}

func TestEphemeralPortsRunOut(t *testing.T) {
	n := New(1)
	for range lastEphemeral - firstEphemeral + 1 {
		if _, err := n.ListenPacket(netip.AddrPortFrom(here.Addr(), 0)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.ListenPacket(netip.AddrPortFrom(here.Addr(), 0)); !errors.Is(err, ErrNoPorts) {
		t.Errorf("the next one gives %v", err)
	}
	must(t, n.Close())
}

func TestDatagrams(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Net) {
		a, b, c := socket(t, n, here), socket(t, n, there), socket(t, n, there6)
		tap := n.Tap()
		mapped := netip.AddrPortFrom(netip.AddrFrom16(there.Addr().As16()), 5060)
		for i, to := range []netip.AddrPort{there, mapped, there6} {
			_, err := a.WriteToUDPAddrPort([]byte{byte(i)}, to)
			must(t, err)
		}
		_, err := a.WriteTo([]byte("nobody"), &net.UDPAddr{IP: net.IPv4(10, 9, 0, 3), Port: 1})
		must(t, err)
		buf := make([]byte, 10)
		for i, conn := range []PacketConn{b, b, c} {
			size, from, err := conn.ReadFrom(buf)
			must(t, err)
			if size != 1 || buf[0] != byte(i) || addrPort(from) != here {
				t.Errorf("datagram %d: %v from %v", i, buf[:size], from)
			}
		}
		var fates []Fate
		for _, d := range tap.Datagrams() {
			fates = append(fates, d.Fate)
		}
		if want := []Fate{Delivered, Delivered, Delivered, NoListener}; !slices.Equal(fates, want) {
			t.Errorf("fates %v", fates)
		}
		tap.Close()
		for range queueLen + 5 {
			_, err := a.WriteToUDPAddrPort([]byte("x"), there)
			must(t, err)
		}
		if s := n.Stats(); s.Overflow != 5 || s.Delivered != 3+queueLen || s.NoListener != 1 || len(tap.Datagrams()) != 4 {
			t.Errorf("%+v, %d on the tap", s, len(tap.Datagrams()))
		}
	})
}

func TestDeadlines(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Net) {
		a := socket(t, n, here)
		l, err := n.Listen(there)
		must(t, err)
		near, err := n.Dial(t.Context(), netip.AddrPort{}, there)
		must(t, err)
		far, err := l.Accept()
		must(t, err)
		if addrPort(far.RemoteAddr()) != addrPort(near.LocalAddr()) || addrPort(near.RemoteAddr()) != there || addrPort(far.LocalAddr()) != there {
			t.Error("the two ends disagree on their addresses")
		}
		buf := make([]byte, 10)
		waits := map[string]struct {
			set func(time.Time) error
			do  func() error
		}{
			"datagram": {a.SetDeadline, func() error { _, _, err := a.ReadFromUDPAddrPort(buf); return err }},
			"read":     {near.SetDeadline, func() error { _, err := near.Read(buf); return err }},
			"write":    {near.SetWriteDeadline, func() error { _, err := near.Write(make([]byte, 2*pipeSize)); return err }},
		}
		for name, w := range waits {
			began := time.Now()
			must(t, w.set(began.Add(time.Minute)))
			must(t, w.set(began.Add(time.Hour)))
			err := w.do()
			var timeout net.Error
			if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(began) != time.Hour {
				t.Errorf("%s: %v after %v", name, err, time.Since(began))
			}
			must(t, w.set(began))
			if err := w.do(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s in the past: %v", name, err)
			}
		}
	})
}

func TestStreams(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Net) {
		if _, err := n.Dial(t.Context(), here, there); !errors.Is(err, ErrRefused) || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialling nobody gives %v", err)
		}
		l, err := n.Listen(there)
		must(t, err)
		got := make(chan []byte)
		go func() { // ends when the near end has said everything
			far, err := l.Accept()
			if err != nil {
				t.Error(err)
			}
			all, err := io.ReadAll(far)
			if err != nil {
				t.Error(err)
			}
			if _, err := far.Write([]byte("thanks")); err != nil {
				t.Error(err)
			}
			_ = far.Close()
			got <- all
		}()
		near, err := n.Dial(t.Context(), here, there)
		must(t, err)
		want := bytes.Repeat([]byte("0123456789"), 30000) // more than fits
		size, err := near.Write(want)
		if err != nil || size != len(want) {
			t.Fatalf("wrote %d, %v", size, err)
		}
		must(t, near.(interface{ CloseWrite() error }).CloseWrite())
		if all := <-got; !bytes.Equal(all, want) {
			t.Errorf("%d bytes arrived", len(all))
		}
		answer, err := io.ReadAll(near)
		if err != nil || string(answer) != "thanks" {
			t.Errorf("answer %q, %v", answer, err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing after CloseWrite gives %v", err)
		}
		must(t, near.Close())
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading after Close gives %v", err)
		}
	})
}

func TestStreamEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Net) {
		l, err := n.Listen(there)
		must(t, err)
		open := func() (near, far net.Conn) {
			near, err := n.Dial(t.Context(), here, there)
			must(t, err)
			far, err = l.Accept()
			must(t, err)
			return near, far
		}
		near, far := open()
		if _, err := n.Dial(t.Context(), here, there); !errors.Is(err, ErrAddrInUse) {
			t.Errorf("the same local port twice gives %v", err)
		}
		must(t, far.Close())
		if _, err := near.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("reading from a closed far end gives %v", err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("writing to a closed far end gives %v", err)
		}
		must(t, near.Close())

		near, far = open()
		_, err = near.Write([]byte("unread"))
		must(t, err)
		must(t, far.Close())
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a far end that closed without reading gives %v", err)
		}
		must(t, near.Close())

		for range backlog {
			_, err := n.Dial(t.Context(), netip.AddrPort{}, there)
			must(t, err)
		}
		if _, err := n.Dial(t.Context(), netip.AddrPort{}, there); !errors.Is(err, ErrRefused) {
			t.Errorf("a full backlog gives %v", err)
		}
		must(t, l.Close())
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepting after Close gives %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := n.Dial(ctx, here, there); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled context gives %v", err)
		}
	})
}

// TestCloseWakesEverybody closes the network under readers and writers.
func TestCloseWakesEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		a := socket(t, n, here)
		l, err := n.Listen(there)
		must(t, err)
		near, err := n.Dial(t.Context(), here, there)
		must(t, err)
		_, err = l.Accept()
		must(t, err)
		waits := []func() error{
			func() error { _, _, err := a.ReadFromUDPAddrPort(make([]byte, 1)); return err },
			func() error { _, err := l.Accept(); return err },
			func() error { _, err := near.Read(make([]byte, 1)); return err },
			func() error { _, err := near.Write(make([]byte, 2*pipeSize)); return err },
		}
		ended := make(chan error)
		for _, w := range waits {
			go func() { ended <- w() }() // ends when the network is closed
		}
		synctest.Wait()
		must(t, n.Close())
		for range waits {
			if err := <-ended; !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.EPIPE) {
				t.Errorf("a wait ended with %v", err)
			}
		}
	})
}

// arrivals sends 1000 numbered datagrams, one a millisecond, and returns the
// numbers in the order of arrival.
func arrivals(t *testing.T, seed uint64, im Impairment, direction func(*Net, Impairment)) (got []int, stats NetStats) {
	synctest.Test(t, func(t *testing.T) {
		n := New(seed)
		direction(n, im)
		a, b := socket(t, n, here), socket(t, n, there)
		for i := range 1000 {
			_, err := a.WriteToUDPAddrPort([]byte(strconv.Itoa(i)), there)
			must(t, err)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		must(t, b.SetReadDeadline(time.Now()))
		c := b.(*packetConn)
		for _, d := range c.queue {
			i, err := strconv.Atoi(string(d.data))
			must(t, err)
			got = append(got, i)
		}
		stats = n.Stats()
		must(t, n.Close())
	})
	return got, stats
}

func TestImpairment(t *testing.T) {
	all := (*Net).Impair
	got, stats := arrivals(t, 1, Impairment{Loss: 0.2}, all)
	if len(got) < 750 || len(got) > 850 || stats.Lost != uint64(1000-len(got)) || !slices.IsSorted(got) {
		t.Errorf("loss: %d arrived, %+v", len(got), stats)
	}
	again, _ := arrivals(t, 1, Impairment{Loss: 0.2}, all)
	other, _ := arrivals(t, 2, Impairment{Loss: 0.2}, all)
	if !slices.Equal(got, again) || slices.Equal(got, other) {
		t.Error("the seed does not decide")
	}
	got, stats = arrivals(t, 1, Impairment{Duplicate: 0.02}, all)
	if len(got) < 1010 || len(got) > 1024 || stats.Duplicated != uint64(len(got)-1000) {
		t.Errorf("duplication: %d arrived, %+v", len(got), stats)
	}
	got, _ = arrivals(t, 1, Impairment{Delay: 100 * time.Millisecond, Jitter: 50 * time.Millisecond}, all)
	if len(got) != 1000 || !slices.IsSorted(got) {
		t.Error("jitter changed the order")
	}
	got, _ = arrivals(t, 1, Impairment{Reorder: 0.1}, all)
	if len(got) != 1000 || slices.IsSorted(got) {
		t.Error("reordering did not change the order")
	}
	oneWay := func(from netip.AddrPort) func(*Net, Impairment) {
		return func(n *Net, im Impairment) { n.ImpairFrom(from.Addr(), im) }
	}
	if got, _ = arrivals(t, 1, Impairment{Loss: 1}, oneWay(here)); len(got) != 0 {
		t.Errorf("%d arrived", len(got))
	}
	if got, _ = arrivals(t, 1, Impairment{Loss: 1}, oneWay(there)); len(got) != 1000 {
		t.Errorf("%d arrived", len(got))
	}
}

func TestDelayIsExact(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Net) {
		n.Impair(Impairment{Delay: 70 * time.Millisecond})
		a, b := socket(t, n, here), socket(t, n, there)
		began := time.Now()
		_, err := a.WriteToUDPAddrPort([]byte("x"), there)
		must(t, err)
		_, _, err = b.ReadFromUDPAddrPort(make([]byte, 1))
		must(t, err)
		if took := time.Since(began); took != 70*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}
