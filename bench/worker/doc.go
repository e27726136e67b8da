// Package worker is what runs in the worker processes: producers, consumers
// (in a relay pipeline they are the relays), the observer that watches a
// relay's output, the publisher of an outbox, and the auditor.
//
// A worker is a process because only a real SIGKILL is a crash: an abandoned
// goroutine keeps its group membership and goes on committing. The trial writes
// a Spec to its standard input and Commands after it; the worker answers with
// Events (protocol.go).
//
//	producer.go        paces, marks and sends the load, settles each report
//	reading.go         the messages that are due at one reading of the clock
//	resends.go         messages that the application sends again
//	transaction.go     the same inside transactions, with an abort share
//	connection.go      the client of a producer, and another one when it is broken
//	consumer.go        polls batches, obeys rebalances, drains
//	strategy.go        in which order a batch is committed and processed
//	in_transaction.go  the strategy that is exactly once
//	timer.go           the strategies in which the client commits by itself
//	commits.go         offsets on their way to the broker, in order
//	effect.go          what processing a message means: an effect or an output
//	observer.go        when an output became visible to a reader
//	auditor.go         what the log holds, read from the beginning
//	writer.go          a producer that writes rows, and messages that tell of them
//	publisher.go       takes messages out of the outbox
//	post.go            batches of messages on their way to the topic
//	strikes.go         faults that a worker carries out on itself: SIGKILL or
//	                   SIGSTOP at a named point, messages that fail
package worker
