package worker

import (
	"maps"
	"sync"

	"deliverybench/bench/client"
)

// commits are the offsets of processed messages on their way to the broker. At
// most one commit is under way; what comes meanwhile, and what failed, is
// merged into the next, so that offsets never go back.
type commits struct {
	commit func(client.Offsets) error
	async  bool

	mu      sync.Mutex
	idle    *sync.Cond
	pending client.Offsets
	// underway is what the commit that runs now carries; it is pending again
	// when that fails.
	underway client.Offsets
	running  bool
}

func newCommits(commit func(client.Offsets) error, async bool) *commits {
	c := &commits{commit: commit, async: async, pending: client.Offsets{}}
	c.idle = sync.NewCond(&c.mu)
	return c
}

// add commits; asynchronously it returns at once, without an error.
func (c *commits) add(next client.Offsets) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.pending, next)
	switch {
	case !c.async:
		return c.run()
	case !c.running:
		c.running = true
		go func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			_ = c.run() // logged and counted by commit, and tried again with the next
			c.running = false
			c.idle.Broadcast()
		}()
	}
	return nil
}

// run commits until nothing is pending or a commit fails. The lock is held
// before and after, and free during each commit.
func (c *commits) run() error {
	for len(c.pending) > 0 {
		next := maps.Clone(c.pending)
		c.underway, c.pending = c.pending, client.Offsets{}
		c.mu.Unlock()
		err := c.commit(next)
		c.mu.Lock()
		failed := c.underway
		c.underway = nil
		if err != nil {
			maps.Copy(failed, c.pending)
			c.pending = failed
			return err
		}
	}
	return nil
}

// finish returns when no commit is under way, and tries what failed once more.
func (c *commits) finish() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.running {
		c.idle.Wait()
	}
	return c.run()
}

// forget gives up what is pending for partitions that belong to somebody else:
// committing them would rewind the new owner. A commit that is under way is
// refused, as the group has moved on; it is not tried again for them.
func (c *commits) forget(partitions []int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range partitions {
		delete(c.pending, p)
		delete(c.underway, p)
	}
}
