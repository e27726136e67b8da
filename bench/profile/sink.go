package profile

// Sink is the database outside Kafka in which an effect is a row.
type Sink struct {
	// Database is where the effects of consumed messages go besides the ledger: none, an SQLite file of the trial's own, or a PostgreSQL (one that the program starts, or that of -database).
	Database Database `yaml:"database" json:"database,omitempty"`
	// Write is how an effect is written: insert as it comes; unique-key has the database refuse an effect of the same message; check-then-act asks first whether it is there, and then writes, in two transactions.
	Write SinkWrite `yaml:"write" json:"write,omitempty"`
	// Effect is what a message does to its account: add-to-balance adds its amount, so that each further time is money; set-status sets it active, which is the same however often.
	Effect SinkEffect `yaml:"effect" json:"effect,omitempty"`
	// Accounts is how many there are. A message's key says which is its own, without one its identity.
	Accounts int `yaml:"accounts" json:"accounts,omitempty" range:"1..1000000"`
}

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
