// Command bench measures what a Kafka delivery guarantee costs and whether it
// holds. Run it with -profile NAME, or "help".
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"deliverybench/bench/broker"
	"deliverybench/bench/worker"
)

// Exit codes.
const (
	exitMet          = 0   // every claim met
	exitFailed       = 1   // could not run
	exitUsage        = 2   // bad usage or profile
	exitNotMet       = 3   // a claim was not met
	exitInconclusive = 4   // inconclusive, or everything was omitted
	exitInterrupted  = 130 // what was measured is saved
)

// program is everything outside that a command touches, so that all of it runs
// inside a test.
type program struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	// executable is what worker processes run: this program.
	executable string
	// stdoutWidth and stderrWidth are the terminals' widths, 0 for none.
	stdoutWidth, stderrWidth func() int
	// scratch are the folders in which a ledger may lie, the preferred first.
	scratch []string
}

func main() {
	p := program{
		args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, stdoutWidth: terminalWidth(os.Stdout), stderrWidth: terminalWidth(os.Stderr),
		scratch: scratchFolders(os.Getenv),
	}
	var err error
	if p.executable, err = os.Executable(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot find this program's own file, which workers run:", err)
		os.Exit(exitFailed)
	}
	ctx, stop := p.interrupts(context.Background())
	code := p.run(ctx)
	stop()
	os.Exit(code)
}

// interrupts makes the signals that ask the program to end cancel the context.
// They stay caught while it cleans up: a second Ctrl-C cannot leave anything
// behind. Verbs that leave nothing behind end at once, as any program does; a
// worker or broker process ends with its input, not by a signal meant for the run.
func (p *program) interrupts(ctx context.Context) (context.Context, context.CancelFunc) {
	if verb, _ := p.verb(); verb != "run" && verb != "capacity" && verb != "broker" {
		return context.WithCancel(ctx)
	}
	// Output that nobody reads any more is an error to report, not a reason to
	// leave processes and a ledger behind.
	signal.Ignore(syscall.SIGPIPE)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup(1)
		signals = append(signals, syscall.SIGHUP)
	}
	return signal.NotifyContext(ctx, signals...)
}

// run dispatches the verb and returns the exit code.
func (p *program) run(ctx context.Context) int {
	verb, rest := p.verb()
	switch verb {
	case worker.Verb:
		return p.child(worker.Main(p.stdin, p.stdout, p.stderr))
	case broker.EmbeddedVerb:
		return p.child(broker.ServeEmbedded(p.stdin, p.stdout, p.stderr))
	case "run":
		return p.runProfile(ctx, rest)
	case "capacity":
		return p.findCapacity(ctx, rest)
	case "broker":
		return p.keepBroker(ctx, rest)
	case "check":
		return p.check(ctx, rest)
	case "clean":
		return p.clean(ctx, rest)
	case "list":
		return p.list(rest)
	case "show":
		return p.show(rest)
	case "report":
		return p.report(rest)
	case "compare":
		return p.compare(rest)
	case "version":
		return p.version(rest)
	case "help", "":
		return p.help(rest)
	default:
		return p.usage("unknown verb %q: use one of %s; %q explains each", verb, verbNames(), "help VERB")
	}
}

// verb returns the verb and the other arguments. Without one, flags alone mean
// "run".
func (p *program) verb() (string, []string) {
	if len(p.args) == 0 {
		return "help", nil
	}
	if first := p.args[0]; first == "-h" || first == "-help" || first == "--help" {
		return "help", p.args[1:]
	}
	if p.args[0][:min(1, len(p.args[0]))] == "-" {
		return "run", p.args
	}
	return p.args[0], p.args[1:]
}

// child ends a worker or broker process: its error is in its log.
func (p *program) child(err error) int {
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return exitFailed
	}
	return exitMet
}

// usage reports a mistake in how the program was called, in one line.
func (p *program) usage(format string, args ...any) int {
	fmt.Fprintf(p.stderr, "deliverybench: "+format+"\n", args...)
	return exitUsage
}

// failed reports why the command could not do its work.
func (p *program) failed(err error) int {
	fmt.Fprintln(p.stderr, "deliverybench:", err)
	return exitFailed
}
