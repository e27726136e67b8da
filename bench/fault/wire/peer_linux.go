package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// The parts of the kernel's inet_diag messages that are used.
const (
	diagRequestBytes = unix.SizeofNlMsghdr + 56
	diagIDAt         = unix.SizeofNlMsghdr + 8 // ports, addresses, interface, cookie
	diagStateAt      = unix.SizeofNlMsghdr + 1
	diagUnreadAt     = unix.SizeofNlMsghdr + 56
	diagInodeAt      = unix.SizeofNlMsghdr + 68
	diagReplyBytes   = unix.SizeofNlMsghdr + 72
	tcpEstablished   = 1
	tcpClosed        = 7
)

// peerUnread asks the kernel about the client's end of a connection, which is
// on this host since listeners are on loopback: how many bytes its process has
// not read yet, and whether the process still has it open.
func peerUnread(own net.Conn) (unread int, open bool, err error) {
	client, okClient := own.RemoteAddr().(*net.TCPAddr)
	proxy, okProxy := own.LocalAddr().(*net.TCPAddr)
	if !okClient || !okProxy || client.IP.To4() == nil || proxy.IP.To4() == nil {
		return 0, false, fmt.Errorf("%s is no TCP connection over IPv4", own.RemoteAddr())
	}
	b := make([]byte, diagRequestBytes)
	native := binary.NativeEndian
	native.PutUint32(b, diagRequestBytes)
	native.PutUint16(b[4:], unix.SOCK_DIAG_BY_FAMILY)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST)
	b[unix.SizeofNlMsghdr], b[unix.SizeofNlMsghdr+1] = unix.AF_INET, unix.IPPROTO_TCP
	native.PutUint32(b[unix.SizeofNlMsghdr+4:], ^uint32(0)) // in whatever state
	id := b[diagIDAt:]
	binary.BigEndian.PutUint16(id, uint16(client.Port))
	binary.BigEndian.PutUint16(id[2:], uint16(proxy.Port))
	copy(id[4:], client.IP.To4())
	copy(id[20:], proxy.IP.To4())
	native.PutUint64(id[40:], ^uint64(0)) // no cookie
	reply, err := askKernel(b)
	if errors.Is(err, unix.ENOENT) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("ask the kernel about a client's connection: %w", err)
	}
	open = reply[diagStateAt] == tcpEstablished || native.Uint32(reply[diagInodeAt:]) != 0
	return int(native.Uint32(reply[diagUnreadAt:])), open, nil
}

// askKernel sends one netlink request and returns its reply.
func askKernel(request []byte) ([]byte, error) {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, err
	}
	defer unix.Close(socket)
	if err := unix.Sendto(socket, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	reply := make([]byte, 1024)
	n, _, err := unix.Recvfrom(socket, reply, unix.MSG_DONTWAIT) // the kernel has answered within Sendto
	if err != nil {
		return nil, err
	}
	reply = reply[:n]
	if n >= unix.SizeofNlMsghdr+4 && binary.NativeEndian.Uint16(reply[4:]) == unix.NLMSG_ERROR {
		return nil, syscall.Errno(-int32(binary.NativeEndian.Uint32(reply[unix.SizeofNlMsghdr:])))
	}
	if n < diagReplyBytes {
		return nil, fmt.Errorf("a reply of %d bytes", n)
	}
	return reply, nil
}

// wasReset says whether the connection ended with a reset, which is how a
// process's end is told that it has not read everything.
func wasReset(own net.Conn) (bool, error) {
	raw, err := own.(syscall.Conn).SyscallConn()
	if err != nil {
		return false, err
	}
	var info *unix.TCPInfo
	var infoErr error
	if err := raw.Control(func(fd uintptr) { info, infoErr = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil {
		return false, err
	}
	if infoErr != nil {
		return false, infoErr
	}
	return info.State == tcpClosed, nil
}
