package result

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/HdrHistogram/hdrhistogram-go"

	"deliverybench/bench/latency"
)

// Pooled is what several repeats recorded under one latency role, taken together.
type Pooled struct {
	Histogram *hdrhistogram.Histogram
	// Over is how many values were over range or never arrived.
	Over int64
}

// Summary is the percentiles of all the repeats' messages.
func (p Pooled) Summary() latency.Summary { return latency.Summarize(p.Histogram, p.Over) }

// Pool adds up what the trials recorded, by latency role, from their interval
// logs in the run's folder. Histograms are pooled, not percentiles: a mean of
// percentiles is a percentile of nothing. The error names the trial; it is
// fs.ErrNotExist when a log is missing, since percentiles of only some of the
// repeats would not be what they are called.
func Pool(dir string, trials []*Trial) (map[string]Pooled, error) {
	pooled := map[string]Pooled{}
	for _, t := range trials {
		log, err := readTrialLog(dir, t)
		if err != nil {
			return nil, fmt.Errorf("latencies of trial %s: %w", t.ID, err)
		}
		for role, s := range t.Latency {
			p := pooled[role]
			p.Over += s.Over
			switch {
			case log == nil:
			case p.Histogram == nil:
				p.Histogram = log.Total(role)
			default:
				p.Histogram.Merge(log.Total(role)) // nothing is dropped: package latency has one range
			}
			pooled[role] = p
		}
	}
	for role, p := range pooled {
		if p.Histogram == nil {
			pooled[role] = Pooled{latency.NewHistogram(), p.Over}
		}
	}
	return pooled, nil
}

// readTrialLog is nil for a trial that recorded nothing: it has no file.
func readTrialLog(dir string, t *Trial) (*latency.Log, error) {
	path := filepath.Join(dir, filepath.FromSlash(HistogramLogFile(t.ID)))
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !t.recorded() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	log, err := latency.ReadLog(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return log, nil
}

func (t *Trial) recorded() bool {
	for _, s := range t.Latency {
		if s.Count > 0 {
			return true
		}
	}
	return false
}

// PoolLatency fills in the cell's Latency of a scenario from the logs in the
// run's folder, over its completed trials. Where a log is missing there is none:
// readers then take the median of the trials.
func (c *Cell) PoolLatency(dir, scenario string) error {
	trials := c.Completed(scenario)
	delete(c.Latency, scenario)
	pooled, err := Pool(dir, trials)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || len(pooled) == 0 {
		return err
	}
	if c.Latency == nil {
		c.Latency = map[string]map[string]latency.Summary{}
	}
	c.Latency[scenario] = map[string]latency.Summary{}
	for role, p := range pooled {
		c.Latency[scenario][role] = p.Summary()
	}
	return nil
}
