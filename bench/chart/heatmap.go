package chart

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// dimension is what varies between cells: the arm, or a setting of the matrix.
type dimension struct {
	setting string // "" is the arm
	short   string // "acks"; "" for the arm
	values  []string
}

func (d dimension) of(c *result.Cell) string {
	if d.setting == "" {
		return c.Arm
	}
	return c.Matrix[d.setting]
}

// name is a value as it is written: "acks=all", "exactly-once".
func (d dimension) name(value string) string {
	if d.setting == "" {
		return value
	}
	return d.short + "=" + value
}

// grid is a matrix laid out: rows and columns of tiles, in a panel for every
// combination of what is left.
type grid struct {
	rows, columns dimension
	panels        []panel
}

// panel is a combination of the further dimensions and its cells by row and
// column; nil where the matrix has none.
type panel struct {
	title string
	cells [][]*result.Cell
}

// heat is what the tiles of a figure show.
type heat struct {
	key      string // what the colours mean
	of       func(*result.Cell) (value float64, text string)
	write    func(float64) string    // an end of the scale
	scale    scale                   // of the colours: a is the darkest's place in the ramp, b the brightest's
	none     bool                    // 0 has a colour of its own, and so has broken
	why      map[*result.Cell]string // in a word, where there is no number
	scenario string
}

// broken is the value of a tile without damage whose promise was violated.
const broken = -1

// heatFigures draw a run whose matrix varies two settings or more: what its cells
// cost, and what every scenario with faults did to them.
func heatFigures(run *result.Run) []figure {
	g, ok := newGrid(run)
	if !ok {
		return nil
	}
	var figures []figure
	if of, ok := priced(run); ok {
		if f, h, ok := costFigure(run, of); ok {
			figures = append(figures, heatPages(run, g, h, f)...)
		}
	}
	for _, scenario := range scenarios(run) {
		if f, h, ok := damageFigure(run, scenario); ok {
			figures = append(figures, heatPages(run, g, h, f)...)
		}
	}
	return figures
}

// newGrid lays the matrix out: the arms as rows, the setting with the most values
// as columns. ok is false for fewer than two settings that vary.
func newGrid(run *result.Run) (g grid, ok bool) {
	all := dimensions(run)
	settings := len(all)
	if settings > 0 && all[0].setting == "" {
		settings--
	}
	if settings < 2 {
		return grid{}, false
	}
	most := func(of []dimension) int {
		at := 0
		for i, d := range of {
			if len(d.values) > len(of[at].values) {
				at = i
			}
		}
		return at
	}
	take := func(at int) dimension {
		d := all[at]
		all = slices.Delete(all, at, at+1)
		return d
	}
	g.rows = take(0)
	if g.rows.setting != "" { // one arm: two settings face each other
		all = append([]dimension{g.rows}, all...)
		g.rows = take(most(all))
	}
	g.columns = take(most(all))
	g.panels = newPanels(run, g, all)
	return g, true
}

// dimensions are those with more than one value, the arm first.
func dimensions(run *result.Run) []dimension {
	arm, settings := dimension{}, map[string]*dimension{}
	for i := range run.Cells {
		c := &run.Cells[i]
		arm.values = addNew(arm.values, c.Arm)
		for name, value := range c.Matrix {
			if settings[name] == nil {
				settings[name] = &dimension{setting: name}
			}
			settings[name].values = addNew(settings[name].values, value)
		}
	}
	all := []dimension{arm}
	names := slices.Sorted(maps.Keys(settings))
	for _, name := range names {
		d := *settings[name]
		d.short = result.ShortSetting(name, names)
		all = append(all, d)
	}
	return slices.DeleteFunc(all, func(d dimension) bool { return len(d.values) < 2 })
}

func addNew(to []string, value string) []string {
	if slices.Contains(to, value) {
		return to
	}
	return append(to, value)
}

// newPanels has a panel for every combination of the dimensions that are left.
func newPanels(run *result.Run, g grid, left []dimension) []panel {
	combinations := [][]string{nil}
	for _, d := range left {
		var longer [][]string
		for _, c := range combinations {
			for _, value := range d.values {
				longer = append(longer, append(slices.Clone(c), value))
			}
		}
		combinations = longer
	}
	var panels []panel
	for _, combination := range combinations {
		var names []string
		for i, d := range left {
			names = append(names, d.name(combination[i]))
		}
		made := panel{title: strings.Join(names, ", ")}
		for _, row := range g.rows.values {
			var cells []*result.Cell
			for _, column := range g.columns.values {
				at := slices.IndexFunc(run.Cells, func(c result.Cell) bool {
					for i, d := range left {
						if d.of(&c) != combination[i] {
							return false
						}
					}
					return g.rows.of(&c) == row && g.columns.of(&c) == column
				})
				if at < 0 {
					cells = append(cells, nil)
					continue
				}
				cells = append(cells, &run.Cells[at])
			}
			made.cells = append(made.cells, cells)
		}
		panels = append(panels, made)
	}
	return panels
}

// costFigure is what the cells cost.
func costFigure(run *result.Run, of price) (figure, heat, bool) {
	compared, order := costComparisons(run, of)
	h, points, ok := costHeat(run, of, compared)
	if !ok {
		return figure{}, heat{}, false
	}
	better := "faster"
	if !of.rate {
		better = "sooner"
	}
	return figure{
		name: "heatmap-" + of.scenario, title: costTitle(run, of, compared, order), speed: true,
		conditions: sentence(fmt.Sprintf("Scenario %s: %s", of.scenario, load(run, of.scenario)), repeats(run, of.scenario),
			"brighter is "+better, comparisonMarks(compared)),
		points: points,
	}, h, true
}

// costHeat colours every cell by its cost beside the baseline's, or where nothing
// can be compared by the cost itself. ok is false where two cells have no number.
func costHeat(run *result.Run, of price, compared map[*result.Cell]stats.Comparison) (h heat, points [][]string, ok bool) {
	values, texts := map[*result.Cell]float64{}, map[*result.Cell]string{}
	lo, hi := math.Inf(1), 0.0
	for i := range run.Cells {
		c := &run.Cells[i]
		costs := of.of(c)
		if len(costs) == 0 || leftOut(c, of.scenario) {
			continue
		}
		median, ratio, p := of.summarise(costs).Median, "", ""
		comparison, ok := compared[c]
		switch {
		case ok:
			values[c], texts[c] = comparison.Ratio, comparison.String()
			if !comparison.Significant && comparison.Missing == 0 {
				values[c] = 1 // a difference that was not found has no colour
			}
			ratio, p = exact(comparison.Ratio), exact(comparison.P)
		case len(compared) == 0:
			values[c], texts[c] = median, of.amount(median)
		case isBaseline(run, c):
			values[c], texts[c] = 1, "base"
		}
		if value, ok := values[c]; ok {
			lo, hi = min(lo, value), max(hi, value)
		}
		points = append(points, []string{c.Name, of.scenario, of.metric(), exact(median), ratio, p, "", "", ""})
	}
	why := map[*result.Cell]string{}
	for i := range run.Cells {
		if c := &run.Cells[i]; len(completed(c, of.scenario)) > 0 {
			why[c] = of.uncompared(run, c)
		}
	}
	h = heat{why: why, key: of.noun() + " ÷ " + run.Run.Baseline + "'s", scale: scale{lo: lo, hi: hi, a: 0, b: 1, log: true}, scenario: of.scenario,
		of: func(c *result.Cell) (float64, string) { return values[c], texts[c] }, write: stats.Ratio}
	if len(compared) == 0 {
		h.key, h.write = of.noun(), of.amount
	}
	if !of.rate {
		h.scale.a, h.scale.b = 1, 0
	}
	return h, points, len(values) >= 2 && lo > 0
}

// costComparisons set the cells that have a baseline beside it.
func costComparisons(run *result.Run, of price) (compared map[*result.Cell]stats.Comparison, order []*result.Cell) {
	compared = map[*result.Cell]stats.Comparison{}
	for i := range run.Cells {
		c := &run.Cells[i]
		if comparison := of.compare(run, c); comparison != nil {
			compared[c] = *comparison
			order = append(order, c)
		}
	}
	return compared, order
}

// comparisonMarks explains the marks that occur.
func comparisonMarks(compared map[*result.Cell]stats.Comparison) string {
	same, few := "", ""
	for _, c := range compared {
		switch {
		case c.Significant:
		case c.Missing > 0:
			few = "? too few repeats to tell"
		default:
			same = "~ no significant difference"
		}
	}
	return sentence(same, few)
}

func costTitle(run *result.Run, of price, compared map[*result.Cell]stats.Comparison, order []*result.Cell) string {
	if c := significant(compared, order); c != nil {
		return fmt.Sprintf("%s: %s× the %s of %s", label(c), stats.Ratio(compared[c].Ratio), of.noun(), label(baselineOf(run, c)))
	}
	what := "Throughput"
	if !of.rate {
		what = of.noun()
	}
	for _, c := range order {
		switch {
		case compared[c].Significant: // by itself, but not among so many
			return what + " of all combinations"
		case compared[c].Missing > 0:
			return what + ": too few repeats to tell the cells apart"
		}
	}
	if len(order) == 0 {
		return what + " of all combinations"
	}
	return what + ": no difference to " + run.Run.Baseline + " detected"
}

// damageFigure colours every cell by what a fault lost and duplicated in it.
func damageFigure(run *result.Run, scenario string) (figure, heat, bool) {
	if !strikes(run, scenario) {
		return figure{}, heat{}, false
	}
	h := heat{key: "messages per fault", none: true, write: amount, scenario: scenario, why: map[*result.Cell]string{}}
	values, texts := map[*result.Cell]float64{}, map[*result.Cell]string{}
	var points [][]string
	var left []string
	var met []harm
	var counts []int
	few, most, unhurt := math.Inf(1), 0.0, 0
	for i := range run.Cells {
		c := &run.Cells[i]
		one := harmOf(c, scenario)
		if why := one.unseen(c, scenario); why != "" {
			h.why[c] = why
			continue
		}
		left = append(left, one.left(c))
		met, counts = append(met, one), append(counts, len(judgedTrials(c, scenario)))
		points = append(points, []string{c.Name, scenario, "messages_per_fault", "", "", "", exact(one.lost.mean), exact(one.duplicates.mean), exact(one.strays.mean)})
		switch {
		case one.counted():
			few, most = min(few, one.sum()), max(most, one.sum())
			values[c], texts[c] = one.sum(), tileDamage(one)
		case one.violated:
			values[c], texts[c] = broken, "violated"
		case one.safe():
			unhurt++
			values[c], texts[c] = 0, "0"
		default:
			h.why[c] = string(one.unfinished[0].Status)
		}
	}
	if len(met) == 0 {
		return figure{}, heat{}, false
	}
	title := fmt.Sprintf("%d of %d combinations lost and duplicated nothing in %s", unhurt, len(met), faultsIn(scenario, met))
	if unhurt == len(met) {
		title = fmt.Sprintf("None of %d combinations lost or duplicated anything in %s", len(met), faultsIn(scenario, met))
	}
	if most == 0 {
		few, most = 1, 1
	}
	h.scale = scale{lo: few, hi: most, a: 1, b: 0, log: true}
	h.of = func(c *result.Cell) (float64, string) { return values[c], texts[c] }
	return figure{
		name: "heatmap-" + scenario, title: title, unfinished: sentence(left...),
		conditions: sentence(fmt.Sprintf("Scenario %s: lost and duplicated messages per fault that fired", scenario), repeatsOf(counts), "brighter is less damage", tileMarks(met)),
		points:     points,
	}, h, true
}

// tileMarks explains what stands in tiles and is rare.
func tileMarks(met []harm) string {
	stray, bound, violated := "", "", ""
	for _, h := range met {
		switch {
		case h.strays.mean > 0:
			stray = "stray: aborted or without a row, and delivered"
		case !h.counted() && h.violated:
			violated = "violated: the promise, with nothing lost or duplicated"
		}
		if h.bound && h.counted() {
			bound = boundMark
		}
	}
	return sentence(stray, violated, bound)
}

// tileDamage is "3 lost", "250 twice" or "3 lost, 80 twice".
func tileDamage(h harm) string {
	var parts []string
	for _, part := range []struct {
		damage
		word string
	}{{h.lost, "lost"}, {h.duplicates, "twice"}, {h.strays, "stray"}} {
		if part.mean > 0 {
			parts = append(parts, atLeast(h.bound)+amount(part.mean)+" "+part.word)
		}
	}
	return strings.Join(parts, ", ")
}

// heatPages adds to a figure what all heat maps share, and makes as many of it as
// its tiles need to be read.
func heatPages(run *result.Run, g grid, h heat, f figure) (figures []figure) {
	f.omitted, f.striped = omitted(run, h.scenario), true
	f.header = []string{"cell", "scenario", "metric", "median", "ratio_to_baseline", "p_value", "lost_per_fault", "duplicates_per_fault", "strays_per_fault"}
	parts := g.parts()
	for i, part := range parts {
		one := f
		if i > 0 {
			one.name = fmt.Sprintf("%s-%d", f.name, i+1)
		}
		if len(parts) > 1 {
			one.conditions = sentence(fmt.Sprintf("Part %d of %d", i+1, len(parts)), f.conditions)
		}
		one.points = slices.DeleteFunc(slices.Clone(f.points), func(point []string) bool { return !part.has(point[0]) })
		one.room = part.room()
		one.paint = func(p *pen, body vg.Rectangle) { paintHeat(p, body, part, h) }
		figures = append(figures, one)
	}
	return figures
}

// missing says in a word why a cell has no number.
func (h heat) missing(c *result.Cell) string {
	switch {
	case c == nil:
		return "excluded"
	case c.Omitted != "":
		return string(result.Omitted)
	}
	if leftOut(c, h.scenario) {
		return string(result.Omitted)
	}
	if why, ok := h.why[c]; ok {
		word, _, _ := strings.Cut(why, ":")
		return word
	}
	word, _, _ := strings.Cut(absence(c, h.scenario), ":")
	return word
}
