package wire

import (
	"encoding/binary"
	"fmt"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// firstWithAddresses are the responses that tell a client where brokers are,
// and from which version on.
//
// Not among them, since no client connects to what they name: the addresses of
// controllers, which only nodes of the cluster ask for or get told (Vote,
// BeginQuorumEpoch, EndQuorumEpoch, FetchSnapshot, DescribeQuorum,
// UpdateRaftVoter); those of other applications (StreamsGroupHeartbeat,
// StreamsGroupDescribe); and the hosts that access rules are about
// (DescribeACLs, DeleteACLs). A test fails when kmsg knows one more.
var firstWithAddresses = map[kmsg.Key]int16{
	kmsg.Metadata: 0, kmsg.FindCoordinator: 0, kmsg.DescribeCluster: 0,
	kmsg.Produce: 10, kmsg.Fetch: 16, kmsg.ShareFetch: 0, kmsg.ShareAcknowledge: 0,
}

// carriesAddresses says whether the answer has to be read for addresses.
func carriesAddresses(key kmsg.Key, version int16) bool {
	first, some := firstWithAddresses[key]
	return some && version >= first
}

// known returns why a version cannot be decoded. Passing it as bytes would
// send the client past the proxy, without a word.
func known(key kmsg.Key, version, highest int16) error {
	if version <= highest {
		return nil
	}
	return refusal{fmt.Errorf("%s version %d is newer than what the proxy can read (%d): use a client or a broker that agree on an older one",
		key.Name(), version, highest)}
}

// frontOf returns the address of the proxy's listener for a broker's.
type frontOf func(upstream string) (front string, err error)

// rewrite puts the proxy's addresses into a response and says whether there
// were any.
func rewrite(response kmsg.Response, front frontOf) (bool, error) {
	found, failed := false, error(nil)
	eachAddress(response, func(host *string, port *int32) {
		if *host == "" || *port < 0 || failed != nil {
			return // an error's answer names nobody
		}
		own, err := front(net.JoinHostPort(*host, strconv.Itoa(int(*port))))
		if err != nil {
			failed = err
			return
		}
		found = true
		*host, *port, failed = splitAddress(own)
	})
	return found, failed
}

func splitAddress(address string) (host string, port int32, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return host, int32(n), err
}

// eachAddress visits every broker's address in a response.
func eachAddress(response kmsg.Response, visit func(host *string, port *int32)) {
	switch r := response.(type) {
	case *kmsg.MetadataResponse:
		for i := range r.Brokers {
			visit(&r.Brokers[i].Host, &r.Brokers[i].Port)
		}
	case *kmsg.FindCoordinatorResponse:
		visit(&r.Host, &r.Port)
		for i := range r.Coordinators {
			visit(&r.Coordinators[i].Host, &r.Coordinators[i].Port)
		}
	case *kmsg.DescribeClusterResponse:
		for i := range r.Brokers {
			visit(&r.Brokers[i].Host, &r.Brokers[i].Port)
		}
	case *kmsg.ProduceResponse:
		for i := range r.Brokers {
			visit(&r.Brokers[i].Host, &r.Brokers[i].Port)
		}
	case *kmsg.FetchResponse:
		for i := range r.Brokers {
			visit(&r.Brokers[i].Host, &r.Brokers[i].Port)
		}
	case *kmsg.ShareFetchResponse:
		for i := range r.NodeEndpoints {
			visit(&r.NodeEndpoints[i].Host, &r.NodeEndpoints[i].Port)
		}
	case *kmsg.ShareAcknowledgeResponse:
		for i := range r.NodeEndpoints {
			visit(&r.NodeEndpoints[i].Host, &r.NodeEndpoints[i].Port)
		}
	}
}

// encodeResponse is the response as a frame again.
func encodeResponse(responseHeader []byte, response kmsg.Response) []byte {
	b := make([]byte, sizeBytes, 1024)
	b = response.AppendTo(append(b, responseHeader...))
	binary.BigEndian.PutUint32(b, uint32(len(b)-sizeBytes))
	return b
}
