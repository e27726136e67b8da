// Package pace says when each message is due. A Pacer gives the intended send
// time of message n as a pure function of n, whatever the broker does, so
// latency can be counted from it without coordinated omission. A Clock reads a
// time that every process of the host agrees on, and a Waiter sleeps until a
// message is due.
package pace
