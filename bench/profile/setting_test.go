package profile

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

func TestMinMessageSizeIsTheRangeOfItsSetting(t *testing.T) {
	require.EqualValues(t, MinMessageSize, settingTree.byName["load.message.size"].low.value)
}

func TestEveryDefaultIsAllowed(t *testing.T) {
	for _, s := range settingTree.settings {
		value := reflect.ValueOf(Defaults()).FieldByIndex(s.index)
		if s.free || s.name == "faults" {
			continue
		}
		read, err := s.read(textOf(value))
		require.NoError(t, err, s.name)
		require.Equal(t, value.Interface(), read.Interface(), s.name)
	}
}

func TestEverySettingIsDescribed(t *testing.T) {
	comments, err := fieldComments()
	require.NoError(t, err)
	for _, s := range settingTree.settings {
		require.NotEmpty(t, s.describe(reflect.TypeFor[Settings](), comments), s.name)
	}
	for _, s := range faultTree.settings {
		require.NotEmpty(t, s.describe(reflect.TypeFor[Fault](), comments), s.name)
	}
}

func TestGet(t *testing.T) {
	s := Defaults()
	s.Load.Rate = RateMax
	s.Producer.Librdkafka = map[string]string{"socket.timeout.ms": "1000", "sasl.password": "hunter2"}
	s.Faults = []Fault{{Kill: ConsumerRole, When: PointMidBatch, At: Moment{Share: 0.5}, Restart: Duration(200 * time.Millisecond)}}
	for _, c := range []struct {
		name  string
		value float64
		text  string
	}{
		{"consumer.commit.every", 500, "500"},
		{"load.rate", math.Inf(1), "max"},
		{"load.duration", 5, "5s"},
		{"producer.linger", 0.005, "5ms"},
		{"load.message.size", 256, "256B"},
		{"load.message.entropy", 1, "100%"},
		{"producer.acks", math.NaN(), "all"},
		{"producer.idempotence", math.NaN(), "false"},
		{"producer.librdkafka.socket.timeout.ms", 1000, "1000"},
		{"producer.librdkafka.sasl.password", math.NaN(), "[redacted]"},
		{"faults", math.NaN(), "kill consumer at mid-batch, 50%, restart 200ms"},
	} {
		value, text, ok := s.Get(c.name)
		require.True(t, ok, c.name)
		require.Equal(t, c.text, text, c.name)
		if math.IsNaN(c.value) {
			require.True(t, math.IsNaN(value), c.name)
		} else {
			require.Equal(t, c.value, value, c.name)
		}
	}
	for _, name := range []string{"", "load", "load.rte", "producer.librdkafka.linger.ms"} {
		_, _, ok := s.Get(name)
		require.False(t, ok, name)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	source := "name: x\nproducer:\n  librdkafka: {sasl.password: hunter2, sasl.username: me} # of the test cluster\n" +
		"consumer.librdkafka.ssl.key.password: hunter2\n"
	p, err := Parse([]byte(source), "x.yaml")
	require.NoError(t, err)
	plan, err := p.Plan(Options{})
	require.NoError(t, err)
	require.Equal(t, "hunter2", plan.Trials[0].Settings.Producer.Librdkafka["sasl.password"])
	require.NotContains(t, fmt.Sprint(plan.Trials[0].Settings.Dotted()), "hunter2")
	saved, err := p.Redacted()
	require.NoError(t, err)
	require.NotContains(t, string(saved), "hunter2")
	require.Contains(t, string(saved), "sasl.username: me")
	require.Contains(t, string(saved), "# of the test cluster")
	_, err = Parse(saved, "saved.yaml")
	require.NoError(t, err)
}

func TestWithoutSecretsTheSourceIsKeptAsGiven(t *testing.T) {
	source := []byte("name:   x # odd  spacing\n")
	p, err := Parse(source, "x.yaml")
	require.NoError(t, err)
	saved, err := p.Redacted()
	require.NoError(t, err)
	require.Equal(t, source, saved)
}

func TestFaultNames(t *testing.T) {
	half := Moment{Share: 0.5}
	for want, f := range map[string]Fault{
		"kill relay at begun, 50%, restart 0s":                  {Kill: RelayRole, When: PointBegun, At: half},
		"kill broker, 50%, restart 1s":                          {Kill: BrokerRole, At: half, Restart: Duration(time.Second)},
		"freeze broker for 1s, 50%":                             {Freeze: BrokerRole, At: half, For: Duration(time.Second)},
		"kill group-coordinator, 2s, restart 0s":                {Kill: GroupCoordinatorRole, At: Moment{Offset: Duration(2 * time.Second)}},
		"stop leader of partition 2, 50%, restart 1s":           {Stop: LeaderRole, Partition: 2, At: half, Restart: Duration(time.Second)},
		"freeze followers of partition 1 for 1s, 50%":           {Freeze: FollowersRole, Partition: 1, At: half, For: Duration(time.Second)},
		"isolate leader for 2s, 50%, restart 500ms":             {Isolate: LeaderRole, At: half, For: Duration(2 * time.Second), Restart: Duration(500 * time.Millisecond)},
		"isolate leader of partition 3 for 2s, 50%, restart 0s": {Isolate: LeaderRole, Partition: 3, At: half, For: Duration(2 * time.Second)},
		"join consumer, 50%":                                    {Join: ConsumerRole, At: half},
		"join consumer, 50%, for 1s":                            {Join: ConsumerRole, At: half, For: Duration(time.Second)},
	} {
		require.Equal(t, want, f.String())
		require.NoError(t, f.check())
		require.True(t, strings.HasPrefix(want, f.Name()+", "), "a name is the part that does not depend on when it strikes: %s", f.Name())
	}
}

// Of a broker's fault the role is known; a worker's and a join have none.
func TestWhichFaultsStrikeBrokers(t *testing.T) {
	for _, role := range []Role{BrokerRole, LeaderRole, FollowerRole, FollowersRole, GroupCoordinatorRole, TransactionCoordinatorRole, ControllerRole} {
		for _, f := range []Fault{{Kill: role}, {Stop: role}, {Freeze: role}, {Isolate: role}} {
			require.Equal(t, role, f.Broker(), f.Name())
		}
	}
	for _, f := range []Fault{{Kill: ProducerRole}, {Kill: ConsumerRole}, {Kill: RelayRole}, {Join: ConsumerRole}, {}} {
		require.Equal(t, Role(""), f.Broker())
	}
}

// drawSettings draws every setting within its type and range.
func drawSettings(t *rapid.T) Settings {
	settings := Defaults()
	target := reflect.ValueOf(&settings).Elem()
	for _, s := range settingTree.settings {
		switch {
		case s.name == "faults":
			settings.Faults = rapid.SliceOfN(rapid.Custom(drawFault), 0, 3).Draw(t, "faults")
		case s.free:
			keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]+(\.[a-z]+){0,3}`), 0, 3, rapid.ID).Draw(t, s.name)
			for _, key := range keys {
				if ownerOf(s, key) == "" && !IsSecret(key) {
					s.apply(target, key, reflect.ValueOf(rapid.StringMatching(`[a-zA-Z0-9 :#'"/._-]*`).Draw(t, key)))
				}
			}
		default:
			s.apply(target, "", drawValue(t, s))
		}
	}
	return settings
}

func drawValue(t *rapid.T, s *setting) reflect.Value {
	value := reflect.New(s.kind).Elem()
	low, high := int64(s.low.value), int64(1e6)
	if s.high.text != "" {
		high = int64(s.high.value)
	}
	switch s.kind {
	case reflect.TypeFor[Rate]():
		rate := Rate(rapid.Custom(decimalBelow(1e9)).Draw(t, s.name)) + 1
		if rapid.Bool().Draw(t, "max") {
			rate = RateMax
		}
		return reflect.ValueOf(min(rate, 1e9))
	case reflect.TypeFor[Duration]():
		return reflect.ValueOf(Duration(rapid.Int64Range(low*1e9+1e9, high*1e9).Draw(t, s.name)))
	case reflect.TypeFor[Share]():
		return reflect.ValueOf(Share(rapid.Custom(decimalBelow(1)).Draw(t, s.name)))
	case reflect.TypeFor[TopicName]():
		return reflect.ValueOf(TopicName(rapid.StringMatching(`[a-z][a-z0-9._-]{0,9}`).Draw(t, s.name)))
	}
	switch s.kind.Kind() {
	case reflect.String:
		value.SetString(rapid.SampledFrom(vocabularies[s.kind]).Draw(t, s.name))
	case reflect.Bool:
		value.SetBool(rapid.Bool().Draw(t, s.name))
	default:
		value.SetInt(rapid.Int64Range(low, high).Draw(t, s.name))
	}
	return value
}

func drawFault(t *rapid.T) Fault {
	at := Moment{Share: Share(rapid.IntRange(1, 99).Draw(t, "at")) / 100}
	length := Duration(rapid.Int64Range(1, 3600e9).Draw(t, "length"))
	broker := rapid.SampledFrom([]Role{BrokerRole, GroupCoordinatorRole, TransactionCoordinatorRole, ControllerRole}).Draw(t, "role")
	partition := 0
	if rapid.Bool().Draw(t, "partitioned") {
		broker = rapid.SampledFrom([]Role{LeaderRole, FollowerRole, FollowersRole}).Draw(t, "follows")
		partition = rapid.IntRange(0, 9999).Draw(t, "partition")
	}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		point := rapid.SampledFrom(vocabularies[reflect.TypeFor[Point]()]).Draw(t, "when")
		return Fault{Kill: RelayRole, When: Point(point), At: at, Restart: length}
	case 1:
		return Fault{Freeze: broker, Partition: partition, At: at, For: length}
	case 2:
		return Fault{Kill: broker, Partition: partition, At: at, Restart: length}
	case 3:
		return Fault{Stop: broker, Partition: partition, At: at, Restart: length}
	case 4:
		return Fault{Isolate: LeaderRole, Partition: partition, At: at, For: length, Restart: length}
	default:
		return Fault{Join: ConsumerRole, At: at}
	}
}

// yamlOf writes settings as a profile's body would: dotted, or nested where
// nested says so.
func yamlOf(t failer, s Settings, nested bool) []byte {
	body := map[string]any{}
	put := func(name string, value any) { body[name] = value }
	if nested {
		put = func(name string, value any) { nest(body, strings.Split(name, "."), value) }
	}
	root := reflect.ValueOf(s)
	for _, leaf := range settingTree.settings {
		switch value := root.FieldByIndex(leaf.index).Interface().(type) {
		case map[string]string:
			if len(value) > 0 {
				put(leaf.name, value)
			}
		case []Fault:
			put(leaf.name, faultMaps(value))
		default:
			put(leaf.name, fmt.Sprint(value))
		}
	}
	source, err := yaml.Marshal(body)
	require.NoError(t, err)
	return source
}

func nest(body map[string]any, path []string, value any) {
	if len(path) == 1 {
		body[path[0]] = value
		return
	}
	inner, is := body[path[0]].(map[string]any)
	if !is {
		inner = map[string]any{}
		body[path[0]] = inner
	}
	nest(inner, path[1:], value)
}

func faultMaps(faults []Fault) []map[string]string {
	maps := []map[string]string{}
	for _, f := range faults {
		fields := map[string]string{}
		for _, s := range faultTree.settings {
			value := reflect.ValueOf(f).FieldByIndex(s.index)
			if !value.IsZero() {
				fields[s.name] = textOf(value)
			}
		}
		maps = append(maps, fields)
	}
	return maps
}

// Whatever the settings, their dotted and their nested text read back as the
// same settings, and so does their JSON.
func TestSettingsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		settings := drawSettings(t)
		source := yamlOf(t, settings, rapid.Bool().Draw(t, "nested"))
		d := &document{path: "drawn.yaml"}
		root, err := d.root(source)
		require.NoError(t, err)
		back, _ := resolve(d.layer(root))
		require.NoError(t, d.err(), "%s", source)
		require.Equal(t, settings.Dotted(), back.Dotted())

		text, err := json.Marshal(settings)
		require.NoError(t, err)
		var fromJSON Settings
		require.NoError(t, json.Unmarshal(text, &fromJSON))
		require.Equal(t, settings.Dotted(), fromJSON.Dotted())
	})
}

func TestSettingNamesAreTheDottedNames(t *testing.T) {
	names := SettingNames()
	require.True(t, slices.Contains(names, "consumer.commit.every"))
	dotted := Defaults().Dotted()
	for _, name := range names {
		if _, is := dotted[name]; !is {
			require.True(t, strings.HasSuffix(name, ".librdkafka"), name)
		}
	}
}
