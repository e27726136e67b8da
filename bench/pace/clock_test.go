package pace_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"deliverybench/bench/pace"
	"deliverybench/bench/profile"
)

// printClock makes the test binary print its clock and exit, so that a test
// can read the clock of another process.
const printClock = "PACE_TEST_PRINT_CLOCK"

func TestMain(m *testing.M) {
	if os.Getenv(printClock) != "" {
		clock := pace.NewClock()
		fmt.Println(clock.Now(), int64(clock.Uncertainty()))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestClocksAgreeWithinTheirUncertainty(t *testing.T) {
	one, two := pace.NewClock(), pace.NewClock()
	before := one.Now()
	between := two.Now()
	after := one.Now()
	allowed := int64(one.Uncertainty() + two.Uncertainty())
	require.GreaterOrEqual(t, between, before-allowed)
	require.LessOrEqual(t, between, after+allowed)
}

func TestClockIsTheKernelsMonotonicClock(t *testing.T) {
	clock := pace.NewClock()
	for range 1000 {
		var kernel unix.Timespec
		before := clock.Now()
		require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &kernel))
		after := clock.Now()
		require.GreaterOrEqual(t, kernel.Nano(), before-int64(clock.Uncertainty()))
		require.LessOrEqual(t, kernel.Nano(), after+int64(clock.Uncertainty()))
	}
}

func TestClockIsSharedBetweenProcesses(t *testing.T) {
	clock := pace.NewClock()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), printClock+"=1")
	before := clock.Now()
	out, err := child.Output()
	after := clock.Now()
	require.NoError(t, err)
	fields := strings.Fields(string(out))
	require.Len(t, fields, 2)
	now, err := strconv.ParseInt(fields[0], 10, 64)
	require.NoError(t, err)
	uncertainty, err := strconv.ParseInt(fields[1], 10, 64)
	require.NoError(t, err)
	allowed := int64(clock.Uncertainty()) + uncertainty
	require.GreaterOrEqual(t, now, before-allowed)
	require.LessOrEqual(t, now, after+allowed)
}

func TestWaitReturnsOnceDue(t *testing.T) {
	clock := pace.NewClock()
	waiter := pace.NewWaiter(clock)
	due := clock.Now() + int64(30*time.Millisecond) // longer than one sleep
	now, err := waiter.Wait(t.Context(), due)
	require.NoError(t, err)
	require.GreaterOrEqual(t, now, due)
	require.GreaterOrEqual(t, clock.Now(), now)
}

func TestWaitForThePastReturnsAtOnceEvenWhenCancelled(t *testing.T) {
	clock := pace.NewClock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	now, err := pace.NewWaiter(clock).Wait(ctx, clock.Now()-1)
	require.NoError(t, err)
	require.LessOrEqual(t, now, clock.Now())
}

func TestWaitEndsWithItsContext(t *testing.T) {
	clock := pace.NewClock()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := pace.NewWaiter(clock).Wait(ctx, math.MaxInt64)
		result <- err
	}()
	cancel()
	require.ErrorIs(t, <-result, context.Canceled)
}

func BenchmarkNow(b *testing.B) {
	clock := pace.NewClock()
	b.ReportAllocs()
	for b.Loop() {
		clock.Now()
	}
}

// BenchmarkSendLag50k follows a schedule of 50,000 messages per second and
// reports how late each message could have been sent, and the share of one
// processor that it took. Run it on an idle machine with -benchtime 2s.
func BenchmarkSendLag50k(b *testing.B) {
	clock := pace.NewClock()
	waiter := pace.NewWaiter(clock)
	pacer, err := pace.New(profile.Load{Rate: 50_000, Arrivals: profile.Constant}, 0, 1, 0)
	require.NoError(b, err)
	lags := make([]int64, b.N)
	used := processorTime(b)
	start := clock.Now()
	b.ResetTimer()
	for n := range lags {
		due := start + int64(pacer.At(int64(n)))
		now, err := waiter.Wait(b.Context(), due)
		if err != nil {
			b.Fatal(err)
		}
		lags[n] = now - due
	}
	took := clock.Now() - start
	b.StopTimer()
	used = processorTime(b) - used
	sort.Slice(lags, func(i, j int) bool { return lags[i] < lags[j] })
	for _, quantile := range []struct {
		name  string
		share float64
	}{{"p50-µs", 0.5}, {"p99-µs", 0.99}, {"p99.9-µs", 0.999}, {"max-µs", 1}} {
		rank := max(1, int(math.Ceil(quantile.share*float64(len(lags)))))
		b.ReportMetric(float64(lags[rank-1])/1000, quantile.name)
	}
	b.ReportMetric(100*float64(used)/float64(took), "cpu-%")
}

// processorTime returns the nanoseconds of processor time used so far.
func processorTime(b *testing.B) int64 {
	var usage unix.Rusage
	require.NoError(b, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// The shortest of many: a busy machine makes some longer, and none shorter. The
// runtime's own timers have no such sleep under a millisecond.
func TestASleepIsNoRoundMillisecond(t *testing.T) {
	clock := pace.NewClock()
	shortest := time.Hour
	for range 200 {
		before := clock.Now()
		clock.Sleep(300 * time.Microsecond)
		took := time.Duration(clock.Now() - before)
		require.GreaterOrEqual(t, took, 300*time.Microsecond)
		shortest = min(shortest, took)
	}
	require.Less(t, shortest, 900*time.Microsecond)
	before := clock.Now()
	clock.Sleep(0)
	clock.Sleep(-time.Hour)
	require.Less(t, time.Duration(clock.Now()-before), time.Minute)
}
