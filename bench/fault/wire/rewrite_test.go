package wire

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// notForClients are the responses with a host and a port in them that rewrite.go
// says it leaves alone.
var notForClients = map[kmsg.Key]bool{
	kmsg.Vote: true, kmsg.BeginQuorumEpoch: true, kmsg.EndQuorumEpoch: true, kmsg.FetchSnapshot: true,
	kmsg.DescribeQuorum: true, kmsg.UpdateRaftVoter: true,
	kmsg.StreamsGroupHeartbeat: true, kmsg.StreamsGroupDescribe: true, kmsg.DescribeACLs: true, kmsg.DeleteACLs: true,
}

// Every response that kmsg knows is either rewritten or known not to be for
// clients: a new version of kmsg that has one more fails here.
func TestEveryResponseWithAnAddressIsRewrittenOrLeftForAReason(t *testing.T) {
	for key := range int16(1000) {
		response := kmsg.ResponseForKey(key)
		if response == nil || !hasHost(reflect.TypeOf(response).Elem()) {
			continue
		}
		_, rewritten := firstWithAddresses[kmsg.Key(key)]
		require.NotEqual(t, rewritten, notForClients[kmsg.Key(key)], "%s has a host in it: put it into rewrite.go", kmsg.NameForKey(key))
	}
}

// hasHost says whether a type has a field Host, at whatever depth.
func hasHost(of reflect.Type) bool {
	switch of.Kind() {
	case reflect.Slice, reflect.Pointer:
		return hasHost(of.Elem())
	case reflect.Struct:
		for i := range of.NumField() {
			if of.Field(i).Name == "Host" || of.Field(i).Name != "UnknownTags" && hasHost(of.Field(i).Type) {
				return true
			}
		}
	}
	return false
}

// In every version that carries addresses each is replaced by the listener of
// its own broker, and all else stays.
func TestAddressesAreReplacedInEveryVersion(t *testing.T) {
	fronts := map[string]string{"kafka-1.example:9092": "127.0.0.1:50001", "10.0.0.2:9093": "127.0.0.1:50002"}
	front := func(upstream string) (string, error) { return fronts[upstream], nil }
	for key, first := range firstWithAddresses {
		for version := first; version <= kmsg.ResponseForKey(key.Int16()).MaxVersion(); version++ {
			response := kmsg.ResponseForKey(key.Int16())
			response.SetVersion(version)
			x := &exchange{header: header{key: key, version: version}}
			head := []byte{0, 0, 0, 7}
			if response.IsFlexible() {
				head = append(head, 0)
			}
			body := withAddresses(response).AppendTo(head)
			head, decoded, err := decodeResponse(x, body)
			require.NoError(t, err)
			changed, err := rewrite(decoded, front)
			require.NoError(t, err)
			require.True(t, changed, "%s version %d", key.Name(), version)
			_, again, err := decodeResponse(x, encodeResponse(head, decoded)[sizeBytes:])
			require.NoError(t, err)
			var found []int32
			eachAddress(again, func(host *string, port *int32) {
				if *host != "" {
					require.Equal(t, "127.0.0.1", *host)
					found = append(found, *port)
				}
			})
			require.Subset(t, []int32{50001, 50002}, found)
			require.NotEmpty(t, found)
		}
	}
}

// The answer of an error names nobody, and stays byte for byte.
func TestAnswersWithoutAnAddressStay(t *testing.T) {
	response := kmsg.NewPtrFindCoordinatorResponse()
	response.SetVersion(2)
	response.ErrorCode, response.Host, response.Port = 15, "", -1
	changed, err := rewrite(response, func(string) (string, error) { panic("nobody was named") })
	require.NoError(t, err)
	require.False(t, changed)
}
