package audit_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cordpair/cordpair/features/audit"
	"github.com/cordpair/cordpair/store"
)

// A user gives an extension another label and password.
func ExampleLog_Append() {
	db, err := store.Open(store.Config{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	type extension struct {
		Name     string       `json:"name"`
		Label    string       `json:"label"`
		Password store.Secret `json:"password"`
	}
	was := extension{"0001*101", "Reception", "first"}
	is := extension{"0001*101", "Desk", "second"}

	l := audit.New(db)
	ctx := audit.As(context.Background(), audit.Actor{User: 7, Login: "ann@example.test", Level: "client", From: "192.0.2.7"})
	err = db.Config().Update(func(tx *store.Tx) error {
		return l.Append(ctx, tx, audit.Write{
			Client: 1, What: "extension", ID: "12", Before: was, After: is, Secrets: []string{"password"},
		})
	})
	if err != nil {
		log.Fatal(err)
	}
	entries, _, err := l.List(audit.Query{Client: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		fmt.Println(e.Number, e.By.Login, e.By.From, e.Action, e.What, e.ID)
		fmt.Printf("%s -> %s\n", e.Before, e.After)
	}
	// Output:
	// 1 ann@example.test 192.0.2.7 change extension 12
	// {"label":"Reception","password":"***"} -> {"label":"Desk","password":"***"}
}
