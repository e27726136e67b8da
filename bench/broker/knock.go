package broker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// listener is what a broker tells at its door, to anyone: clients are told less
// when they are turned away.
type listener struct {
	// closed is why nobody answers, nil when somebody does.
	closed error
	// silent says that it took too long to answer, the last time.
	silent bool
	// certificate is shown where it speaks TLS.
	certificate *x509.Certificate
	// kafka says that it answered as Kafka does, version as which; mechanisms
	// are those of SASL where it wants a user.
	kafka      bool
	version    string
	mechanisms []string
}

// knockWithin bounds each of the two tries, in plain text and with TLS. One that
// expects TLS may wait for more of what it takes for a greeting.
const knockWithin = 2 * time.Second

// knock asks who is at an address, "host:port".
func knock(ctx context.Context, address string) listener {
	var l listener
	if l.closed = l.ask(ctx, address, false); l.closed != nil || l.kafka {
		return l
	}
	l.closed = l.ask(ctx, address, true)
	return l
}

// ask connects, and learns what it can. An error is that it could not connect.
func (l *listener) ask(ctx context.Context, address string, encrypted bool) error {
	ctx, cancel := context.WithTimeout(ctx, knockWithin)
	defer cancel()
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	deadline, _ := ctx.Deadline()
	_ = connection.SetDeadline(deadline)
	if encrypted {
		secure := tls.Client(connection, &tls.Config{
			// Nothing is told to it. Whether it is to be trusted is what a
			// client has found out, or will.
			InsecureSkipVerify: true,
			VerifyConnection: func(state tls.ConnectionState) error {
				l.certificate = state.PeerCertificates[0]
				return nil
			},
		})
		connection = secure
	}
	versions := kmsg.NewPtrApiVersionsRequest()
	answer, err := exchange(connection, versions)
	l.silent = errors.Is(err, os.ErrDeadlineExceeded)
	if err != nil {
		return nil
	}
	l.kafka = true
	l.version = kversion.FromApiVersionsResponse(answer.(*kmsg.ApiVersionsResponse)).VersionGuess()
	shake := kmsg.NewPtrSASLHandshakeRequest()
	shake.Version = 1
	if answer, err := exchange(connection, shake); err == nil {
		l.mechanisms = answer.(*kmsg.SASLHandshakeResponse).SupportedMechanisms
		slices.Sort(l.mechanisms)
	}
	return nil
}

// mostAnswerBytes bounds what is read of an answer.
const mostAnswerBytes = 1 << 20

// exchange sends one request of a version that is not flexible, and reads its
// answer.
func exchange(connection net.Conn, request kmsg.Request) (kmsg.Response, error) {
	if _, err := connection.Write(kmsg.NewRequestFormatter().AppendRequest(nil, request, 0)); err != nil {
		return nil, err
	}
	var head [8]byte // size, correlation id
	if _, err := io.ReadFull(connection, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size < 4 || size > mostAnswerBytes {
		return nil, errors.New("this is no answer of Kafka")
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(connection, body); err != nil {
		return nil, err
	}
	answer := request.ResponseKind()
	answer.SetVersion(request.GetVersion())
	return answer, answer.ReadFrom(body)
}
