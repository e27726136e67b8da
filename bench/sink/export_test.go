package sink

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Setting is what the writer's own connection has for a setting of PostgreSQL, or
// a PRAGMA of SQLite.
func (w *Writer) Setting(t *testing.T, name string) (value string) {
	t.Helper()
	var err error
	switch db := w.db.(type) {
	case *sqlite:
		err = db.conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value)
	case *postgres:
		err = db.conn.QueryRow(t.Context(), "SHOW "+name).Scan(&value)
	}
	require.NoError(t, err)
	return value
}
