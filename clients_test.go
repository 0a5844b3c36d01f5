package cordpair_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/cordpair/cordpair"
	"github.com/cordpair/cordpair/dialplan"
	"github.com/cordpair/cordpair/sip/digest"
	"github.com/cordpair/cordpair/store"
)

func TestAddPhonesRefuses(t *testing.T) {
	dir := t.TempDir()
	const good = "four words of secret"
	demoOver(t, dir, func(sw *cordpair.Switch) {
		client, err := sw.AddClient(cordpair.Client{Name: "Acme", Domain: domain})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sw.AddPhone(client.ID, cordpair.NewPhone{Number: "101", Password: good}); err != nil {
			t.Fatal(err)
		}
		for name, tt := range map[string]struct {
			client int64
			phone  cordpair.NewPhone
			want   error
			says   string
		}{
			"no client":         {9, cordpair.NewPhone{Number: "102"}, cordpair.ErrNoClient, "no such client 9"},
			"taken":             {1, cordpair.NewPhone{Number: "101"}, dialplan.ErrInvalid, "name: is taken"},
			"emergency number":  {1, cordpair.NewPhone{Number: "112"}, dialplan.ErrInvalid, "emergency"},
			"too long":          {1, cordpair.NewPhone{Number: "1010"}, dialplan.ErrInvalid, "as many digits"},
			"no number":         {1, cordpair.NewPhone{Number: "abc"}, dialplan.ErrInvalid, "prefix*number"},
			"label of two rows": {1, cordpair.NewPhone{Number: "102", Label: "a\r\nb"}, dialplan.ErrInvalid, "label"},
			"short password":    {1, cordpair.NewPhone{Number: "102", Password: "secret"}, digest.ErrWeakPassword, "extension 102"},
			"own number":        {1, cordpair.NewPhone{Number: "102", Password: "my-phone-is-102"}, digest.ErrWeakPassword, "extension 102"},
		} {
			list, err := sw.AddPhones(tt.client, []cordpair.NewPhone{{Number: "199", Password: good}, tt.phone})
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || len(list) != 0 {
				t.Errorf("%s: %v, %d added", name, err, len(list))
			}
		}
		if _, err := sw.Password(99); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("password of nobody: %v", err)
		}
	})
	demoOver(t, dir, func(sw *cordpair.Switch) { // and nothing of it was stored
		list, err := sw.Extensions(1)
		if err != nil || len(list) != 1 || list[0].Number() != "101" {
			t.Errorf("%+v, %v", list, err)
		}
		if password, err := sw.Password(list[0].ID); password != good || err != nil {
			t.Errorf("password %q, %v", password, err)
		}
	})
}

// TestAddPhonesInParts: what came before the 500 that failed is there, works,
// and is where the next ids go on.
func TestAddPhonesInParts(t *testing.T) {
	demoOver(t, t.TempDir(), func(sw *cordpair.Switch) {
		client, err := sw.AddClient(cordpair.Client{Name: "Acme", Domain: domain, ExtensionLen: 4})
		if err != nil {
			t.Fatal(err)
		}
		phones := make([]cordpair.NewPhone, 1200)
		for i := range phones {
			phones[i].Number = strconv.Itoa(1000 + i)
		}
		phones[700].Number = "1000" // taken
		added, err := sw.AddPhones(client.ID, phones)
		if !errors.Is(err, dialplan.ErrInvalid) || len(added) != 500 {
			t.Fatalf("%d added, %v", len(added), err)
		}
		list, err := sw.Extensions(client.ID)
		if err != nil || len(list) != 500 || list[499].Number() != "1499" {
			t.Errorf("%d stored, %v", len(list), err)
		}
		next, err := sw.AddPhone(client.ID, cordpair.NewPhone{Number: "1500"})
		if err != nil || next.ID <= added[499].ID {
			t.Errorf("id %d after %d, %v", next.ID, added[499].ID, err)
		}
	})
}
