// Package process runs children of the program: the same binary under a hidden
// verb. A child's first line of standard input is its specification as JSON;
// further lines are commands; the end of its input means "exit". What it has to
// say it writes as JSON lines to standard output; its standard error is a log
// file that is shown when it fails.
//
// Children never outlive the program: besides the end of input, Linux kills
// them when the thread that started them ends (Pdeathsig). That thread must
// live as long as the program (golang/go#27505), so a Spawner keeps one locked
// for the purpose. A child has a process group of its own, so that Ctrl-C in a
// terminal reaches the program alone, which then ends its children in order.
package process
