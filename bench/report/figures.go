package report

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"io/fs"
	"path"
	"slices"
	"strings"

	"deliverybench/bench/result"
)

// figure is a chart of the run's folder.
type figure struct {
	file  string // "charts/latency-crash.svg"
	kind  string // "Latency"
	title string // the finding
	about string // its conditions
	svg   []byte
}

// alt is the figure in words, for those who do not see it.
func (f figure) alt() string {
	words := orElse(f.kind, "A") + " chart: " + f.title
	if f.about != "" {
		words += ". " + f.about
	}
	return words
}

// kinds are the charts by the beginnings of their files' names, in the order in
// which a report shows them: what a decision is made on, what it cost, whether it
// held, then the detail.
func kinds() [][2]string {
	return [][2]string{
		{"tradeoff", "Cost against safety"}, {"scaling", "Scaling"}, {"knee", "Knee"}, {"throughput", "Throughput"}, {"heatmap", "Heat map"},
		{"losses", "Losses"}, {"latency", "Latency"}, {"timeline", "Timeline"},
	}
}

// figures are the charts in folder, by kind and then as the profile orders its
// scenarios and cells. A nil folder has none.
func figures(run *result.Run, folder fs.FS) ([]figure, error) {
	if folder == nil {
		return nil, nil
	}
	files, err := fs.Glob(folder, result.ChartsFolder+"/*.svg")
	if err != nil {
		return nil, err
	}
	var out []figure
	for _, file := range files {
		if strings.HasSuffix(file, "-dark.svg") {
			continue // another's drawing for dark paper; a page makes its own of the light ones
		}
		svg, err := fs.ReadFile(folder, file)
		if err != nil {
			return nil, err
		}
		f := figure{file: file, svg: svg, title: strings.ReplaceAll(stem(file), "-", " ")}
		if title, about := describe(svg); title != "" {
			f.title, f.about = title, about
		}
		if rank := kindOf(file); rank < len(kinds()) {
			f.kind = kinds()[rank][1]
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b figure) int {
		return cmp.Or(cmp.Compare(kindOf(a.file), kindOf(b.file)), cmp.Compare(place(run, a.file), place(run, b.file)),
			cmp.Compare(len(a.file), len(b.file)), cmp.Compare(a.file, b.file))
	})
	return out, nil
}

func stem(file string) string { return strings.TrimSuffix(path.Base(file), ".svg") }

// kindOf is the rank of a chart's kind.
func kindOf(file string) int {
	name, _, _ := strings.Cut(stem(file), "-")
	if i := slices.IndexFunc(kinds(), func(k [2]string) bool { return k[0] == name }); i >= 0 {
		return i
	}
	return len(kinds())
}

// place is where the chart's scenario and cell stand in the profile; further
// pages of a chart ("-2") stand behind its first.
func place(run *result.Run, file string) int {
	_, name, _ := strings.Cut(stem(file), "-")
	page := 0
	for i, scenario := range run.Run.Scenarios {
		scenario = result.FileName(scenario)
		if name == scenario {
			return i * (len(run.Cells) + 1)
		}
		if strings.HasPrefix(name, scenario+"-") {
			page = i * (len(run.Cells) + 1)
		}
		for j := range run.Cells {
			if name == result.FileName(run.Cells[j].Name+"-")+scenario {
				return i*(len(run.Cells)+1) + j
			}
		}
	}
	return page
}

// describe reads the title and description that stand first in a chart's SVG.
func describe(svg []byte) (title, about string) {
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err != nil {
			return plain(title), plain(about)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		var text string
		switch start.Name.Local {
		case "svg":
			continue
		case "title", "desc":
			if err := d.DecodeElement(&text, &start); err != nil {
				return plain(title), plain(about)
			}
		default:
			return plain(title), plain(about)
		}
		if start.Name.Local == "title" {
			title = text
		} else {
			about = text
		}
	}
}
