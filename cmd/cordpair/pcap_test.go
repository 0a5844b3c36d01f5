package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// blockOf is a block of a kind around eight octets.
func blockOf(kind uint32) string {
	var b []byte
	for _, v := range []uint32{kind, 20, 7, 9, 20} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return string(b)
}

// kindsIn are the kinds of the blocks of a file, which must be whole.
func kindsIn(t *testing.T, b []byte) (kinds []byte) {
	t.Helper()
	for len(b) > 0 {
		n := binary.LittleEndian.Uint32(b[4:])
		if int(n) > len(b) || binary.LittleEndian.Uint32(b[n-4:]) != n {
			t.Fatalf("block of %d in %d octets", n, len(b))
		}
		kinds = append(kinds, b[0])
		b = b[n:]
	}
	return kinds
}

// TestCopyBlocks: however a recording ends, its file has whole blocks and statistics,
// and only an end that nobody asked for is an error.
func TestCopyBlocks(t *testing.T) {
	file := blockOf(1) + blockOf(blockPacket) + blockOf(blockPacket)
	broken := errors.New("connection reset")
	for name, tc := range map[string]struct {
		from    io.Reader
		stopped bool
		kinds   []byte
		packets int
		want    error
	}{
		"to its end":            {strings.NewReader(file + blockOf(blockStats)), false, []byte{1, 6, 6, 5}, 2, nil},
		"cut off":               {strings.NewReader(file), false, []byte{1, 6, 6, 5}, 2, io.ErrUnexpectedEOF},
		"cut off in a block":    {strings.NewReader(file + blockOf(blockPacket)[:13]), false, []byte{1, 6, 6, 5}, 2, io.ErrUnexpectedEOF},
		"cut off in a head":     {strings.NewReader(file + "\x06\x00"), false, []byte{1, 6, 6, 5}, 2, io.ErrUnexpectedEOF},
		"broken":                {io.MultiReader(strings.NewReader(file), iotest.ErrReader(broken)), false, []byte{1, 6, 6, 5}, 2, broken},
		"statistics on the way": {io.MultiReader(strings.NewReader(file+blockOf(blockStats)), iotest.ErrReader(broken)), true, []byte{1, 6, 6, 5, 5}, 2, nil},
		"Ctrl-C":                {io.MultiReader(strings.NewReader(file+"\x06"), iotest.ErrReader(context.Canceled)), true, []byte{1, 6, 6, 5}, 2, nil},
		"Ctrl-C at once":        {iotest.ErrReader(context.Canceled), true, nil, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if tc.stopped {
				cancel()
			}
			var out bytes.Buffer
			n, err := copyBlocks(ctx, &out, iotest.OneByteReader(tc.from))
			if got := kindsIn(t, out.Bytes()); !bytes.Equal(got, tc.kinds) || n != tc.packets || !errors.Is(err, tc.want) {
				t.Errorf("kinds %v, %d packets, %v", got, n, err)
			}
		})
	}
	if _, err := copyBlocks(context.Background(), io.Discard, strings.NewReader("<html>, no pcapng")); err == nil {
		t.Error("what is no pcapng is taken")
	}
}
