//go:build !linux

package process

import "syscall"

// attributes puts a child into a group of its own. It ends with its input: a
// frozen child of a program that was killed stays.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// residentUnit is what getrusage(2) counts the resident size in, bytes.
const residentUnit = 1
