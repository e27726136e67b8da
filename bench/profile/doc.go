// Package profile turns a YAML file into a validated Profile, and a Profile
// into a Plan: the trials to run, in their seeded random order.
//
// Settings is everything that one trial is run with. Its yaml tags are the
// vocabulary: one walk over the struct (setting.go) gives the dotted names,
// their types and ranges, and from it come the parser, the names in claims
// and results (Dotted, Get), the JSON schema for editors (Schema) and the
// reference in docs/PROFILES.md. There is no second list to keep.
//
// Parse walks the YAML tree itself (document.go, parse.go), so that every
// mistake is reported with its line and column, all of them at once. What it
// reads are assignments in layers; expand.go applies them in the order
// defaults < body < arm < matrix < scenario < -set for every cell and
// scenario. check.go then tells two things apart: a contradiction, which no
// run could mean and which is refused, and a cell that Kafka or its client
// cannot do, which is omitted with its reason, since a matrix is full of them.
// What can be run and may cost more than its settings promise is warned of
// (warning.go).
//
// Everything here is a pure function of the file and the options: the same
// profile and seed give the same plan, byte for byte.
package profile
