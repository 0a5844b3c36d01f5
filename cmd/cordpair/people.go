package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/cordpair/cordpair"
)

type clientCmd struct {
	Add clientAddCmd `cmd:"" help:"Add a client: a company with its own numbers."`
}

type clientAddCmd struct {
	remote
	Name   string `required:"" placeholder:"NAME" help:"Its name."`
	Domain string `required:"" placeholder:"DOMAIN" help:"SIP domain, sip.example.org."`
	Len    int    `default:"3" help:"Digits of its extensions, 2 to 4."`
}

// Run adds a client.
func (c clientAddCmd) Run(ctx context.Context) error {
	var added struct {
		ID     int64  `json:"id"`
		Prefix string `json:"prefix"`
	}
	body := map[string]any{"name": c.Name, "domain": c.Domain, "extension_len": c.Len}
	if err := c.ask(ctx, http.MethodPost, "/admin/client/", body, &added); err != nil {
		return err
	}
	_, err := fmt.Printf("client %d with prefix %s\n", added.ID, added.Prefix)
	return err
}

type userCmd struct {
	Add userAddCmd `cmd:"" help:"Add a user of a client, or with --extension of an extension."`
}

type userAddCmd struct {
	remote
	Login     string `arg:"" help:"Unique on the switch."`
	Name      string `placeholder:"NAME" help:"Of the person; default: the login."`
	Email     string `placeholder:"ADDRESS" help:"Where the person is reached."`
	Extension string `placeholder:"NUMBER" help:"Only this extension."`
	ReadOnly  bool   `help:"May look, not change."`
	Password  string `placeholder:"TEXT" env:"CORDPAIR_PASSWORD" help:"Default: one is made up and printed."`
}

// Run adds a user and prints the password if it was made up.
func (c userAddCmd) Run(ctx context.Context) error {
	path, err := c.client(ctx)
	if err != nil {
		return err
	}
	body := map[string]any{"login": c.Login, "name": c.Name, "email": c.Email, "password": c.Password}
	if c.Name == "" {
		body["name"] = c.Login
	}
	made := c.Password == ""
	if made {
		c.Password = cordpair.GeneratePassword()
		body["password"] = c.Password
	}
	if c.ReadOnly {
		body["access"] = "read_only"
	}
	if path, err = c.owner(ctx, path); err != nil {
		return err
	}
	var added struct {
		ID int64 `json:"id"`
	}
	if err := c.ask(ctx, http.MethodPost, path, body, &added); err != nil {
		return fmt.Errorf("user %s: %w", c.Login, err)
	}
	if !made {
		_, err = fmt.Printf("user %d %s\n", added.ID, c.Login)
		return err
	}
	_, err = fmt.Printf("user %d %s password %s\n", added.ID, c.Login, c.Password)
	return err
}

// owner is where users are added: to the client, or to one of its extensions.
func (c userAddCmd) owner(ctx context.Context, client string) (string, error) {
	if c.Extension == "" {
		return client + "/user/client/", nil
	}
	var all []extensionName
	if err := c.get(ctx, client+"/extension/", &all); err != nil {
		return "", err
	}
	for _, x := range all {
		if x.Name == c.Extension || x.number() == c.Extension {
			return fmt.Sprintf("/extension/%d/user/extension/", x.ID), nil
		}
	}
	return "", errors.New("no extension " + c.Extension)
}

// isTerminal reports whether a person reads f rather than a program.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type tokenCmd struct {
	remote
	Login string `arg:"" help:"The user the token stands for."`
}

// Run prints an access token of a user, alone on its line.
func (c tokenCmd) Run(ctx context.Context) error {
	var grant struct {
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"`
	}
	if err := c.ask(ctx, http.MethodPost, "/admin/token/", map[string]any{"login": c.Login}, &grant); err != nil {
		return err
	}
	if isTerminal(os.Stdout) {
		fmt.Fprintf(os.Stderr, "good for %s; use it as: curl --oauth2-bearer TOKEN URL\n", time.Duration(grant.Expires)*time.Second)
	}
	_, err := fmt.Println(grant.Token)
	return err
}
