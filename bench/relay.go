//go:build linux

package main

import _ "embed"

//go:embed relay/relay.c
var relaySource []byte
