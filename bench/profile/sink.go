package profile

// Enabled reports whether effects are rows of a database.
func (s Sink) Enabled() bool { return s.Database != NoDatabase && s.Database != "" }

type (
	Database   string // where effects are rows
	SinkWrite  string // how a row is written
	SinkEffect string // what it does to an account
)

const (
	NoDatabase Database = "none"
	SQLite     Database = "sqlite"
	Postgres   Database = "postgres"

	Insert       SinkWrite = "insert"
	UniqueKey    SinkWrite = "unique-key"
	CheckThenAct SinkWrite = "check-then-act"

	AddToBalance SinkEffect = "add-to-balance"
	SetStatus    SinkEffect = "set-status"
)
