//go:build !unix

package main

// privateFiles has nothing to do where folders carry the permissions.
func privateFiles() {}
