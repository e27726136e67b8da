package report

import (
	"fmt"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// condition is one circumstance of a run: a number without it means little.
type condition struct{ Name, Value string }

func conditions(run *result.Run) []condition {
	e, h := run.Environment, run.Run
	var out []condition
	add := func(name, value string) {
		if value = plain(value); value != "" {
			out = append(out, condition{name, value})
		}
	}
	add("Broker", e.Broker.Description())
	add("Database", strings.Join(databases(run), ", "))
	add("Client", strings.TrimSpace(e.Client+librdkafka(e)))
	add("Machine", machineText(e))
	add("System", strings.Join(nonEmpty(e.OS, e.Kernel, e.Go), ", "))
	add("deliverybench", h.Version)
	add("Run", h.ID)
	if !h.Started.IsZero() {
		when := h.Started.UTC().Format("2006-01-02 15:04 UTC")
		if h.Finished.After(h.Started) {
			when += ", took " + stats.Seconds(h.Finished.Sub(h.Started).Seconds())
		}
		add("Started", when)
	}
	add("Seed", fmt.Sprint(h.Seed))
	add("Profile", h.Profile)
	add("SHA-256 of the profile", h.ProfileSHA256)
	return out
}

func librdkafka(e result.Environment) string {
	if e.Librdkafka == "" {
		return ""
	}
	return ", librdkafka " + e.Librdkafka
}

func machineText(e result.Environment) string {
	parts := nonEmpty(e.CPU)
	if e.Cores > 0 {
		parts = append(parts, plural(e.Cores, "core"))
	}
	if e.MemoryBytes > 0 {
		parts = append(parts, stats.Bytes(float64(e.MemoryBytes)))
	}
	return strings.Join(parts, ", ")
}

func nonEmpty(parts ...string) []string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// command is what to type to run it again, quoted for a POSIX shell.
func command(run *result.Run) string {
	if len(run.Run.Command) == 0 {
		return "deliverybench -profile " + quote(plain(run.Run.Profile))
	}
	return quoted(run.Run.Command)
}

func quoted(command []string) string {
	var words []string
	for _, w := range command {
		words = append(words, quote(plain(w)))
	}
	return strings.Join(words, " ")
}

func quote(word string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@%+", r)
	}
	if word != "" && strings.TrimFunc(word, safe) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
