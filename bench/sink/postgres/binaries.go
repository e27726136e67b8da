package postgres

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// ErrMissing means that no PostgreSQL is installed.
var ErrMissing = errors.New("no PostgreSQL server is installed: install one (on Debian: apt-get install postgresql), name the folder of its initdb with PG_BIN, or name a running one with -database")

// debianBinaries is where Debian has each version's, out of PATH.
const debianBinaries = "/usr/lib/postgresql/*/bin"

// binaries is the folder of initdb and postgres.
func binaries(getenv func(string) string) (string, error) {
	if named := getenv("PG_BIN"); named != "" {
		if !hasBinaries(named) {
			return "", errors.New("PG_BIN is " + named + ", which does not have both initdb and postgres in it: name the folder that has")
		}
		return named, nil
	}
	versions, _ := filepath.Glob(debianBinaries)
	slices.SortFunc(versions, func(a, b string) int { return versionOf(b) - versionOf(a) })
	for _, dir := range append(filepath.SplitList(getenv("PATH")), versions...) {
		if filepath.IsAbs(dir) && hasBinaries(dir) {
			return dir, nil
		}
	}
	return "", ErrMissing
}

// Installed returns ErrMissing where Start would find no server.
func Installed(getenv func(string) string) error {
	_, err := binaries(getenv)
	return err
}

func versionOf(dir string) int {
	version, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return version
}

func hasBinaries(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}
