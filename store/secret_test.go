package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type account struct {
	Login    string `json:"login"`
	Password Secret `json:"password,omitempty"`
}

type vault struct {
	account           // embedded
	Plain   string    `json:"plain"`
	List    []account `json:"list,omitempty"`
	ByName  map[string]account
	Maybe   *account   `json:"maybe"`
	Keys    [2]Secret  `json:"keys"`
	Deep    [][]Secret `json:"deep"`
	Gone    Secret     `json:"-"`
}

func TestSecretShowsNothing(t *testing.T) {
	row := account{"bob", "hunter2"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", row.Password, "row", row)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", row.Password, "row", row)
	body, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %q %x %s", row, row, row, row.Password, row.Password, row.Password, body) + log.String()
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) {
		t.Error(shown)
	}
	if err := json.Unmarshal([]byte(`{"login":"bob","password":"new"}`), &row); err != nil || row.Password.Reveal() != "new" {
		t.Errorf("%v %s", err, row.Password.Reveal())
	}
	if err := json.Unmarshal([]byte(`{"password":null}`), &row); err != nil || row.Password.Reveal() != "new" {
		t.Errorf("null changed it: %v %s", err, row.Password.Reveal())
	}
	if err := json.Unmarshal([]byte(`{"password":5}`), &row); err == nil {
		t.Error("a number is no secret")
	}
}

// TestSecretsRoundTrip: whatever a row holds comes back, and no secret is in
// the bytes in the clear.
func TestSecretsRoundTrip(t *testing.T) {
	db, err := Open(Config{InMemory: true, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := newCodec[vault](db.Config(), Clients, 1)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		var all []string
		secret := func() Secret {
			if rapid.Bool().Draw(t, "empty") {
				return ""
			}
			n++
			s := fmt.Sprintf("secret-%d-%s", n, rapid.String().Draw(t, "text"))
			all = append(all, fmt.Sprintf("secret-%d-", n))
			return Secret(s)
		}
		one := func() account { return account{rapid.String().Draw(t, "login"), secret()} }
		row := vault{account: one(), Plain: "plain", Keys: [2]Secret{secret(), secret()}}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			row.List = append(row.List, one())
			row.Deep = append(row.Deep, []Secret{secret(), secret()})
			if row.ByName == nil {
				row.ByName = map[string]account{}
			}
			row.ByName[rapid.String().Draw(t, "name")] = one()
		}
		if rapid.Bool().Draw(t, "maybe") {
			a := one()
			row.Maybe = &a
		}
		key := Str(rapid.String().Draw(t, "key"))
		raw, err := c.encode(&Tx{}, key, &row)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			if bytes.Contains(raw, []byte(s)) {
				t.Fatalf("%q is in the row", s)
			}
		}
		back, err := c.decode(key, raw)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(row, back, cmp.AllowUnexported(vault{})); d != "" {
			t.Fatal(d)
		}
		if len(all) > 0 {
			if _, err := c.decode(Join(key, Int(1)), raw); !errors.Is(err, ErrKeyWrong) {
				t.Fatalf("opened under another key: %v", err)
			}
		}
	})
}

type hidden struct{ Password Secret }

func (hidden) MarshalJSON() ([]byte, error) { return []byte(`{}`), nil }

func TestLostSecretPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	newCodec[[]hidden](nil, Clients, 1)
}

func TestSecretKeyFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "keys", "secret.key")
	cfg := Config{Dir: filepath.Join(dir, "data"), SecretKeyFile: file, Logger: quiet()}
	open := func() error {
		db, err := Open(cfg)
		if err != nil {
			return err
		}
		return errors.Join(NewTable[account](db.Config(), Clients, 1).Put(Int(1), account{"bob", "hunter2"}), db.Close())
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 65 {
		t.Errorf("%v %v", info, err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("hunter2")) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		text []byte
		want error
	}{
		{"another key", []byte(strings.Repeat("ab", 32)), ErrKeyWrong},
		{"cut short", good[:20], ErrKeyWrong},
		{"empty", nil, ErrKeyWrong},
		{"as it was", good, nil},
	}
	for _, tt := range tests {
		if err := os.WriteFile(file, tt.text, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := open(); !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := open(); !errors.Is(err, ErrKeyMissing) || !strings.Contains(err.Error(), file) {
		t.Errorf("missing: %v", err)
	}
}
