// Package client is the only package that imports confluent-kafka-go. No type
// of that library leaves it, so that the same trials can run over another
// client behind the same small surface: Producer, Consumer, Admin.
//
// It holds no policy of its own: which message is sent when, what is committed
// and what a crash does are decided by package worker. It does decide how
// profile settings become librdkafka properties (config.go), which delivery
// errors prove that a message is not in the log (errors.go), what a user can do
// about a cluster's refusal (trouble.go), what everything of ours on a cluster is
// called (names.go), and what the library returned twice (last_offsets.go).
package client
