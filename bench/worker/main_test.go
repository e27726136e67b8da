package worker_test

import (
	"fmt"
	"os"
	"testing"

	"deliverybench/bench/broker"
	"deliverybench/bench/worker"
)

// TestMain lets this binary be the processes that its tests start.
func TestMain(m *testing.M) {
	verb := ""
	if len(os.Args) > 1 {
		verb = os.Args[1]
	}
	switch verb {
	case worker.Verb:
		exit(worker.Main(os.Stdin, os.Stdout, os.Stderr))
	case broker.EmbeddedVerb:
		exit(broker.ServeEmbedded(os.Stdin, os.Stdout, os.Stderr))
	case freeBrokerVerb:
		exit(serveFreeBroker(os.Stdin, os.Stdout))
	default:
		os.Exit(m.Run())
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
