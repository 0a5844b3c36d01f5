package feed_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/features/feed"
	"github.com/cordpair/cordpair/store"
)

// A client of the stream wants to know of calls, and of those only.
func ExampleFeed_Read() {
	db, err := store.Open(store.Config{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	bus := call.NewBus()
	f, err := feed.New(db, bus, feed.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { f.Run(ctx); close(ended) }() // ends with ctx

	types, err := feed.ParseTypes("call.*")
	if err != nil {
		log.Fatal(err)
	}
	r := f.Read(1, 0, feed.Filter{Types: types})
	defer r.Close()
	f.Registered(1, feed.Registration{Extension: 7, Number: "101"})
	bus.Publish(call.Event{
		Client: 1, Call: "6F9619FF8B86D011B42D00C04FC964FF", Kind: call.EventStarted, Seq: 1,
		At: time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC), Party: call.Party{Extension: 7, Number: "101"}, Dialled: "102",
	})
	events, err := r.Next(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, ev := range events {
		fmt.Printf("id: %d\nevent: %s\ndata: %s\n", ev.ID, ev.Kind, ev.Data)
	}
	cancel()
	<-ended
	// Output:
	// id: 16777217
	// event: call.started
	// data: {"call_uuid":"6F9619FF8B86D011B42D00C04FC964FF","call_api_id":null,"extension_id":7,"at":"2026-01-02T10:00:00.000Z","seq":1,"caller_number":"101","caller_name":"","called_number":"102","called_name":""}
}
