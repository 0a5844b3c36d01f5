package store

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func onDisk(b *testing.B) *DB {
	b.Helper()
	db, err := Open(Config{Dir: b.TempDir(), Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return db
}

func row(i int) item {
	return item{ID: int64(i), Name: strconv.Itoa(i) + strings.Repeat("x", 200), Old: i%2 == 0}
}

// BenchmarkPut is one writer that waits for each answer.
func BenchmarkPut(b *testing.B) {
	db := onDisk(b)
	for _, sp := range []*Space{db.config, db.live} {
		b.Run(sp.name, func(b *testing.B) {
			tab, i := items(sp, Clients), 0
			for b.Loop() {
				i++
				if err := tab.Put(Int(int64(i)), row(i)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "puts/s")
		})
	}
}

// BenchmarkSubmit is a thousand writers at a time that share commits.
func BenchmarkSubmit(b *testing.B) {
	db := onDisk(b)
	for _, sp := range []*Space{db.config, db.live} {
		b.Run(sp.name, func(b *testing.B) {
			tab, i := items(sp, Clients), 0
			var wg sync.WaitGroup
			slots := make(chan struct{}, 1000)
			for b.Loop() {
				i++
				one := row(i)
				slots <- struct{}{}
				wg.Add(1)
				sp.Submit(func(tx *Tx) error { return tab.In(tx).Put(Int(one.ID), one) }, func(err error) {
					if err != nil {
						b.Error(err)
					}
					<-slots
					wg.Done()
				})
			}
			wg.Wait()
			b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "puts/s")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	db := onDisk(b)
	tab := items(db.live, Clients)
	const rows = 10000
	fillRows(b, db.live, tab, rows)
	i := 0
	for b.Loop() {
		i++
		if _, err := tab.Get(Int(int64(i % rows))); err != nil {
			b.Fatal(err)
		}
	}
}

func fillRows(b *testing.B, sp *Space, tab *Table[item], rows int) {
	b.Helper()
	for i := 0; i < rows; i += 500 {
		err := sp.Update(func(tx *Tx) error {
			for j := i; j < i+500; j++ {
				if err := tab.In(tx).Put(Int(int64(j)), row(j)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a store of 100,000 rows with two indexes that was closed
// in order, and reports the memory of the process afterwards.
func BenchmarkOpen(b *testing.B) {
	const rows = 100_000
	dir := b.TempDir()
	db, err := Open(Config{Dir: dir, Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	fillRows(b, db.live, items(db.live, Clients), rows)
	b.Logf("%d rows in %v, resident %s", rows, time.Since(begin), resident(b))
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if db, err = Open(Config{Dir: dir, Logger: quiet()}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		b.Logf("opened: resident %s", resident(b))
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// resident is the process's memory in RAM, and its anonymous part.
func resident(b *testing.B) string {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	var rss, anon string
	for line := range bytes.Lines(text) {
		if f := strings.Fields(string(line)); len(f) > 1 {
			switch f[0] {
			case "VmRSS:":
				rss = f[1]
			case "RssAnon:":
				anon = f[1]
			}
		}
	}
	return fmt.Sprintf("%s kB (anonymous %s kB)", rss, anon)
}
