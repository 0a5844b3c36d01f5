package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
)

// mark remembers beside a space the number of the last commit that was
// acknowledged. Badger takes a damaged record of its log for the end of the
// log, which is right for a torn one and silent loss for a flipped byte; the
// mark tells them apart. It is written after the commit is durable and not
// synced itself, so it never promises more than the disk holds.
type mark struct{ f *os.File }

// openMark returns the mark and the number it holds, 0 for a new one. A damaged
// mark is worth a warning only: by itself it says nothing about the rows.
func openMark(name string, log *slog.Logger) (*mark, uint64, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("store: %w", err)
	}
	b := make([]byte, 12)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, errors.Join(fmt.Errorf("store: %w", err), f.Close())
	}
	m := &mark{f}
	switch {
	case n == 0:
		return m, 0, nil
	case n < len(b) || crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]):
		log.Warn("file is damaged and will be written anew", "file", name)
		return m, 0, nil
	}
	return m, binary.BigEndian.Uint64(b), nil
}

// set remembers commit n. In memory there is nothing to remember.
func (m *mark) set(n uint64) error {
	if m == nil {
		return nil
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 12), n)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	_, err := m.f.WriteAt(b, 0)
	return err
}

func (m *mark) close() error {
	if m == nil {
		return nil
	}
	return m.f.Close()
}
