package report

// blocks arranges the groups in as few tables as fit the width: all side by
// side if they do, else one below the other, each with the row labels. A group
// that is too wide by itself is continued in the next block.
func (v *view) blocks(columns int) []block {
	labels := v.fitLabels(columns)
	room := columns - sum(columnWidths(labels)) - gap*len(labels)
	var parts []group
	for _, g := range v.groups {
		parts = append(parts, g.split(room)...)
	}
	promise := 0 // with the gap before it
	if v.all != nil {
		promise = gap + v.all.width()
	}
	var out []block
	current, used := block{labels: labels}, 0
	for i, g := range parts {
		w := g.need(room)
		reserve := 0
		if i == len(parts)-1 {
			reserve = promise
		}
		if len(current.groups) > 0 && used+gap+w+reserve > room {
			out, current, used = append(out, current), block{labels: labels}, 0
		}
		if len(current.groups) > 0 {
			used += gap
		}
		current.groups = append(current.groups, g)
		used += w
	}
	if promise > 0 && used+promise > room { // only the promise is left over
		out, current = append(out, current), block{labels: labels}
	}
	current.last = v.all
	out = append(out, current)
	for i := range out {
		out[i].widen(room)
	}
	return out
}

// split cuts a group whose columns do not fit into room.
func (g group) split(room int) []group {
	var out []group
	part := g
	part.columns = nil
	for _, c := range g.columns {
		if len(part.columns) > 0 && span(columnWidths(append(part.columns[:len(part.columns):len(part.columns)], c))) > room {
			out = append(out, part)
			part.columns = nil
		}
		part.columns = append(part.columns, c)
	}
	return append(out, part)
}

// need is the width of a group with its scenario's whole name over it: the
// reader finds a scenario by that.
func (g group) need(room int) int {
	return max(span(columnWidths(g.columns)), min(width(g.short)+titleFrame, room))
}

// widen gives groups the room that their titles need: a name always, and what
// stands behind the name of a paced one, its rate, while there is room. A fault
// is named in the notes.
func (b *block) widen(room int) {
	used := 0
	for i := range b.groups {
		b.groups[i].widened = b.groups[i].need(room)
		used += b.groups[i].widened + gap
	}
	if b.last != nil {
		used += b.last.width()
	} else {
		used -= gap
	}
	for i := range b.groups {
		g := &b.groups[i]
		if extra := width(g.title) + titleFrame - g.widened; g.kind == paced && extra > 0 && used+extra <= room {
			g.widened += extra
			used += extra
		}
	}
}

// fitLabels shortens the row labels until they leave room for the widest group,
// or half of the width if that is less; the widest is shortened first. Very many
// varied settings stand in one column instead, by the cell's name.
func (v *view) fitLabels(columns int) []column {
	const least = 4
	numbers := 0
	if v.all != nil {
		numbers = v.all.width()
	}
	for _, g := range v.groups {
		numbers = max(numbers, g.need(columns))
	}
	budget := max(columns/2, columns-numbers)
	labels := v.labels
	if len(labels)*(least+gap) > budget {
		labels = []column{{left: true}}
		for _, c := range v.cells {
			labels[0].cells = append(labels[0].cells, plain(c.Name))
		}
	}
	widths := columnWidths(labels)
	for span(widths)+gap > budget {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		widths[widest]--
	}
	var out []column
	for i, c := range labels {
		short := column{header: truncate(c.header, widths[i]), left: c.left}
		for _, cell := range c.cells {
			short.cells = append(short.cells, truncate(cell, widths[i]))
		}
		out = append(out, short)
	}
	return out
}
