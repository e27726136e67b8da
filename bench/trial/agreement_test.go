package trial

import (
	"testing"

	"github.com/stretchr/testify/require"

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
