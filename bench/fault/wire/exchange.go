package wire

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// exchange is a request and its answer.
type exchange struct {
	header
	// discard is the rule that keeps the answer from the client.
	discard *Armed
	// content is what the request brings, nil if nobody wants to know.
	content *content
	// sent says that the broker has got the request in whole; fates are what
	// it then said of each partition.
	sent  bool
	fates map[string]map[int32]fate
}

// exchanges are those of one connection that are not over.
type exchanges struct {
	mu sync.Mutex
	// waiting are those whose answer has not come, oldest first: brokers
	// answer in order.
	waiting []*exchange
	// unheard are those that bring something, until the client has the answer.
	unheard map[*exchange]struct{}
	// deaf says that the client has left: it hears nothing any more.
	deaf bool
	// careful says that the client misses something, so that it may leave at
	// any time, and that therefore every answer is handed over with proof.
	careful bool
	// unproven is the last answer that was written to the client, as long as it
	// is not known whether the client has read it.
	unproven *exchange
	// none is closed when nothing waits, once somebody asks.
	none chan struct{}
}

// begin adds an exchange whose request is about to be passed on.
func (e *exchanges) begin(x *exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = append(e.waiting, x)
	e.note(x)
}

// note keeps an exchange that brings something.
func (e *exchanges) note(x *exchange) {
	if x.content == nil || !brings(x.key) {
		return
	}
	if e.unheard == nil {
		e.unheard = map[*exchange]struct{}{}
	}
	e.unheard[x] = struct{}{}
}

// discarded notes an exchange whose request the broker never gets.
func (e *exchanges) discarded(x *exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note(x)
}

// sent notes that the broker has got a request.
func (e *exchanges) sent(x *exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x.sent = true
}

// answered returns the exchange that an answer belongs to.
func (e *exchanges) answered(correlation int32) (*exchange, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.waiting, func(x *exchange) bool { return x.correlation == correlation })
	if i < 0 {
		return nil, refusal{fmt.Errorf("the broker answered a request that nobody sent (correlation id %d)", correlation)}
	}
	return e.waiting[i], nil
}

// end ends the wait for an answer: it has been dealt with, or the broker will
// not get the request in whole.
func (e *exchanges) end(x *exchange) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = slices.DeleteFunc(e.waiting, func(y *exchange) bool { return x == y })
	if len(e.waiting) == 0 && e.none != nil {
		close(e.none)
		e.none = nil
	}
}

// settle notes what the broker said of what a request brought.
func (e *exchanges) settle(x *exchange, response kmsg.Response, names *topicNames) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x.fates = map[string]map[int32]fate{}
	names.eachFate(response, func(topic string, partition int32, f fate) {
		if x.fates[topic] == nil {
			x.fates[topic] = map[int32]fate{}
		}
		x.fates[topic][partition] = f
	})
}

// handed notes that an answer was written to the client. Until the client misses
// something, one before it counts as heard. The last one never does: the client may
// have left meanwhile, with it or without.
func (e *exchanges) handed(x *exchange) (careful bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.unproven != nil {
		delete(e.unheard, e.unproven)
	}
	e.unproven = x
	return e.careful
}

// takeCare has answers handed over with proof from now on.
func (e *exchanges) takeCare() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.careful = true
}

// prove notes whether the client has read the last answer.
func (e *exchanges) prove(f proof) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.unproven == nil {
		return
	}
	switch f {
	case wasRead:
		delete(e.unheard, e.unproven)
	case mayBeRead:
		e.unproven.fates = nil
	}
	e.unproven = nil
}

// left notes that the client is gone.
func (e *exchanges) left() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.deaf = true
}

// doubted says whether it matters that the client may not have read the last answer.
func (e *exchanges) doubted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, matters := e.unheard[e.unproven]
	return matters
}

// gone says whether the client has left.
func (e *exchanges) gone() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.deaf
}

// settled is closed as soon as no answer is waited for.
func (e *exchanges) settled() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	none := make(chan struct{})
	if len(e.waiting) == 0 {
		close(none)
	} else {
		e.none = none
	}
	return none
}

// report adds up what the client did not hear of.
func (e *exchanges) report() Unanswered {
	e.mu.Lock()
	defer e.mu.Unlock()
	u := Unanswered{Requests: len(e.unheard)}
	for _, x := range slices.SortedFunc(maps.Keys(e.unheard), func(a, b *exchange) int { return int(a.correlation) - int(b.correlation) }) {
		each(x.content.records, func(topic string, partition int32, n int64) {
			to := u.Records.of(x.fate(topic, partition))
			to.set(topic, partition, (*to)[topic][partition]+n)
		})
		each(x.content.offsets, func(topic string, partition int32, offset int64) {
			to := u.Offsets.of(x.fate(topic, partition))
			to.set(topic, partition, max((*to)[topic][partition], offset))
		})
	}
	return u
}

func each(p PerPartition, visit func(topic string, partition int32, n int64)) {
	for topic, partitions := range p {
		for partition, n := range partitions {
			visit(topic, partition, n)
		}
	}
}

// fate is what became of what the request brought to a partition.
func (x *exchange) fate(topic string, partition int32) fate {
	if !x.sent {
		return absent
	}
	return x.fates[topic][partition] // untold if the broker has not said
}
