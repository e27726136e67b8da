package profile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Open reads and parses a profile by its path or by the name of one that
// ships, with or without ".yaml". A file that exists wins. took says which of
// the two it was, for the user: "./mine.yaml" or "semantics.yaml (ships with
// deliverybench)".
func Open(pathOrName string, shipped fs.FS) (p *Profile, took string, err error) {
	source, path, took, err := Read(pathOrName, shipped)
	if err != nil {
		return nil, "", err
	}
	p, err = Parse(source, path)
	return p, took, err
}

// Read returns what Open parses, and the path that messages about it name.
func Read(pathOrName string, shipped fs.FS) (source []byte, path, took string, err error) {
	source, err = readFile(pathOrName)
	if err == nil {
		return source, pathOrName, pathOrName, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, "", "", fmt.Errorf("the profile %s cannot be read: %w", pathOrName, err)
	}
	name := strings.TrimSuffix(pathOrName, ".yaml") + ".yaml"
	if fs.ValidPath(name) {
		if source, err = fs.ReadFile(shipped, name); err == nil {
			return source, name, name + " (ships with deliverybench)", nil
		}
	}
	return nil, "", "", missing(pathOrName, shipped)
}

// readFile reads at most a byte more than Parse accepts: a device or a huge
// file must not fill the memory before it is refused.
func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() { // a folder named like a shipped profile is not that profile
		return nil, fs.ErrNotExist
	}
	return io.ReadAll(io.LimitReader(file, MaxSourceSize+1))
}

func missing(name string, shipped fs.FS) error {
	files, err := fs.Glob(shipped, "*.yaml")
	if err != nil {
		return err
	}
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".yaml")
	}
	slices.Sort(files)
	hint := ""
	if near := nearest(strings.TrimSuffix(path.Base(name), ".yaml"), files, 3); len(near) > 0 {
		hint = "; did you mean " + orList(near) + "?"
	}
	return fmt.Errorf("there is no file %s and no profile of that name ships%s (\"deliverybench list\" shows them)", name, hint)
}
