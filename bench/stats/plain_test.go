package stats

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPlain(t *testing.T) {
	require.Equal(t, "a b c", Plain(" a\x1b\n b\u202ec\u2028"))
	require.Equal(t, "a  b  c", Printable("a\x1b\nb\u202e\xffc"))
	require.Equal(t, "日 😀", Plain("日 😀"))
	rapid.Check(t, func(rt *rapid.T) {
		s := Printable(rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(rt, "text"))
		var out struct {
			Text string `xml:",chardata"`
		}
		made, err := xml.Marshal(struct {
			XMLName xml.Name `xml:"t"`
			Text    string   `xml:",chardata"`
		}{Text: s})
		require.NoError(rt, err)
		require.NoError(rt, xml.Unmarshal(made, &out))
		require.Equal(rt, s, out.Text)
	})
}
