// Package message is the benchmark message on the wire: a fixed header that
// says which message this is and when it was due, a checksum, a payload of known
// entropy, and its key.
package message
