// Package wire is a proxy that stands before every broker of a cluster and does
// to single requests and connections what a network does to them: loses a
// request or an answer, delivers late, slows down, cuts, goes silent.
//
// Each broker has a listener on loopback (front.go). Responses that tell where
// brokers are get the listeners' addresses instead (rewrite.go), so no client
// ever learns the way around. These are decoded, with kmsg, and held whole for
// that; so are requests of which somebody wants to know what they bring
// (content.go). All other frames pass as bytes, in pieces (frame.go).
//
// A connection (connection.go) reads and decides (requests.go, responses.go)
// apart from delivering (lane.go): a lane holds what is not yet due, and no
// more than it may, so that a side that does not read makes the other wait.
//
// What the network did to a client is told exactly. Each hit says what it
// touched (hit.go). And since a client that misses one answer drops the
// connection, with it every other answer that was under way, the proxy outlives
// the client: it delivers what was sent, hears the broker's answers and reports
// what the broker applied although the client does not know (exchange.go). Which
// answers the client has read, and not only been sent, is proved (proof.go).
//
// It reads what is sent, so there can be no TLS behind it; Kerberos, whose
// tickets are for a broker's own name, will not work through it either.
package wire
