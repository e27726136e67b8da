package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"path/filepath"

	"deliverybench/bench/profile"
)

// Inputs is what the planes do not say about a trial.
type Inputs struct {
	// Due is how many messages each producer was to send: its sequences 0 ≤ s
	// < Due[p]. With load.rate: max it is what was begun (see Begun).
	Due []int64
	// Pipeline says who handles messages, and with Effects left out what an
	// effect is: see the package comment.
	Pipeline profile.Pipeline
	// Effects is what counts as an effect.
	Effects Effective
	// AcksNone settles acked as sent: with acks=0 a report without an error
	// says no more than that.
	AcksNone bool
	// ReadUncommitted says that the consumers read so: every copy of a message
	// reaches them, not only the visible ones.
	ReadUncommitted bool
	// Drained says that the consumers came to the end. Without it nothing is
	// proven skipped, and what is present without an effect is undrained.
	Drained bool
	// Unpublished says that a publisher did not come to the end of its outbox: what
	// the topic does not have may wait there, and is undrained, not lost.
	Unpublished bool
}

// Effective is which trace of a message's handling is its effect.
type Effective int

const (
	ByPipeline Effective = iota // the outputs of a relay, the marks of all others
	ByMarks                     // of the consuming workers
	ByOutputs                   // of a relay, visible under read_committed
	ByRows                      // of a database
)

// effective is what counts, told by the pipeline where nothing else is.
func (in Inputs) effective() Effective {
	switch {
	case in.Effects != ByPipeline:
		return in.Effects
	case in.Pipeline == profile.RelayTo:
		return ByOutputs
	}
	return ByMarks
}

// The bytes of a signature, lowest first: what is known about one message.
const (
	outcomeByte = iota
	executionsByte
	copiesByte // from here on as in auditPlanes
	attemptsByte
	visibleByte
	pastByte
	outCopiesByte
	outVisibleByte // the database's rows, where these are the effects
	signatureBytes
)

// signature is one message's byte of every plane. Messages with the same
// signature are the same to the verdict, and most have the same.
type signature uint64

func (s signature) at(plane int) int64 { return int64(byte(s >> (8 * plane))) }

// windowBytes is how many messages are looked at together: small enough that
// all planes' windows stay in the processor's cache.
const windowBytes = 32 << 10

// Settle reads the planes and returns what became of every message. It fails
// when the planes contradict each other, when the audit did not finish, and
// when the table does not add up to the messages due: a verdict that might be
// wrong is not given. It streams; its memory does not grow with the messages.
func Settle(dir string, in Inputs) (v Verdict, err error) {
	return settle(dir, in, windowBytes)
}

func settle(dir string, in Inputs, window int) (v Verdict, err error) {
	s, err := newSettler(dir, in, window)
	if err != nil {
		return Verdict{}, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for p, due := range in.Due {
		if err := s.producer(p, due); err != nil {
			return Verdict{}, err
		}
	}
	if s.tally.in.effective() == ByRows {
		return s.tally.verdict(s.audit.inRows(s.rows))
	}
	return s.tally.verdict(s.audit)
}

// settler streams over the planes.
type settler struct {
	layout   Layout
	audit    auditTotals
	rows     rowTotals
	outcomes []*source // one per producer
	effects  []*source // one per consumer incarnation
	audited  []*source // as auditPlanes
	buffers  [signatureBytes][]byte
	addend   []byte // one incarnation's effects
	tally    tally
}

func newSettler(dir string, in Inputs, window int) (*settler, error) {
	l, err := ReadLayout(dir)
	if err != nil {
		return nil, err
	}
	if err := in.check(l); err != nil {
		return nil, err
	}
	s := &settler{layout: l, addend: make([]byte, window)}
	s.tally = tally{in: in}
	for k := range s.buffers {
		s.buffers[k] = make([]byte, window)
	}
	if s.audit, err = readAudit(dir); err != nil {
		return nil, err
	}
	if in.effective() == ByRows {
		if s.rows, err = readRows(dir); err != nil {
			return nil, err
		}
	}
	if err := s.open(dir); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (in Inputs) check(l Layout) error {
	if len(in.Due) != l.Producers {
		return fmt.Errorf("ledger: messages due for %d producers, but the layout has %d", len(in.Due), l.Producers)
	}
	for p, due := range in.Due {
		if due < 0 || due > l.Capacity {
			return fmt.Errorf("ledger: %d messages due for producer %d: the layout's capacity is %d", due, p, l.Capacity)
		}
	}
	switch {
	case in.Effects < ByPipeline || in.Effects > ByRows:
		return fmt.Errorf("ledger: effects %d: use ByPipeline, ByMarks, ByOutputs or ByRows", in.Effects)
	case in.Effects == ByRows && !l.Rows:
		return errors.New("ledger: rows as effects need their plane: create the layout with Rows")
	case in.Unpublished && in.Pipeline != profile.ByOutbox:
		return fmt.Errorf("ledger: pipeline %q has no outbox of which something is unpublished", in.Pipeline)
	case in.Effects == ByOutputs && in.Pipeline != profile.RelayTo:
		return fmt.Errorf("ledger: pipeline %q has no outputs to count as effects", in.Pipeline)
	}
	switch in.Pipeline {
	case profile.Consume, profile.Produce, profile.ByOutbox:
		return nil
	case profile.RelayTo:
		if !l.Relay {
			return errors.New("ledger: a relay needs the planes of its output: create the layout with Relay")
		}
		return nil
	}
	return fmt.Errorf("ledger: pipeline %q: use consume, relay, produce or outbox", in.Pipeline)
}

func (s *settler) open(dir string) error {
	for p := range s.layout.Producers {
		// A producer that never started has no plane: nothing was sent.
		source, err := openSource(dir, outcomesFile(p), true)
		if err != nil {
			return err
		}
		s.outcomes = append(s.outcomes, source)
	}
	paths, err := filepath.Glob(filepath.Join(dir, effectsPrefix+"*"))
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	for _, path := range paths {
		source, err := openSource(dir, filepath.Base(path), false)
		if err != nil {
			return err
		}
		s.effects = append(s.effects, source)
	}
	rows := s.tally.in.effective() == ByRows
	for i, name := range auditPlanes {
		output := copiesByte+i >= outCopiesByte
		if output && rows { // they stand in the outputs' place
			name = rowsFile
		}
		source, err := openSource(dir, name, output && !rows && !s.layout.Relay)
		if err != nil {
			return err
		}
		s.audited = append(s.audited, source)
	}
	return nil
}

func (s *settler) close() error {
	var errs []error
	for _, sources := range [][]*source{s.outcomes, s.effects, s.audited} {
		for _, source := range sources {
			errs = append(errs, source.close())
		}
	}
	return errors.Join(errs...)
}

// producer settles one producer's messages: those due, and then those that
// should not be there.
func (s *settler) producer(p int, due int64) error {
	if err := s.scan(p, 0, due, s.tally.add); err != nil {
		return err
	}
	if err := s.scan(p, due, s.layout.Capacity, s.tally.addBeyond); err != nil {
		return err
	}
	if s.tally.begunBeyond > 0 {
		return fmt.Errorf("ledger: producer %d began %d messages beyond the %d that were due: say how many were due, or how many were begun", p, s.tally.begunBeyond, due)
	}
	if s.tally.broken != "" {
		return fmt.Errorf("ledger: producer %d has %s", p, s.tally.broken)
	}
	return nil
}

// scan visits the sequences first ≤ s < end in runs of one signature.
func (s *settler) scan(p int, first, end int64, visit func(signature, int64)) error {
	window := int64(len(s.addend))
	for ; first < end; first += window {
		n := int(min(window, end-first))
		data, err := s.load(p, first, n)
		if err != nil {
			return err
		}
		if !data {
			visit(0, int64(n))
			continue
		}
		s.runs(n, visit)
	}
	return nil
}

// load fills the first n bytes of every plane's buffer. It reports false when
// they are all zero.
func (s *settler) load(p int, first int64, n int) (bool, error) {
	index := int64(p)*s.layout.Capacity + first
	some, err := s.fill(outcomeByte, s.outcomes[p], first, n)
	if err != nil {
		return false, err
	}
	for i, source := range s.audited {
		data, err := s.fill(copiesByte+i, source, index, n)
		if err != nil {
			return false, err
		}
		some = some || data
	}
	executions := s.buffers[executionsByte][:n]
	clear(executions)
	for _, source := range s.effects {
		addend := s.addend[:n]
		data, err := source.read(addend, index)
		if err != nil {
			return false, err
		}
		if data {
			addSaturating(executions, addend)
			some = true
		}
	}
	return some, nil
}

func (s *settler) fill(plane int, source *source, offset int64, n int) (bool, error) {
	buf := s.buffers[plane][:n]
	data, err := source.read(buf, offset)
	if !data {
		clear(buf)
	}
	return data, err
}

// runs visits the first n messages of the buffers. Eight messages whose eight
// signatures are equal, which is nearly all of them, are compared as words.
func (s *settler) runs(n int, visit func(signature, int64)) {
	var run signature
	var length int64
	extend := func(sig signature, n int64) {
		if sig != run {
			if length > 0 {
				visit(run, length)
			}
			run, length = sig, 0
		}
		length += n
	}
	i := 0
	for ; i+8 <= n; i += 8 {
		var sig, differ uint64
		for k := range s.buffers {
			word := binary.LittleEndian.Uint64(s.buffers[k][i:])
			differ |= word ^ bits.RotateLeft64(word, 8) // 0: eight times the same byte
			sig |= word & (0xff << (8 * k))
		}
		if differ == 0 {
			extend(signature(sig), 8)
			continue
		}
		for j := i; j < i+8; j++ {
			extend(s.signature(j), 1)
		}
	}
	for ; i < n; i++ {
		extend(s.signature(i), 1)
	}
	if length > 0 {
		visit(run, length)
	}
}

func (s *settler) signature(i int) signature {
	var sig signature
	for k := range s.buffers {
		sig |= signature(s.buffers[k][i]) << (8 * k)
	}
	return sig
}

// addSaturating adds the bytes of addend to those of sum, up to the ceiling.
func addSaturating(sum, addend []byte) {
	const carries = 0x8080808080808080
	i := 0
	for ; i+8 <= len(sum); i += 8 {
		a, b := binary.LittleEndian.Uint64(sum[i:]), binary.LittleEndian.Uint64(addend[i:])
		if (a|b)&carries == 0 { // no byte can overflow into its neighbour
			binary.LittleEndian.PutUint64(sum[i:], a+b)
			continue
		}
		for j := i; j < i+8; j++ {
			sum[j] = byte(min(int(sum[j])+int(addend[j]), ceiling))
		}
	}
	for ; i < len(sum); i++ {
		sum[i] = byte(min(int(sum[i])+int(addend[i]), ceiling))
	}
}
