package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"deliverybench/bench/client"
	"deliverybench/bench/result"
)

// programVersion is the module's version, or the commit it was built from.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			version = "commit " + s.Value
		}
	}
	if version == "" {
		version = "(devel)"
	}
	return version
}

// machine describes where the run takes place. What cannot be read stays empty.
func machine() result.Environment {
	binding, librdkafka := client.Version()
	e := result.Environment{
		OS: osName(), CPU: cpuName(), Cores: runtime.NumCPU(), MemoryBytes: memory(),
		Go: runtime.Version(), Client: binding, Librdkafka: librdkafka,
	}
	var uname unix.Utsname
	if unix.Uname(&uname) == nil {
		e.Kernel = unix.ByteSliceToString(uname.Release[:])
	}
	return e
}

// osName is PRETTY_NAME of os-release(5).
func osName() string {
	if name := field("/etc/os-release", "PRETTY_NAME", "="); name != "" {
		return strings.Trim(name, `"`)
	}
	return runtime.GOOS
}

func cpuName() string { return field("/proc/cpuinfo", "model name", ":") }

func memory() int64 {
	kib, _ := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal", ":"), " kB"), 10, 64)
	return kib << 10
}

// field returns the first value of a name in a file of "name separator value" lines.
func field(path, name, separator string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		key, value, found := strings.Cut(line, separator)
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// scratchFolders are where a ledger may lie: memory first.
func scratchFolders(getenv func(string) string) []string {
	if dir := getenv("TMPDIR"); dir != "" {
		return []string{"/dev/shm", dir}
	}
	return []string{"/dev/shm", os.TempDir()}
}

// terminalWidth returns how to ask for the file's width in columns, which is 0
// when it is no terminal.
func terminalWidth(f *os.File) func() int {
	if !term.IsTerminal(int(f.Fd())) {
		return func() int { return 0 }
	}
	return func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 {
			return 80
		}
		return width
	}
}
