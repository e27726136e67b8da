package profile

import (
	"encoding"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestUnitsRead(t *testing.T) {
	for text, want := range map[string]Rate{
		"20000/s": 20000, "20k/s": 20000, "1.1k/s": 1100, "1.5M/s": 1.5e6, "0.5/s": 0.5, "max": RateMax, "0/s": 0,
	} {
		var got Rate
		require.NoError(t, got.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]Size{
		"256B": 256, "1KiB": 1024, "1MiB": 1 << 20, "2GiB": 2 << 30, "1KB": 1000, "1MB": 1e6, "1.5KiB": 1536, "0B": 0,
	} {
		var got Size
		require.NoError(t, got.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]Share{"40%": 0.4, "0%": 0, "100%": 1, "7%": 0.07, "0.01%": 0.0001} {
		var got Share
		require.NoError(t, got.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]Moment{
		"50%": {Share: 0.5}, "2s": {Offset: Duration(2 * time.Second)}, "0%": {}, "0s": {},
	} {
		var got Moment
		require.NoError(t, got.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, got, text)
	}
}

func TestUnitsPrint(t *testing.T) {
	for want, value := range map[string]interface{ String() string }{
		"20000/s": Rate(20000), "0.5/s": Rate(0.5), "max": RateMax,
		"256B": Size(256), "1KiB": Size(1024), "1MiB": Size(1 << 20), "10KB": Size(10000), "0B": Size(0),
		"500ms": Duration(500 * time.Millisecond), "1m": Duration(time.Minute), "1h": Duration(time.Hour),
		"1m30s": Duration(90 * time.Second), "10s": Duration(10 * time.Second), "1h10m": Duration(70 * time.Minute),
		"40%": Share(0.4), "7%": Share(0.07), "0%": Share(0), "100%": Share(1), "0.01%": Share(0.0001), "12.5%": Share(0.125),
		"50%": Moment{Share: 0.5}, "2s": Moment{Offset: Duration(2 * time.Second)},
	} {
		require.Equal(t, want, value.String())
	}
}

func TestUnitsRefuse(t *testing.T) {
	for _, c := range []struct {
		value      encoding.TextUnmarshaler
		text, want string
	}{
		{new(Rate), "20000", "20000 has no unit; write 20000/s"},
		{new(Rate), "20k", "20k has no unit; write 20k/s"},
		{new(Rate), "fast", `"fast" is not a rate; write 20000/s, 20k/s or max`},
		{new(Rate), "-5/s", `"-5/s" is not a rate: -5 is negative; write 20000/s, 20k/s or max`},
		{new(Rate), "Inf/s", `"Inf/s" is not a rate: "Inf" is not a number; write 20000/s, 20k/s or max`},
		{new(Rate), "1001M/s", "1001M/s is over 1000M/s; write max for no limit"},
		{new(Size), "256", "256 has no unit; write 256B"},
		{new(Size), "-1B", `"-1B" is not a size: -1 is negative; write 256B, 1KiB or 1MB`},
		{new(Size), "0.3B", "0.3B is not a whole number of bytes up to 8PiB"},
		{new(Size), "big", `"big" is not a size; write 256B, 1KiB or 1MB`},
		{new(Duration), "500", "500 has no unit; write 500ms or 500s"},
		{new(Duration), "-1s", "-1s is negative; a duration is at least 0s"},
		{new(Duration), "soon", `"soon" is not a duration; write 500ms, 2s or 1m30s`},
		{new(Share), "0.4", "0.4 has no unit; write a share in percent, such as 40%"},
		{new(Share), "140%", "140% is over 100%"},
		{new(Share), "-4%", `"-4%" is not a share: -4 is negative; write 0% to 100%`},
		{new(Share), "half", `"half" is not a share; write it in percent, such as 40%`},
		{new(Moment), "50", "50 has no unit; write 50% of the window or 50s"},
		{new(Moment), "101%", "101% is over 100%"},
		{new(Moment), "-1s", "-1s is negative; a duration is at least 0s"},
	} {
		require.EqualError(t, c.value.UnmarshalText([]byte(c.text)), c.want, c.text)
	}
}

func TestMomentIn(t *testing.T) {
	require.Equal(t, time.Second, Moment{Share: 0.5}.In(2*time.Second))
	require.Equal(t, 300*time.Millisecond, Moment{Offset: Duration(300 * time.Millisecond)}.In(2*time.Second))
}

// What is printed reads back as the same value, for every value that can be read.
func TestUnitsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		roundTrip(t, Rate(rapid.Custom(decimalBelow(1e9)).Draw(t, "rate")))
		roundTrip(t, Size(rapid.Int64Range(0, 1<<53).Draw(t, "size")))
		roundTrip(t, Duration(rapid.Int64Min(0).Draw(t, "duration")))
		share := Share(rapid.Custom(decimalBelow(1)).Draw(t, "share"))
		roundTrip(t, share)
		if share > 0 {
			roundTrip(t, Moment{Share: share})
		}
		roundTrip(t, Moment{Offset: Duration(rapid.Int64Min(0).Draw(t, "offset"))})
	})
}

// decimalBelow draws what a user can write: at most 9 decimals.
func decimalBelow(limit float64) func(*rapid.T) float64 {
	return func(t *rapid.T) float64 {
		return float64(rapid.Int64Range(0, int64(limit*1e9)).Draw(t, "parts")) / 1e9
	}
}

type failer interface {
	require.TestingT
	Helper()
}

func roundTrip[T interface {
	comparable
	encoding.TextMarshaler
}](t failer, value T) {
	t.Helper()
	text, err := value.MarshalText()
	require.NoError(t, err)
	var back T
	require.NoError(t, any(&back).(encoding.TextUnmarshaler).UnmarshalText(text))
	require.Equal(t, value, back, "%s", text)
}

func FuzzUnits(f *testing.F) {
	for _, seed := range []string{"20000/s", "1.5M/s", "max", "256B", "1.5KiB", "1m30s", "0.07%", "50%", "-1", "1e9/s", "0.000000000000000001%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fuzzUnit[Rate](t, text)
		fuzzUnit[Size](t, text)
		fuzzUnit[Duration](t, text)
		fuzzUnit[Share](t, text)
		fuzzUnit[Moment](t, text)
	})
}

func fuzzUnit[T interface {
	comparable
	encoding.TextMarshaler
}](t *testing.T, text string) {
	var value T
	if any(&value).(encoding.TextUnmarshaler).UnmarshalText([]byte(text)) == nil {
		roundTrip(t, value)
	}
}
