package chart

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"pgregory.net/rapid"
)

// TestTheCutTypefaceHasTheSameGlyphs compares outlines, widths and, of the letters,
// the pairs set closer, of any set of characters with the whole typeface's.
func TestTheCutTypefaceHasTheSameGlyphs(t *testing.T) {
	whole, err := sfnt.Parse(liberationsansregular.TTF)
	require.NoError(t, err)
	ppem := fixed.I(int(whole.UnitsPerEm()))
	letters := []rune(" !%()+,-./0123456789:;=?ABCDEFTVWYabcdefghijklmnopqrstuvwxyz·–—×…≈−µÄéŁ†→∞世")
	rapid.Check(t, func(rt *rapid.T) {
		characters := rapid.SliceOfNDistinct(rapid.SampledFrom(letters), 0, len(letters), rapid.ID[rune]).Draw(rt, "characters")
		slices.Sort(characters)
		made, err := cutTypeface(liberationsansregular.TTF, characters)
		require.NoError(rt, err)
		cut, err := sfnt.Parse(made)
		require.NoError(rt, err)
		glyph := func(f *sfnt.Font, r rune) sfnt.GlyphIndex {
			index, err := f.GlyphIndex(nil, r)
			require.NoError(rt, err)
			return index
		}
		for _, r := range letters {
			had, has := glyph(whole, r), glyph(cut, r)
			if !slices.Contains(characters, r) || had == 0 {
				require.Zero(rt, has, "%q is not among %q", r, characters)
				continue
			}
			require.NotZero(rt, has, "%q", r)
			want, err := whole.LoadGlyph(nil, had, ppem, nil)
			require.NoError(rt, err)
			got, err := cut.LoadGlyph(nil, has, ppem, nil)
			require.NoError(rt, err)
			require.Equal(rt, want, got, "the outline of %q", r)
			wide, err := whole.GlyphAdvance(nil, had, ppem, font.HintingNone)
			require.NoError(rt, err)
			is, err := cut.GlyphAdvance(nil, has, ppem, font.HintingNone)
			require.NoError(rt, err)
			require.Equal(rt, wide, is, "the width of %q", r)
		}
	})
}

// A pair that is set closer in the whole typeface is so in the cut one.
func TestTheCutTypefaceSetsPairsCloser(t *testing.T) {
	made, err := cutTypeface(liberationsansregular.TTF, []rune("AMTVo"))
	require.NoError(t, err)
	for _, ttf := range [][]byte{liberationsansregular.TTF, made} {
		f, err := sfnt.Parse(ttf)
		require.NoError(t, err)
		kern := func(a, b rune) int {
			first, err := f.GlyphIndex(nil, a)
			require.NoError(t, err)
			second, err := f.GlyphIndex(nil, b)
			require.NoError(t, err)
			by, err := f.Kern(nil, first, second, fixed.I(int(f.UnitsPerEm())), font.HintingNone)
			if err != nil {
				return 0
			}
			return by.Round()
		}
		require.Equal(t, []int{-152, -227, 0}, []int{kern('A', 'V'), kern('T', 'o'), kern('M', 'o')})
	}
}

// Every table starts at a multiple of four, and the sums are right: a browser
// refuses what is broken without a word.
func TestTheCutTypefaceIsWellFormed(t *testing.T) {
	made, err := cutTypeface(liberationsansregular.TTF, []rune("abé"))
	require.NoError(t, err)
	require.Zero(t, len(made)%4)
	require.Equal(t, uint32(0xb1b0afba), checksum(made))
	require.Less(t, len(made), 3000)
	again, err := cutTypeface(liberationsansregular.TTF, []rune("abé"))
	require.NoError(t, err)
	require.Equal(t, made, again)
	_, err = cutTypeface([]byte("no typeface"), nil)
	require.ErrorContains(t, err, "a typeface of 11 bytes")
}

// requireLetters checks that a typeface's rule has a glyph for each letter of a text.
func requireLetters(t *testing.T, face, text string) {
	t.Helper()
	_, encoded, _ := strings.Cut(face, "base64,")
	encoded, _, _ = strings.Cut(encoded, ")")
	file, err := base64.StdEncoding.DecodeString(encoded)
	require.NoError(t, err)
	f, err := sfnt.Parse(file)
	require.NoError(t, err)
	for _, r := range text {
		index, err := f.GlyphIndex(nil, r)
		require.NoError(t, err)
		require.NotZero(t, index, "%q of %q", r, text)
	}
}
