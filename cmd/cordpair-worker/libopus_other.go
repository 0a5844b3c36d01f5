//go:build !linux && !darwin

package main

import "errors"

// library is never there.
type library struct{ version string }

type encoder struct{}

var errSystem = errors.New("not on this system")

func load(string) (*library, error)                    { return nil, errSystem }
func (*library) newEncoder(int, int) (*encoder, error) { return nil, errSystem }
func (*encoder) encode([]byte, []int16) (int, error)   { return 0, errSystem }
func (*encoder) close()                                {}
