package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
)

// drawing is a chart as it stands in a page: its own elements, without the font,
// which the page has once for all of them.
type drawing struct {
	svg   string
	fonts []string // @font-face rules
}

// A drawing has no more than shapes and texts with these attributes, and styles of
// these properties that refer to nothing.
var (
	shapes     = []string{"g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan"}
	attributes = []string{"d", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "points", "width", "height", "transform"}
	properties = []string{
		"fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
		"opacity", "text-anchor", "font-family", "font-size", "font-style", "font-variant", "font-weight",
	}
	plainValue = regexp.MustCompile(`^[-A-Za-z0-9 #.,%]*$`)
	fontFace   = regexp.MustCompile(`@font-face\{\s*font-family:"[A-Za-z0-9 -]+";[-a-z:;\s]*src: url\(data:font/ttf;charset=utf-8;base64,[A-Za-z0-9+/=]+\) format\("truetype"\);\s*\}`)
)

// inline turns a chart of ours into a part of a page. ok is false when there is
// anything else in it: a picture that somebody put into the folder is shown as an
// image, in which a browser runs nothing.
func inline(svg []byte, alt string) (made drawing, ok bool) {
	var b strings.Builder
	d := xml.NewDecoder(bytes.NewReader(svg))
	root := true
	for {
		token, err := d.Token()
		if err == io.EOF {
			made.svg = b.String()
			return made, !root
		}
		if err != nil {
			return drawing{}, false
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch name := token.Name.Local; {
			case root && name == "svg":
				root = false
				fmt.Fprintf(&b, `<svg role="img" aria-label="%s" viewBox="%s">`, html.EscapeString(alt), html.EscapeString(attribute(token, "viewBox")))
			case root:
				return drawing{}, false
			case name == "defs":
				if made.fonts, ok = fonts(d); !ok {
					return drawing{}, false
				}
			case name == "title" || name == "desc": // the label says it, and a title would follow the pointer
				if d.Skip() != nil {
					return drawing{}, false
				}
			case slices.Contains(shapes, name):
				if !copyShape(&b, token) {
					return drawing{}, false
				}
			default:
				return drawing{}, false
			}
		case xml.EndElement:
			b.WriteString("</" + token.Name.Local + ">\n")
		case xml.CharData:
			b.WriteString(html.EscapeString(strings.TrimSpace(string(token))))
		}
	}
}

// copyShape writes an element's beginning, if it has nothing but known attributes.
// What its style says becomes attributes as well: the page's policy allows no
// styles but its own, and its own find the colours there.
func copyShape(b *strings.Builder, e xml.StartElement) bool {
	b.WriteString("<" + e.Name.Local)
	for _, a := range e.Attr {
		switch {
		case a.Name.Space != "":
			return false
		case a.Name.Local == "style":
			if !copyStyle(b, a.Value) {
				return false
			}
		case slices.Contains(attributes, a.Name.Local):
			fmt.Fprintf(b, ` %s="%s"`, a.Name.Local, html.EscapeString(a.Value))
		default:
			return false
		}
	}
	b.WriteString(">")
	return true
}

// copyStyle writes a style's properties as attributes, but for those that say what
// goes without saying.
func copyStyle(b *strings.Builder, style string) bool {
	for declaration := range strings.SplitSeq(style, ";") {
		name, value, found := strings.Cut(declaration, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case name == "" && !found, value == "normal" && slices.Contains(properties, name):
		case slices.Contains(properties, name) && plainValue.MatchString(value):
			fmt.Fprintf(b, ` %s="%s"`, name, value)
		default:
			return false
		}
	}
	return true
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// fonts reads definitions, which are to be font faces alone.
func fonts(d *xml.Decoder) (faces []string, ok bool) {
	var definitions struct {
		Style string `xml:"style"`
		Other []struct {
			XMLName xml.Name
		} `xml:",any"`
	}
	if err := d.DecodeElement(&definitions, &xml.StartElement{Name: xml.Name{Local: "defs"}}); err != nil || len(definitions.Other) > 0 {
		return nil, false
	}
	faces = fontFace.FindAllString(definitions.Style, -1)
	return faces, strings.TrimSpace(fontFace.ReplaceAllString(definitions.Style, "")) == ""
}
