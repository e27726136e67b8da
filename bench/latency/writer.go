package latency

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"
)

// waiting bounds the finished intervals that wait to be written, so the memory
// (170 KB each). With more, recording waits for the file.
const waiting = 32

// roleName is what the .hlog format takes as a tag without quoting.
var roleName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

var errClosed = errors.New("latency: the log is closed already")

// LogWriter writes the finished intervals of a process's roles to one .hlog
// file as they finish, from a goroutine of its own: encoding one costs some
// 0.1 ms, which does not belong in a measured loop.
type LogWriter struct {
	grid     Grid
	finished chan piece
	free     chan *Recorder
	done     chan struct{} // closed when the writing goroutine has ended

	failed error // of the writing goroutine, read after done

	mutex  sync.Mutex // guards what follows
	roles  []*IntervalRecorder
	closed bool
}

// piece is one finished interval of one role.
type piece struct {
	role     string
	index    int64
	recorder *Recorder
}

// NewLogWriter starts a log on w and writes its header. Each finished interval
// is one Write, so with an unbuffered file it has reached the operating system
// when the next one begins. started is the wall-clock time of the grid's origin.
// Close must be called.
func NewLogWriter(w io.Writer, grid Grid, started time.Time) (*LogWriter, error) {
	if err := grid.check(); err != nil {
		return nil, err
	}
	if _, err := w.Write(appendHeader(nil, grid, started)); err != nil {
		return nil, fmt.Errorf("latency: write the log's header: %w", err)
	}
	l := &LogWriter{
		grid:     grid,
		finished: make(chan piece, waiting),
		free:     make(chan *Recorder, waiting),
		done:     make(chan struct{}),
	}
	go l.write(w)
	return l, nil
}

// Role returns a new recorder that logs under the role's name, which may hold
// letters, digits, dots, dashes and underscores. Recorders of one name are
// added up when the log is read.
func (l *LogWriter) Role(name string) (*IntervalRecorder, error) {
	if !roleName.MatchString(name) {
		return nil, fmt.Errorf("latency: role %q: use letters, digits, '.', '-' and '_'", name)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return nil, errClosed
	}
	r := &IntervalRecorder{log: l, role: name, end: l.grid.Origin}
	l.roles = append(l.roles, r)
	return r, nil
}

// Close writes the unfinished intervals of all roles and waits until
// everything is written. The goroutines that record must have ended. The error is
// the first of any write; intervals after it are missing from the file.
func (l *LogWriter) Close() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return errClosed
	}
	l.closed = true
	for _, r := range l.roles {
		r.finish()
	}
	close(l.finished)
	<-l.done
	return l.failed
}

// write ends when finished is closed. After an error it goes on taking
// intervals, so that no recording goroutine waits for ever.
func (l *LogWriter) write(w io.Writer) {
	defer close(l.done)
	encode := newEncoder()
	var line []byte
	for p := range l.finished {
		if l.failed == nil {
			line = encode.appendInterval(line[:0], l.grid, p.role, p.index, p.recorder)
			if _, err := w.Write(line); err != nil {
				l.failed = fmt.Errorf("latency: write the log: %w", err)
			}
		}
		p.recorder.reset()
		select {
		case l.free <- p.recorder:
		default: // enough of them are free
		}
	}
}

// IntervalRecorder collects the latencies of one role on the log's grid. It is
// used by one goroutine.
type IntervalRecorder struct {
	log     *LogWriter
	role    string
	current *Recorder // nil before the grid's origin
	index   int64     // the interval of current
	end     int64     // when it ends, nanoseconds on CLOCK_MONOTONIC
}

// Record counts a latency of nanos nanoseconds into the interval of now
// (nanoseconds on CLOCK_MONOTONIC), as Recorder.Record does. Before the grid's origin
// is warm-up: nothing is recorded. now does not go back; where it does, the
// latency counts into the later interval.
//
// It allocates nothing once the first intervals are written. At the end of an
// interval it hands the finished one over, and waits only when the file is 32
// intervals of all roles behind.
func (r *IntervalRecorder) Record(now, nanos int64) {
	if now >= r.end {
		r.roll(now)
	}
	if r.current != nil {
		r.current.Record(nanos)
	}
}

func (r *IntervalRecorder) roll(now int64) {
	r.finish()
	r.index = r.log.grid.Index(now)
	r.end = r.log.grid.Origin + int64(r.log.grid.Start(r.index+1))
	if r.current != nil {
		return
	}
	select {
	case r.current = <-r.log.free:
	default:
		r.current = NewRecorder()
	}
}

// finish hands the current interval over, unless nothing was recorded in it.
func (r *IntervalRecorder) finish() {
	if r.current == nil || r.current.empty() {
		return
	}
	r.log.finished <- piece{role: r.role, index: r.index, recorder: r.current}
	r.current = nil
}
