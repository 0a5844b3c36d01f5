package reglog_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/features/reglog"
	"github.com/cordpair/cordpair/store"
)

// A phone comes online with two registrations and loses both.
func ExampleLog() {
	db, err := store.Open(store.Config{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if err := db.OpenRecords(); err != nil {
		log.Fatal(err)
	}
	l := reglog.New(db, reglog.Options{})
	at := time.Now().UTC().Truncate(24 * time.Hour)
	for i, step := range []struct {
		added bool
		left  int
	}{{true, 1}, {true, 2}, {false, 1}, {false, 0}} {
		l.Note(reglog.Change{
			Client: 1, Extension: 7, Name: "601", Type: dialplan.TypePhone, Wanted: true,
			Added: step.added, Left: step.left, At: at.Add(time.Duration(i) * time.Second),
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l.Run(ctx) // writes what was noted, as at the end of the switch
	entries, _, err := l.List(reglog.Query{Client: 1, From: at})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		fmt.Println(e.Date.Sub(at), e.Status, e.Name)
	}
	// Output:
	// 3s off 601
	// 0s on 601
}
