package wire

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Bytes that wait for their time only may be many, so that a slow line limits no
// throughput; all others hold up who sends them early.
func TestALaneHoldsSoMuchAndNoMore(t *testing.T) {
	const megabyte = 1 << 20
	for name, test := range map[string]struct {
		delay   time.Duration
		weather weather
		piece   int
		most    int
	}{
		"late":          {time.Second, weather{}, megabyte, 64 * megabyte},
		"in time":       {0, weather{}, megabyte / 16, megabyte / 4},
		"late and held": {time.Second, weather{held: true}, megabyte / 16, megabyte / 4},
		"held":          {0, weather{held: true}, megabyte / 16, megabyte / 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLane(nil, &budget{}, nil)
				l.set(test.weather)
				bytes := make([]byte, test.piece)
				for range test.most / test.piece {
					l.put(bytes, test.delay, nil)
				}
				passed := false
				go func() {
					l.put(bytes[:1], test.delay, nil)
					passed = true
				}()
				synctest.Wait()
				require.False(t, passed, "one byte more has to wait")
				require.Equal(t, test.most, l.waiting)
				l.written(1)
				synctest.Wait()
				require.True(t, passed, "for as much room")
				require.Equal(t, test.most, l.waiting)
			})
		})
	}
}

// A single piece passes, however long it is: it would else never.
func TestAnEmptyLaneTakesAnyPiece(t *testing.T) {
	l := newLane(nil, &budget{}, nil)
	l.put(make([]byte, mostWaitingBytes+1), 0, nil)
	require.Equal(t, mostWaitingBytes+1, l.waiting)
}

// What was late is so only until its time has come.
func TestALaneWhoseBytesAreDueHoldsLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(nil, &budget{}, nil)
		l.put(make([]byte, mostWaitingBytes), time.Second, nil)
		require.Equal(t, mostLateBytes, l.most(0, time.Now()))
		time.Sleep(time.Second)
		require.Equal(t, mostWaitingBytes, l.most(0, time.Now()))
	})
}
