// Package process runs programs that do not outlive this one.
//
// Most are its children: the same binary under a hidden verb. A child's first
// line of standard input is its specification as JSON; further lines are
// commands; the end of its input means "exit". What it has to say it writes as
// JSON lines to standard output; its standard error is a log file that is shown
// when it fails. Any other program has a log only.
//
// Besides the end of input, Linux kills them when the thread that started them
// ends (Pdeathsig). That thread must live as long as the program
// (golang/go#27505), so a Spawner keeps one locked for the purpose. Each has a
// process group of its own, so that Ctrl-C in a terminal reaches the program
// alone, which then ends them in order.
package process
