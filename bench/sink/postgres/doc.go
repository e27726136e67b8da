// Package postgres runs a PostgreSQL server of the program's own: in a folder
// of its own, on a port of loopback, with a password of its own, and as the
// durable server that users have (fsync on). It can be killed, frozen and
// started again on its data, and leaves nothing behind.
package postgres
