package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordpair/cordpair/store"
	"github.com/cordpair/cordpair/store/storetest"
)

type phone struct {
	Name     string       `json:"name"`
	Codecs   []string     `json:"codecs,omitempty"`
	Password store.Secret `json:"password"`
	Pin      string       `json:"moderator_pin,omitempty"`
	Limits   *limits      `json:"limits,omitempty"`
}

type limits struct {
	Calls  int    `json:"calls"`
	Secret string `json:"secret,omitempty"`
}

// write appends in a transaction of its own.
func write(t testing.TB, db *store.DB, l *Log, ctx context.Context, w Write) error {
	t.Helper()
	return db.Config().Update(func(tx *store.Tx) error { return l.Append(ctx, tx, w) })
}

// all lists what there is, oldest first.
func all(t testing.TB, l *Log, q Query) []Entry {
	t.Helper()
	q.OldestFirst = true
	list, next, err := l.List(q)
	if err != nil || next != "" {
		t.Fatal(err, next)
	}
	return list
}

func TestWhatAnEntryHolds(t *testing.T) {
	for name, row := range map[string]struct {
		before, after any
		secrets       []string
		want          string // action, before, after; empty: no entry
	}{
		"creation":           {nil, phone{Name: "101", Password: "x"}, nil, `create  {"name":"101","password":null}`},
		"with its secret":    {nil, phone{Name: "101", Password: "x"}, []string{"password"}, `create  {"name":"101","password":"***"}`},
		"deletion":           {phone{Name: "101", Pin: "4711"}, nil, nil, `delete {"moderator_pin":"***","name":"101","password":null} `},
		"change":             {phone{Name: "101"}, phone{Name: "102"}, nil, `change {"name":"101"} {"name":"102"}`},
		"nothing":            {phone{Name: "101"}, phone{Name: "101"}, nil, ""},
		"only a secret":      {phone{Name: "101", Password: "a"}, phone{Name: "101", Password: "b"}, []string{"password"}, `change {"password":"***"} {"password":"***"}`},
		"a pin":              {phone{Pin: "1234"}, phone{Pin: "5678"}, nil, `change {"moderator_pin":"***"} {"moderator_pin":"***"}`},
		"a pin set":          {phone{}, phone{Pin: "5678"}, nil, `change {} {"moderator_pin":"***"}`},
		"a pin taken":        {map[string]any{"pin": "1"}, map[string]any{"pin": ""}, nil, `change {"pin":"***"} {"pin":""}`},
		"a list":             {phone{Codecs: []string{"a"}}, phone{Codecs: []string{"a", "b"}}, nil, `change {"codecs":["a"]} {"codecs":["a","b"]}`},
		"inside":             {phone{Limits: &limits{Calls: 1, Secret: "s"}}, phone{Limits: &limits{Calls: 2, Secret: "s"}}, nil, `change {"limits":{"calls":1}} {"limits":{"calls":2}}`},
		"a secret inside":    {phone{Limits: &limits{Secret: "a"}}, phone{Limits: &limits{Secret: "b"}}, nil, `change {"limits":{"secret":"***"}} {"limits":{"secret":"***"}}`},
		"a secret in a list": {nil, map[string]any{"users": []any{map[string]any{"passwordHash": "h", "n": 1}}}, nil, `create  {"users":[{"n":1,"passwordHash":"***"}]}`},
		"secrets that nest":  {nil, map[string]any{"token": map[string]any{"x": "y"}}, nil, `create  {"token":"***"}`},
		"null to object":     {map[string]any{"o": nil}, map[string]any{"o": map[string]any{"pin": "1"}}, nil, `change {"o":null} {"o":{"pin":"***"}}`},
		"large numbers":      {map[string]any{"n": int64(9007199254740993)}, map[string]any{"n": int64(9007199254740992)}, nil, `change {"n":9007199254740993} {"n":9007199254740992}`},
		"empty":              {nil, struct{}{}, nil, `create  {}`},
	} {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t)
			l := New(db)
			if err := write(t, db, l, t.Context(), Write{Client: 1, What: "phone", ID: "7", Before: row.before, After: row.after, Secrets: row.secrets}); err != nil {
				t.Fatal(err)
			}
			var got string
			for _, e := range all(t, l, Query{}) {
				got += fmt.Sprintf("%s %s %s", e.Action, e.Before, e.After)
			}
			if got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	db := storetest.Open(t)
	l := New(db)
	var none *phone
	for name, row := range map[string]struct {
		w    Write
		want error
	}{
		"nothing":           {Write{}, ErrNothing},
		"two nil pointers":  {Write{Before: none, After: none}, ErrNothing},
		"no object":         {Write{After: 12}, nil},
		"does not marshal":  {Write{Before: phone{}, After: func() {}}, nil},
		"a list, no object": {Write{After: []int{1}}, nil},
	} {
		if err := write(t, db, l, t.Context(), row.w); err == nil || row.want != nil && !errors.Is(err, row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := db.Config().View(func(tx *store.Tx) error { return l.Append(t.Context(), tx, Write{After: phone{}}) }); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("in a reading transaction: %v", err)
	}
	if list := all(t, l, Query{}); len(list) != 0 {
		t.Errorf("entries of what failed: %v", list)
	}
}

// An entry and the change it is about are both there or neither is.
func TestOneTransaction(t *testing.T) {
	db := storetest.Open(t)
	l := New(db)
	refused := errors.New("refused")
	err := db.Config().Update(func(tx *store.Tx) error {
		if err := l.Append(t.Context(), tx, Write{What: "phone", ID: "1", After: phone{}}); err != nil {
			return err
		}
		return refused
	})
	if err != refused || len(all(t, l, Query{})) != 0 {
		t.Errorf("%v, entries %v", err, all(t, l, Query{}))
	}
	if err := write(t, db, l, t.Context(), Write{What: "phone", ID: "1", After: phone{}}); err != nil {
		t.Fatal(err)
	}
	if list := all(t, l, Query{}); len(list) != 1 || list[0].Number != 1 {
		t.Errorf("%+v", list)
	}
}

func TestWho(t *testing.T) {
	ann := Actor{User: 7, Login: "ann@example.test", Level: "client", From: "192.0.2.7"}
	for name, row := range map[string]struct {
		ctx  context.Context
		want Actor
	}{
		"a user":     {As(t.Context(), ann), ann},
		"the latest": {As(As(t.Context(), ann), Actor{Level: LevelOperator}), Actor{Level: LevelOperator}},
		"nobody":     {t.Context(), Actor{Level: LevelLibrary}},
	} {
		db := storetest.Open(t)
		l := New(db)
		if err := write(t, db, l, row.ctx, Write{What: "phone", ID: "1", After: phone{}}); err != nil {
			t.Fatal(err)
		}
		if e := all(t, l, Query{})[0]; e.By != row.want {
			t.Errorf("%s: %+v", name, e.By)
		}
	}
}

// An entry never grows beyond what the store holds, whatever is written.
func TestLongValuesAreLeftOut(t *testing.T) {
	db := storetest.Open(t)
	l := New(db)
	document := strings.Repeat("x", 300<<10)
	many := map[string]any{}
	for i := range 100 {
		many[fmt.Sprint("f", i)] = strings.Repeat("y", 1000)
	}
	for _, after := range []any{map[string]any{"name": "c", "document": document}, many} {
		if err := write(t, db, l, t.Context(), Write{What: "client", ID: "1", After: after}); err != nil {
			t.Fatal(err)
		}
	}
	list := all(t, l, Query{})
	if got := string(list[0].After); got != `{"document":"(307202 bytes)","name":"c"}` {
		t.Errorf("got %.200s", got)
	}
	if got := string(list[1].After); !strings.HasPrefix(got, `{"left_out":"(`) || len(got) > 50 {
		t.Errorf("got %.200s", got)
	}
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		l := New(db)
		begun := time.Now()
		for i := range 12 { // 1 to 12, a second apart
			w := Write{Client: int64(i%2 + 1), What: "phone", ID: fmt.Sprint(i % 3), After: phone{}}
			if i%4 == 3 {
				w.What = "user"
			}
			if err := write(t, db, l, t.Context(), w); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		at := func(second int) time.Time { return begun.Add(time.Duration(second) * time.Second) }
		for name, row := range map[string]struct {
			q    Query
			want []int64
		}{
			"everything":       {Query{}, []int64{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
			"oldest first":     {Query{OldestFirst: true, Limit: 2}, []int64{1, 2}},
			"a client":         {Query{Client: 2}, []int64{12, 10, 8, 6, 4, 2}},
			"a kind":           {Query{What: "user"}, []int64{12, 8, 4}},
			"a client's kind":  {Query{Client: 1, What: "user"}, nil},
			"a thing":          {Query{What: "phone", ID: "1"}, []int64{11, 5, 2}},
			"a client's thing": {Query{Client: 2, What: "phone", ID: "1"}, []int64{2}},
			"an id":            {Query{ID: "2", OldestFirst: true}, []int64{3, 6, 9, 12}},
			"from, included":   {Query{From: at(10)}, []int64{12, 11}},
			"to, not included": {Query{To: at(2)}, []int64{2, 1}},
			"between":          {Query{Client: 1, From: at(2), To: at(8)}, []int64{7, 5, 3}},
		} {
			if list, _, err := l.List(row.q); err != nil || !slices.Equal(numbersOf(list), row.want) {
				t.Errorf("%s: %v, %v; want %v", name, numbersOf(list), err, row.want)
			}
			row.q.Limit = 0
			pages(t, l, row.q)
		}
		for _, bad := range []store.Cursor{"x", "-1", "0", "99999999999999999999"} {
			if _, _, err := l.List(Query{After: bad}); !errors.Is(err, store.ErrBadKey) {
				t.Errorf("cursor %q: %v", bad, err)
			}
		}
	})
}

func numbersOf(list []Entry) []int64 {
	var n []int64
	for _, e := range list {
		n = append(n, e.Number)
	}
	return n
}

// pages: pages of any size put together are the whole list.
func pages(t *testing.T, l *Log, q Query) {
	t.Helper()
	whole, _, err := l.List(q)
	if err != nil {
		t.Fatal(err)
	}
	for q.Limit = 1; q.Limit < 14; q.Limit++ {
		var got []int64
		q.After = ""
		for {
			list, next, err := l.List(q)
			if err != nil || len(list) > q.Limit {
				t.Fatal(err, len(list))
			}
			got = append(got, numbersOf(list)...)
			if next == "" {
				break
			}
			q.After = next
		}
		if !slices.Equal(got, numbersOf(whole)) {
			t.Errorf("%+v: pages give %v, the list %v", q, got, numbersOf(whole))
		}
	}
}

// Order and keys are those of the changes, whatever the clock does, and survive
// a kill, whose files a copy has.
func TestNumbersGoOnAfterAKill(t *testing.T) {
	dir, killed := t.TempDir(), t.TempDir()
	db := storetest.OpenDir(t, dir)
	for range 3 {
		if err := write(t, db, New(db), t.Context(), Write{What: "phone", ID: "1", After: phone{}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	db = storetest.OpenDir(t, killed)
	l := New(db)
	if err := write(t, db, l, t.Context(), Write{What: "phone", ID: "1", After: phone{}}); err != nil {
		t.Fatal(err)
	}
	if got := numbersOf(all(t, l, Query{})); !slices.Equal(got, []int64{1, 2, 3, 4}) {
		t.Errorf("%v", got)
	}
	if err := l.entries.Check(); err != nil {
		t.Error(err)
	}
}

func TestSecretNames(t *testing.T) {
	for name, want := range map[string]bool{
		"password": true, "Password": true, "sip_password": true, "passwordHash": true, "client_secret": true, "access_token": true,
		"pin": true, "moderator_pin": true, "PIN": true, "pinCode": true, "private_key": true, "api-key": true, "token_type": false,
		"name": false, "shipping": false, "pinned": false, "opinion": false, "key": false, "secretary": false, "": false,
	} {
		if isSecret(name) != want {
			t.Errorf("%q is a secret: %v", name, !want)
		}
	}
}

// Whatever two objects hold: the diff has no field that is the same on both
// sides, and what it shows of either is in it; no text under a secret name is
// ever shown.
func FuzzEntry(f *testing.F) {
	f.Add(`{"a":1,"b":{"c":[1,2]}}`, `{"a":2,"b":{"c":[1]}}`)
	f.Add(`{"password":"hunter2"}`, `{"password":"hunter3","x":null}`)
	f.Add(`null`, `{"o":{"secret":{"deep":"hunter2"}}}`)
	f.Add(`{"a":1e400,"b":-0}`, `{"a":1E400,"b":0}`)
	f.Add(`{"a":{}}`, `{"a":{},"":{}}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		e, err := entry(Write{What: "x", ID: "1", Before: json.RawMessage(before), After: json.RawMessage(after)})
		if err != nil || e == nil {
			return
		}
		for i, side := range []json.RawMessage{e.Before, e.After} {
			if (len(side) == 0) != (e.Action == []Action{Create, Delete}[i]) {
				t.Fatalf("%s with %s and %s", e.Action, e.Before, e.After)
			}
			if len(side) == 0 {
				continue
			}
			var shown any
			if err := json.Unmarshal(side, &shown); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
				t.Fatalf("%s: %v", side, err)
			}
			checkMasked(t, shown)
		}
		if e.Action == Change && string(e.Before) == string(e.After) && !strings.Contains(string(e.After), mask) && !strings.Contains(string(e.After), "bytes)") {
			t.Fatalf("nothing changed: %s", e.After)
		}
	})
}

func checkMasked(t *testing.T, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			if isSecret(name) && field != nil && field != "" && field != mask {
				t.Fatalf("%q shows %v", name, field)
			}
			checkMasked(t, field)
		}
	case []any:
		for _, field := range v {
			checkMasked(t, field)
		}
	}
}
