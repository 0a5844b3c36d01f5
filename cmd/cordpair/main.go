// Command cordpair is the softswitch: serve runs it from a configuration file,
// demo runs it with four phones ready to register, doctor looks at the machine.
// It is thin: everything it does is done by package cordpair.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/cordpair/cordpair"
)

// commands are the command line; the help texts are the manual.
type commands struct {
	Serve         serveCmd         `cmd:"" help:"Run the switch from a configuration file."`
	Demo          demoCmd          `cmd:"" help:"Run a switch on this machine with phones 101 to 104 ready to register."`
	CheckConfig   checkConfigCmd   `cmd:"" help:"Check a configuration file and say what is wrong with it."`
	Calls         callsCmd         `cmd:"" help:"List the calls that are up."`
	Registrations registrationsCmd `cmd:"" help:"List the extensions and where their phones are."`
	Tail          tailCmd          `cmd:"" help:"Print what happens as it happens."`
	Explain       explainCmd       `cmd:"" help:"Say where a call would go, and why."`
	Trace         traceCmd         `cmd:"" help:"Say why a call went where it went, and what was said."`
	Pcap          pcapCmd          `cmd:"" help:"Record what a call sends and receives, for Wireshark."`
	ClientCmd     clientCmd        `cmd:"" name:"client" help:"Manage clients."`
	User          userCmd          `cmd:"" help:"Manage users of the API."`
	Token         tokenCmd         `cmd:"" help:"Print an access token for a user."`
	Doctor        doctorCmd        `cmd:"" help:"Look for what will go wrong on this machine: ports, buffers, limits, clock."`
	Version       versionCmd       `cmd:"" help:"Print the version."`
}

func main() {
	privateFiles()
	ctx := untilSignal()
	var cli commands
	parser := kong.Must(&cli, kong.Name("cordpair"),
		kong.Description("A softswitch in one binary. Begin with: cordpair demo"),
		kong.ShortUsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Groups{"which switch": "Which switch, and whose"})
	k, err := parser.Parse(joinToken(os.Args[1:]))
	parser.FatalIfErrorf(err)
	err = k.Run()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		os.Exit(interrupted) // whoever pressed Ctrl-C knows
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cordpair:", err)
		os.Exit(1)
	}
}

// joinToken writes --token X as --token=X: one token of 64 begins with a dash and
// would be taken for a flag.
func joinToken(args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--token" && i+1 < len(args) {
			joined = append(joined, "--token="+args[i+1])
			i++
			continue
		}
		joined = append(joined, args[i])
	}
	return joined
}

// interrupted is the exit code of a command that Ctrl-C ended, as shells have it.
const interrupted = 130

// secondSignalWithin is how long the process lives after a second request to
// stop (L1).
const secondSignalWithin = 2 * time.Second

// untilSignal ends its context at the first SIGINT or SIGTERM and the process
// soon after the second.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the process
		<-signals
		cancel()
		<-signals
		time.AfterFunc(secondSignalWithin, func() { os.Exit(1) })
	}()
	return ctx
}

type versionCmd struct{}

// Run prints the module's version and commit.
func (versionCmd) Run() error {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	_, err := fmt.Printf("cordpair %s (commit %s)\n", cordpair.Version(), commit)
	return err
}
