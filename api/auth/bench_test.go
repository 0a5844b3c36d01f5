package auth

import (
	"testing"

	"github.com/cordpair/cordpair/store/storetest"
)

// BenchmarkAuthenticate is what each request of the API pays.
func BenchmarkAuthenticate(b *testing.B) {
	w := newWorld(b)
	g := w.grant(w.app(w.user("anna", LevelExtension).ID, AppTrusted, AppAll).credentials())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Authenticate(g.AccessToken); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkExchange is a token of a trusted application, over a store in memory.
func BenchmarkExchange(b *testing.B) {
	w := newWorld(b)
	x := w.app(w.user("anna", LevelClient).ID, AppTrusted, AppAll)
	for b.Loop() {
		w.grant(x.credentials())
	}
}

// BenchmarkPassword is one check at the price that is paid in service.
func BenchmarkPassword(b *testing.B) {
	w := openWorld(b, storetest.Open(b), dear)
	w.user("anna", LevelClient)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.CheckPassword(b.Context(), "anna", goodPassword, here); err != nil {
			b.Fatal(err)
		}
	}
}
