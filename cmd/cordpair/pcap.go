package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

type pcapCmd struct {
	remote
	Call    string `arg:"" optional:"" help:"call_uuid of a call that is up; default: the only one."`
	Next    string `placeholder:"NUMBER" help:"Wait for the next call from or to this phone, and record it from its INVITE on."`
	Output  string `short:"o" placeholder:"FILE" help:"Where to; default: the call's id with .pcapng, - for standard output."`
	Seconds int    `placeholder:"N" help:"How long at most; default: until the call ends, at most an hour."`
}

// Run records a call until it ends or Ctrl-C.
func (c pcapCmd) Run(ctx context.Context) error {
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	path := client + "/pcap/"
	switch {
	case c.Next != "" && c.Call != "":
		return errors.New("either a call or --next")
	case c.Next != "":
	case c.Call == "":
		if c.Call, err = c.only(ctx, client); err != nil {
			return err
		}
	}
	seconds := ""
	if c.Seconds > 0 {
		seconds = strconv.Itoa(c.Seconds)
	}
	packets, err := c.send(ctx, http.MethodGet, path+url.PathEscape(c.Call)+query("next", c.Next, "seconds", seconds), nil)
	if missing(err) && c.Next != "" {
		return errors.New("there is no phone " + c.Next)
	}
	if missing(err) {
		return errors.New("no call " + c.Call + " is up")
	}
	if err != nil {
		return err
	}
	defer packets.Close()
	if c.Output == "-" {
		_, err = copyBlocks(ctx, os.Stdout, packets)
		return err
	}
	return c.save(ctx, packets)
}

// only is the call that is up, if there is one.
func (c pcapCmd) only(ctx context.Context, client string) (string, error) {
	var answer struct {
		Calls []currentCall `json:"call_list"`
	}
	if err := c.get(ctx, client+"/current_calls/", &answer); err != nil {
		return "", err
	}
	id := ""
	for _, leg := range answer.Calls {
		if id != "" && leg.Call != id {
			return "", errors.New("which call? cordpair calls lists those that are up")
		}
		id = leg.Call
	}
	if id == "" {
		return "", errors.New("no call is up")
	}
	return id, nil
}

// save writes the file, which is for its owner only: it holds what was said.
func (c pcapCmd) save(ctx context.Context, packets io.Reader) error {
	name := c.Output
	if name == "" {
		name = plain(cmp.Or(c.Call, "next-"+filepath.Base(c.Next))) + ".pcapng"
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	what := "the call"
	if c.Next != "" {
		what = "the next call of " + plain(c.Next)
	}
	limit := ""
	if c.Seconds > 0 {
		limit = fmt.Sprintf(", for %d s at most", c.Seconds)
	}
	fmt.Fprintf(os.Stderr, "recording to %s until %s ends%s; Ctrl-C stops it\n", name, what, limit)
	n, err := copyBlocks(ctx, file, packets)
	fmt.Fprintf(os.Stderr, "%d packets\n", n)
	return errors.Join(err, file.Close())
}

// The blocks of a pcapng file that matter here (draft-ietf-opsawg-pcapng section 4).
const (
	blockStats  = 5
	blockPacket = 6
	blockMost   = 1 << 20 // bytes; the switch makes none near it
)

// copyBlocks copies a pcapng file as it comes and tells how many packets it has. One
// that ctx cuts off, or the switch, ends after a whole block, with the statistics that
// the switch could not write.
func copyBlocks(ctx context.Context, w io.Writer, from io.Reader) (packets int, err error) {
	in := bufio.NewReader(from)
	var kind uint32
	for {
		var block []byte
		if block, err = readBlock(in); err != nil {
			break
		}
		if kind = binary.LittleEndian.Uint32(block); kind == blockPacket {
			packets++
		}
		if _, err := w.Write(block); err != nil {
			return packets, err
		}
	}
	ended := errors.Is(err, io.EOF)
	if kind != 0 && (kind != blockStats || !ended) {
		if _, err := w.Write(statistics(time.Now(), packets)); err != nil {
			return packets, err
		}
	}
	switch {
	case ctx.Err() != nil || ended && kind == blockStats:
		return packets, nil
	case ended:
		err = io.ErrUnexpectedEOF
	}
	return packets, fmt.Errorf("the switch ended the recording: %w", err)
}

// readBlock reads one whole block; io.EOF is between two.
func readBlock(in *bufio.Reader) ([]byte, error) {
	head, err := in.Peek(8)
	if err != nil {
		if len(head) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head[4:])
	if n < 12 || n > blockMost || n%4 != 0 {
		return nil, errors.New("this is no pcapng")
	}
	block := make([]byte, n)
	_, err = io.ReadFull(in, block)
	return block, err
}

// statistics is a block that says how many packets were received (isb_ifrecv).
func statistics(at time.Time, packets int) []byte {
	const size = 4 * 10
	ns := uint64(at.UnixNano())
	b := make([]byte, 0, size)
	for _, v := range []uint32{blockStats, size, 0, uint32(ns >> 32), uint32(ns)} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = binary.LittleEndian.AppendUint16(b, 8)
	b = binary.LittleEndian.AppendUint64(b, uint64(packets))
	b = binary.LittleEndian.AppendUint32(b, 0) // no more options
	return binary.LittleEndian.AppendUint32(b, size)
}
