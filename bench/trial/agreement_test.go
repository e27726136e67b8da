package trial

import (
	"testing"

	"github.com/stretchr/testify/require"

	"deliverybench/bench/ledger"
	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// Rows and messages that do not agree break what is owed on both sides, and rows
// that are there twice what may be there once.
func TestDisagreement(t *testing.T) {
	const (
		alone   = "2 rows have no message"
		telling = "3 messages tell of rows that are not there"
		twice   = "4 rows are there beyond a message's first"
	)
	most, least, exactly := profile.AtMostOnce, profile.AtLeastOnce, profile.ExactlyOnce
	for _, c := range []struct {
		name   string
		d      *result.Database
		broken map[profile.Guarantee]string
	}{
		{"no database", nil, nil},
		{"no outbox", &result.Database{Duplicates: 4}, nil},
		{"nothing", &result.Database{Outbox: &result.Outbox{Agreed: 9}}, nil},
		{"rows whose message waits", &result.Database{Outbox: &result.Outbox{Waiting: 2}}, nil},
		{"rows alone", &result.Database{Outbox: &result.Outbox{RowsWithoutMessage: 2}}, map[profile.Guarantee]string{least: alone, exactly: alone}},
		{"messages alone", &result.Database{Outbox: &result.Outbox{MessagesWithoutRow: 3}}, map[profile.Guarantee]string{least: telling, exactly: telling}},
		{"rows twice", &result.Database{Duplicates: 4, Outbox: &result.Outbox{}}, map[profile.Guarantee]string{most: twice, exactly: twice}},
		{"rows alone and twice", &result.Database{Duplicates: 4, Outbox: &result.Outbox{RowsWithoutMessage: 2}},
			map[profile.Guarantee]string{most: twice, least: alone, exactly: alone + "; " + twice}},
	} {
		for _, g := range []profile.Guarantee{most, least, exactly, profile.NoGuarantee} {
			require.Equal(t, c.broken[g], disagreement(c.d, g), "%s, %s", c.name, g)
		}
	}
}

// Both sides must tell of the same messages: the rows that have a message, the
// messages that have a row, and those that the ledger saw on both.
func TestIdentity(t *testing.T) {
	present := func(n int64) *ledger.Verdict {
		return &ledger.Verdict{Table: map[string]int64{"acked/present/unprocessed": n - 1, "unknown/present/unprocessed": 1, "acked/absent/unprocessed": 50}}
	}
	rows := func(effects, duplicates int64, o result.Outbox) *result.Database {
		return &result.Database{Effects: effects, Duplicates: duplicates, Outbox: &o}
	}
	for name, c := range map[string]struct {
		d    *result.Database
		v    *ledger.Verdict
		says string
	}{
		"no database": {nil, present(9), ""},
		"no outbox":   {&result.Database{Effects: 3}, present(9), ""},
		"agreed":      {rows(9, 0, result.Outbox{Agreed: 9}), present(9), ""},
		"each with what stands alone, waits or is there twice": {
			rows(19, 4, result.Outbox{Agreed: 9, RowsWithoutMessage: 5, MessagesWithoutRow: 2, Waiting: 1}), present(11), ""},
		"a row too many":     {rows(10, 0, result.Outbox{Agreed: 9}), present(9), "the database has 10 rows that have a message, the topic 9 messages that have a row, and the ledger counts 9"},
		"a row too few":      {rows(9, 1, result.Outbox{Agreed: 9}), present(9), "the database has 8 rows that have a message"},
		"a message too many": {rows(9, 0, result.Outbox{Agreed: 9}), present(10), "the topic 10 messages that have a row"},
		"a message too few":  {rows(9, 0, result.Outbox{Agreed: 9, MessagesWithoutRow: 1}), present(9), "the topic 8 messages that have a row"},
		"neither":            {rows(9, 0, result.Outbox{Agreed: 8}), present(9), "the ledger counts 8"},
	} {
		err := identity(c.d, c.v)
		if c.says == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, "rows and messages do not add up: ", name)
		require.ErrorContains(t, err, c.says, name)
	}
}
