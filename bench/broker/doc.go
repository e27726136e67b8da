// Package broker owns the brokers that a run puts its load on: it starts them,
// waits until they answer, freezes, kills and ends them. Each kind declares
// what it is faithful for.
package broker
