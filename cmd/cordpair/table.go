package main

import (
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// table prints rows under a head, in columns.
func table(w io.Writer, head []string, rows [][]string) error {
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = plain(c)
		}
		_, _ = io.WriteString(t, strings.Join(cells, "\t")+"\n") // goes into memory
	}
	_ = t.Flush()
	for line := range strings.Lines(text.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// plain is text without what would move the cursor or colour the terminal: names
// and devices are whatever a phone says.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// short cuts a text to so many letters.
func short(s string, most int) string {
	letters := []rune(s)
	if len(letters) <= most {
		return s
	}
	return string(letters[:most-1]) + "…"
}
