package claim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"deliverybench/bench/profile"
	"deliverybench/bench/result"
)

// Expr is a parsed claim.
type Expr struct {
	text      string
	metric    metric
	op        string
	source    source
	quantity  float64 // source quantity and dueShare: in the metric's unit, or a share of due
	factor    float64 // source setting, predicted, baseline
	setting   string
	other     metric // source count
	promise   result.Promise
	tolerance tolerance
}

// source is where the value that a metric is compared with comes from.
type source int

const (
	fromQuantity  source = iota // written in the claim
	fromDue                     // a share of the trial's due messages
	fromSetting                 // the trial's setting
	fromPredicted               // the sum over the trial's faults
	fromBaseline                // the baseline arm's median
	fromCount                   // another count of the same trial
	fromPromise
)

// tolerance widens == to an interval; a share of the value, or absolute in the metric's unit.
type tolerance struct {
	given    bool
	relative bool
	size     float64
}

// String returns the claim as it was written.
func (e Expr) String() string { return e.text }

// Metric returns the metric's name.
func (e Expr) Metric() string { return e.metric.name }

// Setting returns the dotted setting that the claim compares with, or "".
func (e Expr) Setting() string { return e.setting }

// NeedsBaseline reports whether the claim compares with the baseline arm.
func (e Expr) NeedsBaseline() bool { return e.source == fromBaseline }

// SyntaxError is why an expression is not a claim.
type SyntaxError struct {
	Expression string
	Column     int // of the first character that is wrong, from 1
	Message    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("claim %q, column %d: %s", e.Expression, e.Column, e.Message)
}

// Parse reads a claim's expression; the package comment has the grammar. The
// error is a *SyntaxError, which names the nearest metric for an unknown one.
func Parse(expression string) (Expr, error) {
	p := &parser{text: expression}
	e, err := p.claim()
	if err != nil {
		return Expr{}, err
	}
	return e, nil
}

// parser reads an expression from left to right; pos is in bytes.
type parser struct {
	text string
	pos  int
}

func (p *parser) claim() (Expr, error) {
	e := Expr{text: strings.TrimSpace(p.text), factor: 1}
	p.space()
	at := p.pos
	name := p.word()
	m, ok := findMetric(name)
	switch {
	case name == "":
		return e, p.fail(at, "start with a metric, as in lost == 0")
	case !ok:
		return e, p.fail(at, "no metric %q: the nearest is %s", name, nearest(name, Metrics()))
	}
	e.metric = m
	p.space()
	at = p.pos
	if e.op = p.first("==", "!=", "<=", ">=", "<", ">"); e.op == "" {
		return e, p.fail(at, "write one of == != < <= > >= after %s", name)
	}
	p.space()
	if m.unit == outcome {
		return p.promise(e)
	}
	if err := p.value(&e); err != nil {
		return e, err
	}
	if err := p.plusMinus(&e); err != nil {
		return e, err
	}
	return e, p.end()
}

func (p *parser) promise(e Expr) (Expr, error) {
	at := p.pos
	if e.op != "==" && e.op != "!=" {
		return e, p.fail(at, "a promise is compared with == or !=")
	}
	e.source, e.promise = fromPromise, result.Promise(p.word())
	switch e.promise {
	case result.Held, result.Violated, result.PromiseInconclusive, result.NoPromise:
		return e, p.end()
	}
	return e, p.fail(at, "a promise is held, violated, inconclusive or none")
}

// value reads a quantity or a reference with its factor.
func (p *parser) value(e *Expr) error {
	at := p.pos
	lexeme := p.number()
	if lexeme == "" {
		return p.reference(e)
	}
	if factor, ok := p.factor(lexeme); ok {
		f, err := strconv.ParseFloat(factor, 64)
		if err != nil {
			return p.fail(at, "%q is not a factor: write one such as 1.2", factor)
		}
		e.factor = f
		p.space()
		return p.reference(e)
	}
	q, isShare, err := quantity(lexeme, e.metric.unit)
	if err != nil {
		return p.fail(at, "%v", err)
	}
	e.quantity = q
	switch {
	case isShare && e.metric.unit == counts:
		e.source = fromDue
	case isShare && e.metric.unit != share:
		return p.fail(at, "%s is a share: %s is written such as %s", lexeme, e.metric.name, e.metric.unit.example())
	}
	return nil
}

// factor reports whether the number just read is followed by *, × or x.
func (p *parser) factor(lexeme string) (string, bool) {
	if digits, ok := strings.CutSuffix(lexeme, "x"); ok {
		return digits, true
	}
	mark := p.pos
	p.space()
	if p.first("*", "×") != "" {
		return lexeme, true
	}
	if p.first("x ") != "" {
		return lexeme, true
	}
	p.pos = mark
	return "", false
}

func (p *parser) reference(e *Expr) error {
	at := p.pos
	switch name := p.word(); {
	case name == "":
		return p.fail(at, "compare with a number such as %s, a setting, predicted or 1.2x baseline", e.metric.unit.example())
	case name == "baseline":
		e.source = fromBaseline
	case name == "predicted":
		if foretold[e.metric.name] == nil {
			return p.fail(at, "faults predict %s, not %s", strings.Join(slices.Sorted(maps.Keys(foretold)), ", "), e.metric.name)
		}
		e.source = fromPredicted
	case e.metric.unit == counts && isCount(name):
		e.source = fromCount
		e.other, _ = findMetric(name)
	case !isSetting(name):
		return p.fail(at, "no setting %q: the nearest is %s", name, nearest(name, profile.SettingNames()))
	default:
		e.source, e.setting = fromSetting, name
	}
	return nil
}

func isCount(name string) bool {
	m, found := findMetric(name)
	return found && m.unit == counts
}

// isSetting reports whether name is a setting or a property of one of the free
// librdkafka maps.
func isSetting(name string) bool {
	for _, s := range profile.SettingNames() {
		if name == s || (strings.HasSuffix(s, ".librdkafka") && strings.HasPrefix(name, s+".")) {
			return true
		}
	}
	return false
}

func (p *parser) plusMinus(e *Expr) error {
	p.space()
	at := p.pos
	if p.first("±", "+/-", "+-") == "" {
		return nil
	}
	if e.op != "==" && e.op != "!=" {
		return p.fail(at, "± goes with == or !=, not with %s", e.op)
	}
	p.space()
	at = p.pos
	lexeme := p.number()
	if lexeme == "" {
		return p.fail(at, "write a tolerance after ±, such as 15%%")
	}
	size, isShare, err := quantity(lexeme, e.metric.unit)
	if err != nil {
		return p.fail(at, "%v", err)
	}
	e.tolerance = tolerance{given: true, relative: isShare, size: size}
	return nil
}

func (p *parser) end() error {
	p.space()
	if p.pos < len(p.text) {
		return p.fail(p.pos, "unexpected %q: a claim is metric, comparison, value", p.text[p.pos:])
	}
	return nil
}

func (p *parser) space() {
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

// first consumes the first of options that comes next.
func (p *parser) first(options ...string) string {
	for _, o := range options {
		if strings.HasPrefix(p.text[p.pos:], o) {
			p.pos += len(o)
			return o
		}
	}
	return ""
}

func (p *parser) word() string {
	return p.take(func(i int, c rune) bool {
		return isLetter(c) || (i > 0 && (isDigit(c) || c == '.' || c == '-'))
	})
}

// number reads digits with what is written onto them: 500, 1.5ms, 20000/s, 5%, 1.2x.
func (p *parser) number() string {
	start := p.pos
	lexeme := p.take(func(i int, c rune) bool {
		if i == 0 {
			return isDigit(c) || c == '.'
		}
		return isDigit(c) || isLetter(c) || strings.ContainsRune("./%µμ", c)
	})
	if x := strings.IndexByte(lexeme, 'x'); x >= 0 { // no unit has an x
		p.pos = start + x + 1
		return lexeme[:x+1]
	}
	return lexeme
}

func (p *parser) take(accept func(i int, c rune) bool) string {
	rest := p.text[p.pos:]
	for i, c := range rest {
		if !accept(i, c) {
			rest = rest[:i]
			break
		}
	}
	p.pos += len(rest)
	return rest
}

func (p *parser) fail(at int, format string, args ...any) error {
	column := utf8.RuneCountInString(p.text[:min(at, len(p.text))]) + 1
	return &SyntaxError{Expression: p.text, Column: column, Message: fmt.Sprintf(format, args...)}
}

func isDigit(c rune) bool  { return '0' <= c && c <= '9' }
func isLetter(c rune) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }
