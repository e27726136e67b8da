package chart

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"unicode/utf16"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/sfnt"
)

// family is what the SVGs call their typeface: a part of Liberation Sans, whose
// licence reserves that name for the whole.
const family = "Deliverybench Sans"

// notice stands in every cut typeface, as its licence asks.
const notice = "Part of Liberation Sans. Copyright (c) 2012 Red Hat, Inc. SIL Open Font License 1.1: https://openfontlicense.org"

// fontFace is the style sheet's rule for a typeface of the given characters alone.
// It depends on nothing but their set.
func fontFace(characters map[rune]bool) (string, error) {
	cut, err := cutTypeface(liberationsansregular.TTF, slices.Sorted(maps.Keys(characters)))
	if err != nil {
		return "", err
	}
	return "\t\t@font-face{\n" +
		"\t\t\tfont-family:\"" + family + "\";\n" +
		"\t\t\tfont-weight:normal;font-style:normal;\n" +
		"\t\t\tsrc: url(data:font/ttf;charset=utf-8;base64," + base64.StdEncoding.EncodeToString(cut) + ") format(\"truetype\");\n" +
		"\t\t}\n", nil
}

// sourceTypeface is a TrueType file by its tables, with the places of its glyphs.
type sourceTypeface struct {
	tables map[string][]byte
	places []uint32 // in glyf, one more than there are glyphs
}

// cutTypeface makes a TrueType file of the glyphs of the sorted characters, the
// pairs that are set closer, and the advance widths. Instructions that fit
// glyphs to coarse pixels are left out. A character that ttf has no glyph for is
// left out too. The tables are described in ISO/IEC 14496-22 (Open Font Format).
func cutTypeface(ttf []byte, characters []rune) ([]byte, error) {
	source, err := readTypeface(ttf)
	if err != nil {
		return nil, err
	}
	parsed, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("reading the typeface: %w", err)
	}
	glyphs := []uint16{0} // by their new numbers; the first stands for what has none
	numbers := map[uint16]uint16{0: 0}
	number := func(old uint16) uint16 {
		if _, ok := numbers[old]; !ok {
			numbers[old] = uint16(len(glyphs))
			glyphs = append(glyphs, old)
		}
		return numbers[old]
	}
	var mapped [][2]uint32
	for _, r := range characters {
		old, err := parsed.GlyphIndex(nil, r)
		if err != nil {
			return nil, fmt.Errorf("looking %q up in the typeface: %w", r, err)
		}
		if old != 0 {
			mapped = append(mapped, [2]uint32{uint32(r), uint32(number(uint16(old)))})
		}
	}
	var glyf, loca []byte
	for i := 0; i < len(glyphs); i++ { // glyphs grows by the parts of composed ones
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		glyf = append(glyf, source.glyph(glyphs[i], number)...)
		glyf = pad(glyf)
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	source.tables["glyf"], source.tables["loca"] = glyf, loca
	source.renumber(glyphs, numbers, mapped)
	return source.write(), nil
}

func readTypeface(ttf []byte) (*sourceTypeface, error) {
	if len(ttf) < 12 {
		return nil, fmt.Errorf("a typeface of %d bytes", len(ttf))
	}
	s := &sourceTypeface{tables: map[string][]byte{}}
	for i := range int(binary.BigEndian.Uint16(ttf[4:])) {
		entry := ttf[12+16*i:]
		offset, length := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		s.tables[string(entry[:4])] = slices.Clone(ttf[offset : offset+length])
	}
	loca := s.tables["loca"]
	long := binary.BigEndian.Uint16(s.tables["head"][50:]) == 1
	for i := range int(binary.BigEndian.Uint16(s.tables["maxp"][4:])) + 1 {
		if long {
			s.places = append(s.places, binary.BigEndian.Uint32(loca[4*i:]))
		} else {
			s.places = append(s.places, 2*uint32(binary.BigEndian.Uint16(loca[2*i:])))
		}
	}
	return s, nil
}

// Flags of a part of a composed glyph.
const (
	wordArguments = 1 << 0
	oneScale      = 1 << 3
	moreParts     = 1 << 5
	twoScales     = 1 << 6
	fourScales    = 1 << 7
	instructed    = 1 << 8
)

// glyph is the outline of a glyph without its instructions, its parts numbered anew.
func (s *sourceTypeface) glyph(old uint16, number func(uint16) uint16) []byte {
	g := slices.Clone(s.tables["glyf"][s.places[old]:s.places[old+1]])
	if len(g) == 0 {
		return nil
	}
	const head = 10
	if contours := int(int16(binary.BigEndian.Uint16(g))); contours >= 0 {
		at := head + 2*contours
		length := int(binary.BigEndian.Uint16(g[at:]))
		binary.BigEndian.PutUint16(g[at:], 0)
		return slices.Delete(g, at+2, at+2+length)
	}
	for at := head; ; {
		flags := binary.BigEndian.Uint16(g[at:])
		binary.BigEndian.PutUint16(g[at:], flags&^instructed)
		binary.BigEndian.PutUint16(g[at+2:], number(binary.BigEndian.Uint16(g[at+2:])))
		at += 6
		if flags&wordArguments != 0 {
			at += 2
		}
		switch {
		case flags&oneScale != 0:
			at += 2
		case flags&twoScales != 0:
			at += 4
		case flags&fourScales != 0:
			at += 8
		}
		if flags&moreParts == 0 {
			return g[:at]
		}
	}
}

// renumber rewrites what counts glyphs or names them by number. glyphs are the
// old numbers by the new ones, numbers the reverse, mapped characters and their new numbers.
func (s *sourceTypeface) renumber(glyphs []uint16, numbers map[uint16]uint16, mapped [][2]uint32) {
	count := uint16(len(glyphs))
	widths := int(binary.BigEndian.Uint16(s.tables["hhea"][34:]))
	var hmtx []byte
	for _, old := range glyphs {
		last := min(int(old), widths-1) // those behind it are as wide
		bearing := s.tables["hmtx"][4*last+2:]
		if int(old) >= widths {
			bearing = s.tables["hmtx"][4*widths+2*(int(old)-widths):]
		}
		hmtx = append(hmtx, s.tables["hmtx"][4*last:4*last+2]...)
		hmtx = append(hmtx, bearing[:2]...)
	}
	s.tables["hmtx"] = hmtx
	binary.BigEndian.PutUint16(s.tables["hhea"][34:], count)
	binary.BigEndian.PutUint16(s.tables["maxp"][4:], count)
	binary.BigEndian.PutUint16(s.tables["maxp"][26:], 0) // the longest instructions
	binary.BigEndian.PutUint16(s.tables["head"][50:], 1) // long places
	s.tables["post"] = slices.Concat([]byte{0, 3, 0, 0}, s.tables["post"][4:32])
	s.tables["cmap"] = characterMap(mapped)
	s.tables["kern"] = s.pairs(numbers)
	s.tables["name"] = nameTable()
}

// characterMap is a cmap table with one part, of format 12: runs of characters
// whose glyphs have consecutive numbers.
func characterMap(mapped [][2]uint32) []byte {
	var groups []byte
	for i := 0; i < len(mapped); {
		end := i + 1
		for end < len(mapped) && mapped[end][0]-mapped[i][0] == uint32(end-i) && mapped[end][1]-mapped[i][1] == uint32(end-i) {
			end++
		}
		groups = appendUint32s(groups, mapped[i][0], mapped[end-1][0], mapped[i][1])
		i = end
	}
	made := appendUint16s(nil, 0, 1, 3, 10, 0, 12, 12, 0) // version, parts, Windows, all of Unicode, at 12; format 12
	return append(appendUint32s(made, uint32(16+len(groups)), 0, uint32(len(groups)/12)), groups...)
}

// pairs is a kern table of the pairs that are left; nil without any.
func (s *sourceTypeface) pairs(numbers map[uint16]uint16) []byte {
	const head = 18 // of the table and its only part
	var left [][]byte
	for at := head; at+6 <= len(s.tables["kern"]); at += 6 {
		pair := s.tables["kern"][at : at+6]
		first, ok := numbers[binary.BigEndian.Uint16(pair)]
		second, also := numbers[binary.BigEndian.Uint16(pair[2:])]
		if ok && also {
			left = append(left, append(appendUint16s(nil, first, second), pair[4:]...))
		}
	}
	if len(left) == 0 {
		return nil
	}
	slices.SortFunc(left, func(a, b []byte) int {
		return cmp.Compare(binary.BigEndian.Uint32(a), binary.BigEndian.Uint32(b))
	})
	steps, span := halving(len(left), 6)
	made := appendUint16s(nil, 0, 1, 0, uint16(14+6*len(left)), 1, uint16(len(left)), span, steps, uint16(6*len(left))-span)
	return slices.Concat(append([][]byte{made}, left...)...)
}

// halving is what tables carry for a binary search of count entries of a size.
func halving(count, size int) (steps, span uint16) {
	steps = uint16(bits.Len(uint(count)) - 1)
	return steps, uint16(size) << steps
}

// nameTable says whose work it is and what it is called.
func nameTable() []byte {
	texts := []struct {
		id   uint16
		text string
	}{{0, notice}, {1, family}, {2, "Regular"}}
	made := appendUint16s(nil, 0, uint16(len(texts)), uint16(6+12*len(texts)))
	var stored []byte
	for _, t := range texts {
		encoded := appendUint16s(nil, utf16.Encode([]rune(t.text))...)
		made = appendUint16s(made, 3, 1, 0x409, t.id, uint16(len(encoded)), uint16(len(stored))) // Windows, Unicode, English
		stored = append(stored, encoded...)
	}
	return append(made, stored...)
}

// write puts the tables that a browser needs into a file.
func (s *sourceTypeface) write() []byte {
	names := slices.DeleteFunc([]string{"OS/2", "cmap", "glyf", "head", "hhea", "hmtx", "kern", "loca", "maxp", "name", "post"},
		func(name string) bool { return len(s.tables[name]) == 0 })
	steps, span := halving(len(names), 16)
	binary.BigEndian.PutUint32(s.tables["head"][8:], 0) // the sum over the file, below
	file := appendUint16s([]byte{0, 1, 0, 0}, uint16(len(names)), span, steps, uint16(16*len(names))-span)
	var body []byte
	head := 0
	for _, name := range names {
		place := 12 + 16*len(names) + len(body)
		if name == "head" {
			head = place
		}
		table := pad(s.tables[name])
		file = append(file, name...)
		file = appendUint32s(file, checksum(table), uint32(place), uint32(len(s.tables[name])))
		body = append(body, table...)
	}
	file = append(file, body...)
	const whole = 0xb1b0afba // what the whole file has to add up to
	binary.BigEndian.PutUint32(file[head+8:], whole-checksum(file))
	return file
}

func checksum(padded []byte) (sum uint32) {
	for at := 0; at < len(padded); at += 4 {
		sum += binary.BigEndian.Uint32(padded[at:])
	}
	return sum
}

// pad fills up to a multiple of four bytes.
func pad(table []byte) []byte {
	return append(slices.Clip(table), make([]byte, (4-len(table)%4)%4)...)
}

func appendUint16s(to []byte, values ...uint16) []byte {
	for _, v := range values {
		to = binary.BigEndian.AppendUint16(to, v)
	}
	return to
}

func appendUint32s(to []byte, values ...uint32) []byte {
	for _, v := range values {
		to = binary.BigEndian.AppendUint32(to, v)
	}
	return to
}
