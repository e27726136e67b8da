//go:build !linux

package wire

import (
	"errors"
	"net"
)

var errNoPeer = errors.New("only Linux tells what a client has not read yet")

func peerUnread(net.Conn) (unread int, open bool, err error) { return 0, false, errNoPeer }

func wasReset(net.Conn) (bool, error) { return false, errNoPeer }
