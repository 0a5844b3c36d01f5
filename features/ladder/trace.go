package ladder

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cordpair/cordpair/dialplan/call"
)

// WriteTrace writes a decision trace for people: under whom it is about, each
// thing that was looked at, whether it was taken, and why; a branch stands
// further to the right than the one it belongs to. The error is w's.
//
//	extension 101
//	├─ ◇ code       skipped  dialled 102, wanted (none)
//	└─ ◆ extension  taken    dialled extension 102
func WriteTrace(w io.Writer, trace []call.TraceEntry) error {
	names, verdicts := 0, 0
	for i := range trace {
		names = max(names, width(visible(trace[i].Name)))
		verdicts = max(verdicts, width(visible(trace[i].Verdict)))
	}
	var out strings.Builder
	for i := range trace {
		e := &trace[i]
		indent := strings.Repeat("   ", strings.Count(e.Branch, "."))
		if i == 0 || !together(e, &trace[i-1]) {
			writeHead(&out, indent, e, e.At.Sub(trace[0].At))
		}
		twig, below := "├─", "│ "
		if i == len(trace)-1 || !together(e, &trace[i+1]) {
			twig, below = "└─", "  "
		}
		head := fmt.Sprintf("%s %s  %s  ", verdictMark(e.Verdict), pad(e.Name, names), pad(e.Verdict, verdicts))
		room := max(textWidth-width(indent)-3-width(head), 30)
		lines := wrap(visible(because(*e)), room)
		if e.Step != nil {
			lines = append(lines, wrap(visible("next: "+stepText(e.Step)), room)...)
		}
		for j, line := range lines {
			if j > 0 {
				twig, head = below, strings.Repeat(" ", width(head))
			}
			out.WriteString(strings.TrimRight(indent+twig+" "+head+line, " ") + "\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// together reports whether two entries stand under one head.
func together(a, b *call.TraceEntry) bool { return a.Branch == b.Branch && a.Who == b.Who }

func writeHead(out *strings.Builder, indent string, e *call.TraceEntry, after time.Duration) {
	out.WriteString(indent)
	if strings.Contains(e.Branch, ".") {
		out.WriteString("branch " + visible(e.Branch) + ": ")
	}
	who := e.Who
	if who == "" {
		who = "the call" // redirected, at a limit, or at fault
	}
	out.WriteString(visible(who))
	if after >= time.Millisecond {
		fmt.Fprintf(out, "   +%.3f s", after.Seconds())
	}
	out.WriteByte('\n')
}

// pad fills s up with spaces to n columns.
func pad(s string, n int) string {
	s = visible(s)
	return s + strings.Repeat(" ", max(n-width(s), 0))
}
