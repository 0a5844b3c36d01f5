package cordpair_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cordpair/cordpair"
)

// BenchmarkGetExtension is a read through the whole frame (<= 100 us of CPU).
func BenchmarkGetExtension(b *testing.B) {
	m := newManaged(b)
	b.ReportAllocs()
	for b.Loop() {
		if rec := m.send("client", "GET", "/client/@me/extension/@101", ""); rec.Code != http.StatusOK {
			b.Fatal(rec.Code)
		}
	}
}

// BenchmarkListExtensions is the list of 10,000 extensions (<= 150 ms).
func BenchmarkListExtensions(b *testing.B) {
	m := newManaged(b)
	client, err := m.sw.AddClient(cordpair.Client{Name: "Large", Domain: "large.example", ExtensionLen: 4, EmergencyNumbers: []string{}})
	if err != nil {
		b.Fatal(err)
	}
	phones := make([]cordpair.NewPhone, 9_000)
	for i := range phones {
		phones[i] = cordpair.NewPhone{Number: fmt.Sprint(1000 + i), Label: "Phone"}
	}
	if _, err := m.sw.AddPhones(client.ID, phones); err != nil {
		b.Fatal(err)
	}
	for i := range phones[:1000] {
		phones[i].Number = fmt.Sprintf("%04d", i)
	}
	if _, err := m.sw.AddPhones(client.ID, phones[:1000]); err != nil {
		b.Fatal(err)
	}
	path := fmt.Sprintf("/client/%d/extension/", client.ID)
	for b.Loop() {
		rec := m.send("platform", "GET", path, "")
		if n := strings.Count(rec.Body.String(), `"client_id"`); n != 10_000 {
			b.Fatalf("%d extensions", n)
		}
	}
}

// BenchmarkChangeExtension is a write to the disk; the next call sees it.
func BenchmarkChangeExtension(b *testing.B) {
	m := onWeb(b)
	for i := 0; b.Loop(); i++ {
		if rec := m.send("client", "PUT", "/client/@me/extension/@101", fmt.Sprintf(`{"label":"%d"}`, i)); rec.Code != http.StatusOK {
			b.Fatal(rec.Code)
		}
	}
}

// BenchmarkGetOverHTTP is the same read over a connection.
func BenchmarkGetOverHTTP(b *testing.B) {
	m := onWeb(b)
	server := httptest.NewServer(m.sw.API())
	defer server.Close()
	client := server.Client()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), "GET", server.URL+apiBase+"/client/@me/extension/@101", nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+m.tokens["client"])
		res, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_ = res.Body.Close() // its length is known
	}
}
