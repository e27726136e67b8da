package suite

// poolEarlier pools the latencies of what a resumed run has: a run cut off
// between a trial and its saving, or saved by an earlier version, lacks them.
func (o *Options) poolEarlier() error {
	for i := range o.Run.Cells {
		c := &o.Run.Cells[i]
		for _, scenario := range c.Scenarios(o.Run) {
			if err := c.PoolLatency(o.Store.Dir(), scenario); err != nil {
				return err
			}
		}
	}
	return nil
}
