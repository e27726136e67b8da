package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Load reads the run of a results folder. It refuses a folder that holds no
// run, a file that is not whole, and a schema that it does not know.
func Load(dir string) (*Run, error) {
	path := filepath.Join(dir, RunFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("%s holds no %s: give the folder of a run, such as results/semantics-20261121T101500Z", dir, RunFile)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, reason(err))
	}
	defer f.Close()
	run, err := Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return run, nil
}

// Encode writes the run as run.json. It fails on a number that JSON cannot hold (NaN, infinity).
func Encode(w io.Writer, run *Run) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(run)
}

// Decode reads what Encode wrote. Fields that it does not know are passed
// over: a later program may add to the schema without changing its name.
func Decode(r io.Reader) (*Run, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var form struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return nil, fmt.Errorf("not a saved run: %w", err)
	}
	switch form.Schema {
	case Schema:
	case "":
		return nil, fmt.Errorf("not a saved run: it states no schema (want %q)", Schema)
	default:
		return nil, fmt.Errorf("its schema is %q and this program reads %q: use the version of deliverybench that wrote it", form.Schema, Schema)
	}
	run := new(Run)
	if err := json.Unmarshal(data, run); err != nil {
		return nil, fmt.Errorf("not a saved run: %w", err)
	}
	if err := run.validate(); err != nil {
		return nil, err
	}
	return run, nil
}

// validate checks what readers rely on: names that identify, and numbers in
// the range in which they mean something.
func (r *Run) validate() error {
	cells, trials := map[string]bool{}, map[string]bool{}
	for _, c := range r.Cells {
		if c.Name == "" || cells[c.Name] {
			return fmt.Errorf("cell %q: names of cells must be given and differ", c.Name)
		}
		cells[c.Name] = true
		for _, t := range c.Trials {
			if t.ID == "" || trials[t.ID] {
				return fmt.Errorf("cell %q, trial %q: IDs of trials must be given and differ", c.Name, t.ID)
			}
			trials[t.ID] = true
			if t.Scenario == "" || t.Repeat < 1 {
				return fmt.Errorf("trial %q: it must name its scenario and a repeat from 1", t.ID)
			}
		}
	}
	return nil
}
