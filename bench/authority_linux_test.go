package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority signs the certificates of a test.
type authority struct {
	t           *testing.T
	folder      string
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
	// path is of its own certificate, which clients trust.
	path string
}

// identity is a certificate and its key: in a file each, and together.
type identity struct{ certificate, key, both string }

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, folder: t.TempDir()}
	template := a.template(name)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.certificate = template
	a.path = a.sign(name, template).certificate
	return a
}

func (a *authority) template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(a.t, err)
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
}

// certifies makes a certificate for these hosts, of a server or a client.
func (a *authority) certifies(name string, hosts ...string) identity {
	a.t.Helper()
	return a.sign(name, a.leaf(name, hosts...))
}

func (a *authority) leaf(name string, hosts ...string) *x509.Certificate {
	template := a.template(name)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

// sign writes the certificate and its key; the authority's own is its first.
func (a *authority) sign(name string, template *x509.Certificate) identity {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	if a.key == nil {
		a.key = key
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	require.NoError(a.t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return identity{
		certificate: a.write(name+".pem", certificate), key: a.write(name+".key", secret),
		both: a.write(name+"-both.pem", append(secret, certificate...)),
	}
}

func (a *authority) write(name string, content []byte) string {
	a.t.Helper()
	path := filepath.Join(a.folder, name)
	require.NoError(a.t, os.WriteFile(path, content, 0o600))
	return path
}

// greetsExpired is the address of a server that shows a certificate which is out
// of date to all who come, until the test ends.
func (a *authority) greetsExpired() string {
	a.t.Helper()
	template := a.leaf("expired", "127.0.0.1")
	template.NotAfter = time.Now().Add(-time.Minute)
	files := a.sign("expired", template)
	shown, err := tls.LoadX509KeyPair(files.certificate, files.key)
	require.NoError(a.t, err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{shown}})
	require.NoError(a.t, err)
	a.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			connection, err := l.Accept()
			if err != nil {
				return
			}
			_ = connection.(*tls.Conn).Handshake()
			_ = connection.Close()
		}
	}()
	return l.Addr().String()
}
