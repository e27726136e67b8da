package report

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/catalogue"
	"deliverybench/bench/result"
)

// record is a suite run with a row of every outcome.
func record() *catalogue.Record {
	run := newBuild("claims").run
	fact := func(metric, observed string, claims ...string) catalogue.Fact {
		return catalogue.Fact{Metric: metric, Observed: observed, Claims: claims, Status: result.Met}
	}
	draw := fact("lost", "0–3", "lost > 0")
	draw.Sometimes = &result.Frequency{Times: 7, Of: 12}
	crash := []string{"kill consumer at mid-batch, 50%, restart 200ms"}
	setup := catalogue.Setup{About: "Killed between the two.", Broker: run.Environment.Broker}
	side := func(kind catalogue.Kind, glob, setting string, facts ...catalogue.Fact) catalogue.Side {
		return catalogue.Side{Side: kind, Glob: glob, Where: []string{glob}, Settings: []string{setting}, Faults: crash, Trials: 3, Facts: facts}
	}
	breaks := side(catalogue.Breaks, "early/crash", "consumer.commit.when: before-processing",
		fact("lost", "250", "lost == consumer.commit.every"), fact("duplicates", "0", "duplicates == 0"))
	holds := side(catalogue.Holds, "late/*", "consumer.commit.when: after-processing", fact("lost", "0", "lost == 0"))
	row := func(n int, claim string, outcome catalogue.Outcome, reason string, sides ...catalogue.Side) catalogue.Judgement {
		j := catalogue.Judgement{Row: n, Claim: claim, Profile: "commit-order", Outcome: outcome, Reason: reason,
			Shows: catalogue.Confirmed, Conclude: "The order decides, not the <synchronous> commit.", Sides: sides}
		if len(sides) > 0 {
			j.Setup = setup
		}
		return j
	}
	drawn := side(catalogue.Breaks, "automatic/*", "consumer.commit.when: automatic", draw)
	drawn.Trials, drawn.Where = 12, []string{"automatic/crash", "automatic/nowhere"}
	holds.Where = []string{"late/crash", "late/again"}
	unlike := holds
	unlike.Faults = nil
	h := run.Run
	return &catalogue.Record{
		Schema: catalogue.Schema, Environment: run.Environment,
		Suite: catalogue.Header{ID: h.ID, Name: "claims", About: "What articles say.", Started: h.Started, Finished: h.Started.Add(31 * time.Minute),
			Command: []string{"bench", "-profile", "claims"}, Version: h.Version, SuiteSHA256: h.ProfileSHA256, Scale: 1},
		Profiles: []catalogue.Entry{{Profile: "commit-order", State: catalogue.Finished, Trials: 9, Limited: 2}, {Profile: "zombie", State: catalogue.Waiting}},
		Rows: []catalogue.Judgement{
			row(1, "Committed first, a crash loses messages, and this line is so long that it does not fit beside the outcome in any terminal.", catalogue.Confirmed, "", breaks, holds),
			row(2, "It is a draw.", catalogue.MoreSubtle, "", drawn, unlike,
				side(catalogue.Counted, "automatic/*", "consumer.commit.when: automatic", draw)),
			row(5, "It holds *always*.", catalogue.Refuted, "", breaks, holds),
			row(6, "It does not come out.", catalogue.NotMet, "early/crash: lost > 0: expected > 0, observed 0", breaks, holds),
			row(10, "Nobody knows.", catalogue.Inconclusive, "early/crash: the fault never fired", breaks, side(catalogue.Holds, "late/*", "")),
			row(11, "Three nodes.", catalogue.Omitted, "it needs -broker local3, and this is embedded"),
			row(12, "Not yet.", catalogue.NotRun, ""),
			row(13, "Left out.", catalogue.NotRun, "left out by -only 1"),
		},
	}
}

// claimRuns are the runs that stand beside the record.
func claimRuns() map[string]*result.Run {
	b := newBuild("commit-order", "crash", "again")
	for _, arm := range []string{"early", "late", "automatic"} {
		c := b.cell(arm, "none")
		b.trial(c, "crash")
		if arm == "late" {
			b.trial(c, "again")
			b.trial(c, "again")
		}
	}
	return map[string]*result.Run{"commit-order": &b.run}
}

func claimTable(t *testing.T, r *catalogue.Record, o Options) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, ClaimTable(&b, r, o))
	return b.String()
}

func TestClaimGoldens(t *testing.T) {
	golden(t, "claims.txt", []byte(claimTable(t, record(), Options{})))
	var b bytes.Buffer
	require.NoError(t, ClaimMarkdown(&b, record(), claimRuns()))
	golden(t, "claims.md", b.Bytes())
	require.Contains(t, b.String(), "| breaks | [early/crash](commit-order/report.html#trial-001-early-crash-1) |")
	require.Contains(t, b.String(), "| holds | late/\\*<br>[late/crash](commit-order/report.html#trial-002-late-crash-1)<br>[late/again](commit-order/report.html#cell-2-again) |")
	require.Contains(t, b.String(), " | [not met](commit-order/report.html#trial-001-early-crash-1) |\n")
}

func TestClaimTableFits(t *testing.T) {
	for _, columns := range []int{40, 60, 100} {
		for line := range strings.Lines(claimTable(t, record(), Options{Width: columns})) {
			require.LessOrEqual(t, utf8.RuneCountInString(line), columns+1, line)
		}
	}
	plainTable := claimTable(t, record(), Options{})
	coloured := claimTable(t, record(), Options{Color: true})
	require.Equal(t, plainTable, strings.NewReplacer(red, "", green, "", yellow, "", reset, "").Replace(coloured))
	require.Contains(t, coloured, red+"not met     "+reset)
	require.Contains(t, coloured, green+"refuted     "+reset)
	require.Contains(t, coloured, yellow+"omitted     "+reset)
}

// The whole is as good as the worst row that was to be judged.
func TestClaimVerdict(t *testing.T) {
	r := record()
	require.Equal(t, "8 claims: 1 confirmed, 1 more subtle, 1 refuted, 1 not met, 1 inconclusive, 1 omitted, 2 not run.", ClaimVerdict(r))
	require.Equal(t, catalogue.NotMet, worst(r))
	r.Rows = r.Rows[:3]
	r.Suite.Interrupted = true
	require.Equal(t, "Interrupted. 3 claims: 1 confirmed, 1 more subtle, 1 refuted.", ClaimVerdict(r))
	require.Equal(t, catalogue.Confirmed, worst(r))
}

// docs/CLAIMS.md says what the committed run of the suite measured.
func TestClaimsAreThoseOfTheReference(t *testing.T) {
	r, err := catalogue.Load("../../results/reference/claims")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, ClaimMarkdown(&b, r, nil))
	written, err := os.ReadFile("../../docs/CLAIMS.md")
	require.NoError(t, err)
	require.Equal(t, string(written), b.String(), "run scripts/claims.sh results/reference/claims")
}

// A run of one profile tells how often its draws came out.
func TestADrawIsTold(t *testing.T) {
	b := newBuild("draw", "crash")
	b.trial(b.cell("automatic", "none"), "crash")
	b.run.Claims = []result.Claim{
		{Cell: "automatic", Scenario: "crash", Expression: "lost > 0", Status: result.Met, Sometimes: &result.Frequency{Times: 7, Of: 12}},
		{Cell: "automatic", Scenario: "crash", Expression: "duplicates > 0", Observed: "in 0 of 12 trials", Expected: "in some trials", Status: result.NotMet, Sometimes: &result.Frequency{Of: 12}},
	}
	text := tableOf(t, &b.run, Options{})
	require.Contains(t, text, "\n~ a draw: automatic/crash: lost > 0 in 7 of 12 (95 % CI 28–85 %)\n")
	require.Contains(t, text, "\n✗ not met: automatic/crash: duplicates > 0: expected in some trials, observed in 0 of 12 trials")
}
