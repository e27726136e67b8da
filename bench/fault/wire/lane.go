package wire

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

const (
	// mostWaitingBytes is what a lane holds before the side that it comes from
	// has to wait.
	mostWaitingBytes = 256 << 10
	// mostLateBytes is the same where bytes wait for their time only, which
	// must not limit the throughput: half a second of 1 Gbit/s.
	mostLateBytes = 64 << 20
	// farewell bounds each write to a broker whose client has left.
	farewell = 10 * time.Second
)

// lane delivers one direction of a connection, in order. A piece is delivered
// when its time has come, nothing that holds the lane lasts, and the budget
// allows it.
type lane struct {
	to     net.Conn
	budget *budget
	// delivered is told of each exchange whose frame has left in whole, and
	// dropped of each whose never will.
	delivered, dropped func(*exchange)
	done               chan struct{} // closed when nothing more is delivered

	mu      sync.Mutex
	pieces  []piece
	waiting int // bytes in pieces and in the one being written
	weather weather
	dice    *rand.Rand
	ending  bool // deliver what is here and no more
	over    bool // deliver nothing more
	// wake and room each hold a token when the lane, or whoever waits for room
	// in it, should look again.
	wake, room chan struct{}
}

// piece is a part of a frame on its way.
type piece struct {
	bytes []byte
	due   time.Time
	last  *exchange // the exchange whose frame ends with this piece
}

// weather is what the armed rules make of one direction.
type weather struct {
	latency, jitter time.Duration
	held            bool
}

func newLane(to net.Conn, b *budget, dice *rand.Rand) *lane {
	none := func(*exchange) {}
	return &lane{
		to: to, budget: b, dice: dice, delivered: none, dropped: none,
		done: make(chan struct{}), wake: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// signal leaves a token.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// delay draws how much later the next frame is delivered.
func (l *lane) delay() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.weather.latency
	if l.weather.jitter > 0 {
		d += time.Duration(l.dice.Int64N(2*int64(l.weather.jitter)+1)) - l.weather.jitter
	}
	return max(0, d)
}

// put adds a piece of a frame that is delivered the delay later, and waits for
// room. last is the exchange whose frame it completes.
func (l *lane) put(b []byte, delay time.Duration, last *exchange) {
	now := time.Now()
	l.mu.Lock()
	for !l.over && l.waiting > 0 && l.waiting+len(b) > l.most(delay, now) {
		l.mu.Unlock()
		<-l.room
		now = time.Now()
		l.mu.Lock()
	}
	over := l.over
	if !over {
		l.waiting += len(b)
		l.pieces = append(l.pieces, piece{b, now.Add(delay), last})
	}
	l.mu.Unlock()
	if over && last != nil {
		l.dropped(last)
	}
	signal(l.wake)
}

// most is how many bytes may wait.
func (l *lane) most(delay time.Duration, now time.Time) int {
	late := delay > 0 || len(l.pieces) > 0 && l.pieces[0].due.After(now)
	if late && !l.weather.held {
		return mostLateBytes
	}
	return mostWaitingBytes
}

// set changes the weather.
func (l *lane) set(w weather) {
	l.mu.Lock()
	l.weather = w
	l.mu.Unlock()
	signal(l.wake)
	signal(l.room)
}

// finish has the lane end with what it holds.
func (l *lane) finish() {
	l.mu.Lock()
	l.ending = true
	l.mu.Unlock()
	_ = l.to.SetWriteDeadline(time.Now().Add(farewell)) // for a write under way
	signal(l.wake)
}

// drop has the lane end now.
func (l *lane) drop() {
	l.mu.Lock()
	l.over = true
	left := l.pieces
	l.pieces = nil
	l.mu.Unlock()
	for _, p := range left {
		if p.last != nil {
			l.dropped(p.last)
		}
	}
	signal(l.wake)
	signal(l.room)
}

// run delivers until the lane ends.
func (l *lane) run() {
	defer close(l.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p, wait, more := l.take()
		switch {
		case !more:
			return
		case wait != 0:
			l.pause(timer, wait)
		case l.write(p.bytes, timer):
			if p.last != nil {
				l.delivered(p.last)
			}
			l.written(len(p.bytes))
		default:
			if p.last != nil {
				l.dropped(p.last)
			}
			l.drop()
		}
	}
}

// forever is the wait for something to happen.
const forever = time.Duration(-1)

// take returns the piece to deliver, or how long to wait before the next look.
func (l *lane) take() (p piece, wait time.Duration, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.over, l.ending && len(l.pieces) == 0:
		l.over = true
		return piece{}, 0, false
	case len(l.pieces) == 0, l.weather.held:
		return piece{}, forever, true
	}
	p = l.pieces[0]
	if early := time.Until(p.due); early > 0 {
		return piece{}, early, true
	}
	l.pieces[0] = piece{} // its bytes are not needed any more
	l.pieces = l.pieces[1:]
	return p, 0, true
}

// pause waits for the time given or for something to happen.
func (l *lane) pause(timer *time.Timer, wait time.Duration) {
	if wait == forever {
		<-l.wake
		return
	}
	timer.Reset(wait)
	select {
	case <-timer.C:
	case <-l.wake:
	}
}

// write writes as fast as the budget allows and says whether all was written.
func (l *lane) write(b []byte, timer *time.Timer) bool {
	for len(b) > 0 {
		n, wait := l.budget.spend(len(b))
		for until := time.Now().Add(wait); wait > 0; wait = time.Until(until) {
			if l.isOver() {
				return false
			}
			l.pause(timer, wait)
		}
		l.mu.Lock()
		ending := l.ending
		l.mu.Unlock()
		if ending {
			_ = l.to.SetWriteDeadline(time.Now().Add(farewell))
		}
		if _, err := l.to.Write(b[:n]); err != nil {
			return false
		}
		b = b[n:]
	}
	return true
}

func (l *lane) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

// written makes room.
func (l *lane) written(n int) {
	l.mu.Lock()
	l.waiting -= n
	l.mu.Unlock()
	signal(l.room)
}

// budget limits what both directions of a connection deliver together.
type budget struct {
	mu             sync.Mutex
	bytesPerSecond int64 // 0: without limit
	free           time.Time
}

// set changes the limit.
func (b *budget) set(bytesPerSecond int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytesPerSecond = bytesPerSecond
}

// spend takes some of the bytes that somebody wants to deliver and returns how
// many they are and how long to wait before.
func (b *budget) spend(want int) (n int, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytesPerSecond == 0 {
		return want, 0
	}
	// A fiftieth of a second's bytes at once, so that both directions get on.
	n = min(want, max(1, int(b.bytesPerSecond/50)))
	now := time.Now()
	if b.free.Before(now) {
		b.free = now
	}
	wait = b.free.Sub(now)
	b.free = b.free.Add(time.Duration(n) * time.Second / time.Duration(b.bytesPerSecond))
	return n, wait
}
