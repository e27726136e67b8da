package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"deliverybench/bench/process"
	"deliverybench/bench/scratch"
)

// Bounds, so that nothing hangs on the server.
const (
	initWithin  = 2 * time.Minute
	startWithin = 2 * time.Minute // with recovery
	endWithin   = 20 * time.Second
	askEvery    = 20 * time.Millisecond
)

// leastRoom is what the server needs on its disk: its files and twice the log
// that it keeps (max_wal_size), with what trials write, bytes.
const leastRoom = 1 << 30

// superuser and database are the server's only ones.
const (
	superuser = "deliverybench"
	database  = "postgres"
)

// Options are what a server is started with.
type Options struct {
	Spawner *process.Spawner
	// Getenv tells PG_BIN and PATH.
	Getenv func(string) string
	// Scratch are the folders in which its data may lie; those in memory come
	// last.
	Scratch []string
	// Logs is the folder in which its log is postgres.log. It stays.
	Logs string
	// Settings are further ones of the server, as name=value, and win.
	Settings []string
}

// Server is a running PostgreSQL.
type Server struct {
	options  Options
	binaries string
	as       *syscall.Credential
	dir      string // of its own
	remove   func() error
	port     int
	password string

	mu      sync.Mutex
	program *process.Program // the last that was started
	asked   bool             // it ends, or has, because somebody wanted it to
	heard   bool             // it has answered since it was started
}

// Start makes a server's data and starts it. It returns when it answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{options: o, password: rand.Text()}
	var err error
	if s.binaries, err = binaries(o.Getenv); err != nil {
		return nil, err
	}
	if s.as, err = serverUser(); err != nil {
		return nil, err
	}
	parents, err := enterable(o.Scratch, s.as)
	if err != nil {
		return nil, err
	}
	if s.dir, s.remove, err = scratch.New(scratch.OnDisk(parents), leastRoom); err != nil {
		return nil, fmt.Errorf("PostgreSQL's data: %w", err)
	}
	if err = s.initialize(ctx); err == nil {
		err = s.listen()
	}
	if err == nil {
		err = s.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }
func (s *Server) log() string  { return filepath.Join(s.options.Logs, "postgres.log") }

// initialize makes the data folder, which is the server's user's.
func (s *Server) initialize(ctx context.Context) error {
	secret := filepath.Join(s.dir, "password")
	err := os.WriteFile(secret, []byte(s.password), 0o600)
	if err == nil {
		err = os.Mkdir(s.data(), 0o700)
	}
	if s.as != nil && err == nil {
		err = errors.Join(os.Chmod(s.dir, 0o711),
			os.Chown(secret, int(s.as.Uid), int(s.as.Gid)), os.Chown(s.data(), int(s.as.Uid), int(s.as.Gid)))
	}
	if err != nil {
		return fmt.Errorf("PostgreSQL's data: %w", err)
	}
	command := s.command("initdb", "-D", s.data(), "--username="+superuser, "--pwfile="+secret,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	p, err := s.options.Spawner.StartProgram("initdb", command, s.log())
	if err != nil {
		return err
	}
	defer p.Kill()
	if err := scratch.Runs(s.dir, "initdb", p.PID()); err != nil {
		return err
	}
	if err := await(ctx, p, initWithin); err != nil {
		return err
	}
	if p.Exit().Err != nil {
		return fmt.Errorf("initdb failed (%w); %s", p.Exit().Err, p.LastLines())
	}
	return os.Remove(secret)
}

// command is one of the server's programs, in its folder and as its user.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(s.binaries, name), args...)
	command.Dir = s.dir
	command.Env = []string{"PATH=" + s.options.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return command
}

func (s *Server) listen() error {
	ports, err := process.FreePorts(1)
	if err != nil {
		return fmt.Errorf("PostgreSQL's port: %w", err)
	}
	s.port = ports[0]
	return nil
}

// settings are the server's. What is not here is PostgreSQL's default, on
// purpose so for fsync, synchronous_commit and full_page_writes (on): a commit
// costs what it costs as the server ships.
func (s *Server) settings() []string {
	all := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(s.port),
		"unix_socket_directories=",          // none: a path may be too long for one
		"dynamic_shared_memory_type=mmap",   // in the data folder, where it is removed
		"max_wal_size=512MB",                // half of the default, for small disks
		"log_line_prefix=%m [%p] %u@%d/%a ", // who each message is about
	}
	var args []string
	for _, setting := range append(all, s.options.Settings...) {
		args = append(args, "-c", setting)
	}
	return args
}

// Start starts the server, for the first time or again on its data. It returns
// when it answers, and so has recovered. Where a Start was called off before that,
// the next one waits for the server that runs.
func (s *Server) Start(ctx context.Context) error {
	p, err := s.run()
	if err != nil {
		return err
	}
	if err := s.answers(ctx, p); err != nil {
		return err
	}
	s.mu.Lock()
	s.heard = true
	s.mu.Unlock()
	releaseMemory(s.data())
	return nil
}

// run starts the server's process, unless one runs that nobody has heard yet.
func (s *Server) run() (*process.Program, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.program != nil && !s.program.Ended() {
		if s.heard {
			return nil, errors.New("start PostgreSQL: it runs")
		}
		return s.program, nil
	}
	p, err := s.options.Spawner.StartProgram("PostgreSQL", s.command("postgres", append([]string{"-D", s.data()}, s.settings()...)...), s.log())
	if err != nil {
		return nil, err
	}
	s.program, s.asked, s.heard = p, false, false
	return p, scratch.Runs(s.dir, "postgres", p.PID())
}

// answers waits until the server lets a client in.
func (s *Server) answers(ctx context.Context, p *process.Program) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startWithin, fmt.Errorf("%s are over", startWithin))
	defer cancel()
	config, err := pgx.ParseConfig(s.Address())
	if err != nil {
		return err
	}
	config.Password = s.password
	for {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.Done():
			return s.Failure()
		case <-ctx.Done():
			return fmt.Errorf("waited for PostgreSQL to answer at %s: %w; at last: %w; %s", s.Address(), context.Cause(ctx), err, p.LastLines())
		case <-time.After(askEvery):
		}
	}
}

// Address is the server's URL, without the password.
func (s *Server) Address() string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: database, RawQuery: "sslmode=disable",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))}
	return u.String()
}

// InMemory reports whether its data lie in memory, where a commit is no write to
// a disk.
func (s *Server) InMemory() bool { return scratch.InMemory(s.dir) }

// Password is that of Address's user, of this server alone.
func (s *Server) Password() string { return s.password }

// Kill ends the server and all its processes by SIGKILL.
func (s *Server) Kill(ctx context.Context) error {
	p := s.end()
	// Stopped first, so that it starts no further ones meanwhile.
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	all := children(p.PID())
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	for _, pid := range all {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	ctx = context.WithoutCancel(ctx) // what has begun takes a moment, and would be in a next start's way
	if err := await(ctx, p, endWithin); err != nil {
		return err
	}
	// A new one refuses to start while they are attached to the memory.
	return gone(ctx, all)
}

// gone waits until processes have ended.
func gone(ctx context.Context, all []int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, endWithin, fmt.Errorf("%s are over", endWithin))
	defer cancel()
	for {
		all = slices.DeleteFunc(all, func(pid int) bool { return !alive(pid) })
		if len(all) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for PostgreSQL's processes %v to end after SIGKILL: %w", all, context.Cause(ctx))
		case <-time.After(askEvery):
		}
	}
}

// Freeze stops the server and all its processes, Thaw continues them.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }
func (s *Server) Thaw() error   { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) error {
	p := s.current()
	if err := p.Signal(signal); err != nil {
		return err
	}
	for _, pid := range children(p.PID()) {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal %s to process %d of PostgreSQL: %w", signal, pid, err)
		}
	}
	return nil
}

func (s *Server) current() *process.Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.program
}

// end notes that the server's end is no surprise.
func (s *Server) end() *process.Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = true
	return s.program
}

// Failure is why the server is gone though nobody wanted it to be, nil else.
func (s *Server) Failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked || s.program == nil || !s.program.Ended() {
		return nil
	}
	return s.program.Ending()
}

// Close ends the server, frozen or not, and removes its data.
func (s *Server) Close() error {
	var err error
	if p := s.end(); p != nil && !p.Ended() {
		err = s.Kill(context.Background())
	}
	return errors.Join(err, s.remove())
}

func await(ctx context.Context, p *process.Program, bound time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, bound, fmt.Errorf("%s are over", bound))
	defer cancel()
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waited for %s to end: %w; %s", p.Name(), context.Cause(ctx), p.LastLines())
	}
}
