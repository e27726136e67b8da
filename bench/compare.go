package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"

	"deliverybench/bench/comparison"
	"deliverybench/bench/report"
	"deliverybench/bench/result"
)

// comparing registers the flags of the compare verb.
func (f *flags) comparing(set *flag.FlagSet) {
	set.Var(&f.gates, "fail-if", "end with exit code 3 where a `bound` is passed, such as 'end_to_end.p99 > +10%', 'pipeline_per_second < -10%', 'lost > +0'; may be given several times")
	set.BoolVar(&f.json, "json", false, "print the comparison as JSON instead of tables")
}

// compare sets two saved runs side by side, the earlier one first.
func (p *program) compare(args []string) int {
	var f flags
	var dirs []string
	code, ended := p.read("compare", &f, args, func(positional []string) error {
		if len(positional) != 2 {
			return errors.New("compare takes two folders of runs, the base first, for example results/semantics-20261120T101500Z results/semantics-20261121T101500Z")
		}
		dirs = positional
		return nil
	})
	if ended {
		return code
	}
	var gates []comparison.Gate
	for _, text := range f.gates {
		gate, err := comparison.ParseGate(text)
		if err != nil {
			return p.usage("-fail-if %v", err)
		}
		gates = append(gates, gate)
	}
	var runs [2]*result.Run
	for i, dir := range dirs {
		var err error
		if _, runs[i], err = result.Open(dir); err != nil {
			return p.usage("%v", err)
		}
	}
	c := comparison.Compare(runs[0], runs[1])
	var judged []comparison.Judged
	for _, gate := range gates {
		judged = append(judged, c.Judge(gate)...)
	}
	if err := p.printComparison(&f, c, judged); err != nil {
		return p.failed(fmt.Errorf("write the comparison: %w", err))
	}
	return gateCode(judged)
}

func (p *program) printComparison(f *flags, c *comparison.Comparison, judged []comparison.Judged) error {
	if f.json {
		return c.Encode(p.stdout, judged)
	}
	return report.Comparison(p.stdout, c, judged, p.tableOptions())
}

func gateCode(judged []comparison.Judged) int {
	came := func(o comparison.Outcome) bool {
		return slices.ContainsFunc(judged, func(j comparison.Judged) bool { return j.Outcome == o })
	}
	switch {
	case came(comparison.Failed):
		return exitNotMet
	case came(comparison.Inconclusive):
		return exitInconclusive
	}
	return exitMet
}
