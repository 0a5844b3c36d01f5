package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/cordpair/cordpair"
)

//go:embed templates
var templates embed.FS

// writeSipp writes scenarios and users for SIPp: users.csv to register, and two
// lists of calls, echo.csv (everybody to *43) and calls.csv (each second phone
// to the one after it).
func writeSipp(dir string, d cordpair.Demo) error {
	dir, err := filepath.Abs(dir) // SIPp seeks files where it was started
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	scenario := struct {
		cordpair.DemoSIP
		Dir string
	}{d.SIP, dir}
	for _, name := range []string{"register.xml", "call.xml", "call-rtp.xml", "answer.xml"} {
		if err := render(name, filepath.Join(dir, name), scenario); err != nil {
			return err
		}
	}
	var users, echo, calls strings.Builder
	for _, b := range []*strings.Builder{&users, &echo, &calls} {
		b.WriteString("SEQUENTIAL\n")
	}
	for i, x := range d.Extensions {
		who := fmt.Sprintf("%s;[authentication username=%s password=%s]", x.User, x.User, x.Password)
		users.WriteString(who + "\n")
		echo.WriteString(who + ";" + d.Numbers["echo"] + "\n")
		if i%2 == 0 && i+1 < len(d.Extensions) {
			calls.WriteString(who + ";" + d.Extensions[i+1].User + "\n")
		}
	}
	for name, text := range map[string]string{
		"users.csv": users.String(), "echo.csv": echo.String(), "calls.csv": calls.String(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "tone.pcmu"), tonePCMU(), 0o600)
}

// render fills in a template and writes it so that only its owner can read the
// passwords in it.
func render(name, path string, data any) error {
	t, err := template.ParseFS(templates, "templates/"+name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(t.Execute(f, data), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
