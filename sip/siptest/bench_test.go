package siptest

import (
	"context"
	"testing"
)

// BenchmarkCall is one call between two phones over a network in memory, from
// INVITE to the answer to BYE: what a load tool pays for its phones.
func BenchmarkCall(b *testing.B) {
	n := New(1)
	alice, bob := peers(n, medium{})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		out, err := alice.Call(ctx, bob.URI())
		if err != nil {
			b.Fatal(err)
		}
		in, err := bob.Incoming(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if err := in.Answer(); err != nil {
			b.Fatal(err)
		}
		if err := out.WaitAnswered(ctx); err != nil {
			b.Fatal(err)
		}
		if err := out.Hangup(ctx); err != nil {
			b.Fatal(err)
		}
	}
	if err := n.Close(); err != nil {
		b.Fatal(err)
	}
}
