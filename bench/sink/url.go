package sink

import (
	"errors"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// errURL quotes nothing of what was given: a password may be anywhere in it.
var errURL = errors.New("not a PostgreSQL URL: use postgres://USER@HOST:PORT/DATABASE, with the password in PGPASSWORD or PGPASSFILE")

// ParseURL takes the password out of a PostgreSQL URL, or from PGPASSWORD or
// PGPASSFILE where the URL has none.
func ParseURL(text string) (address, password string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" {
		return "", "", errURL
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", "", errURL
	}
	if query.Has("sslpassword") {
		return "", "", errors.New("sslpassword in a PostgreSQL URL would be seen: use a key file without a password")
	}
	if u.User != nil {
		password, _ = u.User.Password()
		u.User = url.User(u.User.Username())
	}
	if password == "" {
		password = query.Get("password")
	}
	if query.Has("password") {
		query.Del("password")
		u.RawQuery = query.Encode()
	}
	u.Fragment, u.RawFragment = "", ""
	address = u.String()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return "", "", errURL
	}
	if password == "" {
		password = config.Password
	}
	return address, password, nil
}
