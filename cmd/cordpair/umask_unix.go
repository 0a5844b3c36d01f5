//go:build unix

package main

import "syscall"

// privateFiles keeps everything this process creates from other users (D9).
func privateFiles() { syscall.Umask(0o077) }
