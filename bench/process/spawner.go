package process

import (
	"errors"
	"maps"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Spawner starts programs from one locked thread.
type Spawner struct {
	executable string
	starts     chan func()

	mu      sync.Mutex
	closed  bool
	running map[running]bool
	// withheld are variables of the environment that children do not get.
	withheld []string
}

// running can be killed, and is gone then.
type running interface{ Kill() }

// NewSpawner makes a Spawner whose children run the given executable. It is
// meant to live as long as the program: closing it kills what it started.
func NewSpawner(executable string) *Spawner {
	s := &Spawner{executable: executable, starts: make(chan func()), running: map[running]bool{}}
	go func() {
		runtime.LockOSThread() // never unlocked: Pdeathsig follows the thread
		for start := range s.starts {
			start()
		}
	}()
	return s
}

// Close kills what is left of what it started, waits for their ends, and ends the
// thread. The thread's end alone would not do: the runtime keeps the main
// thread, and the goroutine may have been locked to that one. A second Close
// does nothing.
func (s *Spawner) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.starts)
	left := slices.Collect(maps.Keys(s.running))
	s.mu.Unlock()
	for _, p := range left {
		p.Kill()
	}
}

// Withhold keeps variables of the environment from what is started from now on:
// whoever may look at a process sees its environment.
func (s *Spawner) Withhold(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.withheld = append(s.withheld, names...)
}

// begin starts the command from the locked thread, as the user that it names.
func (s *Spawner) begin(command *exec.Cmd, r running) error {
	given := command.SysProcAttr
	command.SysProcAttr = attributes()
	if given != nil {
		command.SysProcAttr.Credential = given.Credential
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	command.Env = slices.DeleteFunc(command.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(s.withheld, name)
	})
	if s.closed {
		return errors.New("the program is ending")
	}
	started := make(chan error)
	s.starts <- func() { started <- command.Start() }
	if err := <-started; err != nil {
		return err
	}
	s.running[r] = true
	return nil
}

func (s *Spawner) ended(r running) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, r)
}
