package postgres

// PIDs are the server's process and those that it has started.
func (s *Server) PIDs() []int {
	pid := s.current().PID()
	return append([]int{pid}, children(pid)...)
}

// Dir is the server's own.
func (s *Server) Dir() string { return s.dir }

var (
	Stat     = stat
	Alive    = alive
	Binaries = binaries
	Entered  = entered
)
