// Package broker owns the brokers that a run puts its load on: it starts them,
// waits until they answer, freezes, kills and ends them. Each kind declares
// what it is faithful for. Somebody else's cluster is only used (external.go):
// who is turned away there is told why (knock.go), and what trials will do is
// tried before they are run (external_permit.go).
package broker
