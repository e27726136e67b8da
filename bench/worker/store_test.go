package worker

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/sink"
)

// A worker tries for as long as a fault may keep its database away, and not for
// longer: an attempt that is under way by then is called off.
func TestAWorkerWaitsForItsDatabaseWithinItsBound(t *testing.T) {
	for name, lasts := range map[string]time.Duration{"short attempts": time.Second, "long attempts": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{env: &environment{log: io.Discard}}
				begun := time.Now()
				err := s.insist(func(ctx context.Context) error {
					select {
					case <-ctx.Done():
					case <-time.After(lasts):
					}
					return sink.ErrLost
				})
				require.Equal(t, 90*time.Second, time.Since(begun))
				require.ErrorIs(t, err, sink.ErrLost)
				require.ErrorContains(t, err, "no batch came into the database within 1m30s")
			})
		})
	}
}
