package trial_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
	"deliverybench/bench/sink"
	"deliverybench/bench/trial"

	"github.com/stretchr/testify/require"
)

// hurried is a server whose first start after a kill goes wrong in some way.
type hurried struct {
	trial.Server
	starts atomic.Int64
	start  func(ctx context.Context, real trial.Server) error
	gone   atomic.Pointer[error]
}

func (s *hurried) Start(ctx context.Context) error {
	if s.starts.Add(1) > 1 {
		return s.Server.Start(ctx)
	}
	return s.start(ctx, s.Server)
}

func (s *hurried) Failure() error {
	if gone := s.gone.Load(); gone != nil {
		return *gone
	}
	return s.Server.Failure()
}

// A trial that fails while its database is started again leaves the database to
// the next trial as it was found: running, and without the trial's tables.
func TestAnAbandonedRestartIsPickedUp(t *testing.T) {
	t.Parallel()
	failed := errors.New("the trial fails now")
	for name, start := range map[string]func(*hurried) func(context.Context, trial.Server) error{
		"while it recovers": func(*hurried) func(context.Context, trial.Server) error {
			return func(ctx context.Context, real trial.Server) error {
				called, off := context.WithCancelCause(ctx)
				off(failed)
				return errors.Join(real.Start(called), failed)
			}
		},
		"before that was noted": func(s *hurried) func(context.Context, trial.Server) error {
			return func(ctx context.Context, real trial.Server) error {
				if err := real.Start(ctx); err != nil {
					return err
				}
				s.gone.Store(&failed)
				<-ctx.Done()
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := ownPostgres(t, newBench(t))
			server := &hurried{Server: b.env.Database.Server}
			server.start = start(server)
			b.env.Database.Server = server
			s := intoPostgres(profile.AfterProcessing, profile.UniqueKey)
			s.Faults = []profile.Fault{{Kill: profile.DatabaseRole, At: profile.Moment{Share: 0.2}, Restart: profile.Duration(time.Millisecond)}}
			out := b.run(t, s)
			require.Equal(t, result.Failed, out.Result.Status)
			require.Contains(t, out.Result.Reason, "the trial fails now")
			require.NotContains(t, out.Result.Reason, "it runs")
			left, err := sink.Leftovers(t.Context(), sink.Target{Database: profile.Postgres, Address: b.env.Database.Address, Password: b.env.Database.Password})
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}
