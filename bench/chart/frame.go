package chart

import (
	"fmt"
	"strings"

	"deliverybench/bench/result"
	"deliverybench/bench/stats"

	"gonum.org/v1/plot/vg"
)

// margin is kept free on every side.
const margin = 50

// caveat stands inside every chart of speeds that a broker gave which shares the
// machine with the load.
func caveat(e result.Environment) string {
	switch {
	case e.Broker.Kind == "embedded":
		return "Embedded broker: not your cluster's speeds"
	case e.Broker.SharesHost:
		return "Broker and load share " + stats.Plural(e.Cores, "core")
	}
	return ""
}

// frame paints what every chart has around its data (title, conditions, what is
// not shown, provenance) and returns the rectangle that is left.
func frame(p *pen, run *result.Run, f figure, height vg.Length) vg.Rectangle {
	p.box(0, 0, Width, height, paper)
	const inside = Width - 2*margin
	y := height - margin - 8
	for _, line := range p.wrap(f.title, titleSize, inside, 2) {
		p.text(margin, y, line, titleSize, ink, left)
		y -= 1.25 * titleSize
	}
	y += 4
	chip := vg.Length(0)
	if text := caveat(run.Environment); f.speed && text != "" {
		chip = p.width(text, tickSize) + 40
		p.outline(Width-margin-chip+12, y-16, Width-margin, y+16, 1.5, bad)
		p.text(Width-margin-(chip-12)/2, y, text, tickSize, bad, centre)
	}
	for _, line := range p.wrap(f.conditions, textSize, inside-chip, 3) {
		p.text(margin, y, line, textSize, faded, left)
		y -= 1.35 * textSize
	}
	bottom := vg.Length(margin - 18)
	lines := p.wrap(provenance(run), footerSize, inside, 3)
	for i := len(lines) - 1; i >= 0; i-- {
		p.text(margin, bottom, lines[i], footerSize, faded, left)
		bottom += 1.4 * footerSize
	}
	p.line(margin, bottom, Width-margin, bottom, 1, rule)
	lines = nil
	if note := f.note(); note != "" {
		lines = p.wrap(note, tickSize, inside, 3)
		bottom += 8
	}
	for i := len(lines) - 1; i >= 0; i-- {
		bottom += 0.7 * tickSize
		p.text(margin, bottom, lines[i], tickSize, faded, left)
		bottom += 0.7 * tickSize
	}
	return vg.Rectangle{Min: vg.Point{X: margin, Y: bottom + 14}, Max: vg.Point{X: Width - margin, Y: y}}
}

// note says what the figure lacks.
func (f figure) note() string {
	var parts []string
	if f.omitted != "" {
		what := "Not shown: "
		if f.striped {
			what = "Omitted: "
		}
		parts = append(parts, what+f.omitted)
	}
	if f.unfinished != "" {
		parts = append(parts, "Unfinished: "+f.unfinished)
	}
	return strings.Join(parts, ". ")
}

// provenance says where the numbers come from: program, profile, date, broker, client, machine.
func provenance(run *result.Run) string {
	h, e := run.Run, run.Environment
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	add("Profile %s (sha256 %.8s)", h.Profile, h.ProfileSHA256)
	add("%s", h.Started.UTC().Format("2 January 2006, 15:04 UTC"))
	broker := strings.TrimSpace(e.Broker.Kind + " " + e.Broker.Version)
	nodes := "1 node"
	if e.Broker.Nodes > 1 {
		nodes = fmt.Sprintf("%d nodes", e.Broker.Nodes)
	}
	where := ""
	if e.Broker.SharesHost {
		where = ", on the load's machine"
	}
	add("broker: %s, %s%s", broker, nodes, where)
	add("client: %s, librdkafka %s", e.Client, e.Librdkafka)
	add("machine: %d cores, %s, %s", e.Cores, e.CPU, e.OS)
	add("deliverybench %s", h.Version)
	return strings.Join(parts, "  ·  ")
}
