// Package sink keeps the effects of consumed messages where users keep theirs:
// as rows of a database, SQLite or PostgreSQL.
//
// A trial has four tables of its own. The journal has a row per effect, so
// that each further application of a message is seen; accounts are what the
// effects change; offsets are how far a partition is applied, for the strategy
// that writes them in the effects' own transaction; the outbox has the messages
// that wait to be published. A Writer applies batches, each in one database
// transaction. Audit reads what became of them.
//
// What a message does is a pure function of its identity (Amount, Account), so
// that the ledger alone proves the books.
package sink
