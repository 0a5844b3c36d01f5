package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/ristretto/v2/z"
)

// checkTables reads every table the manifest names and refuses a damaged one. A
// table that it does not name was being written when the process was killed.
func checkTables(dir string) error {
	name := filepath.Join(dir, badger.ManifestFilename)
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer f.Close() // read only
	m, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir))
	if err != nil {
		return fmt.Errorf("store: file %s %w: %w", name, ErrDamaged, err)
	}
	for id := range m.Tables {
		name := table.NewFilename(id, dir)
		if err := checkTable(name); err != nil {
			return fmt.Errorf("store: file %s %w: %w", name, ErrDamaged, err)
		}
	}
	return nil
}

// checkTable verifies every block of a table. Bytes that are not what they
// should be make Badger's reader panic in places.
func checkTable(name string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("unreadable block: %.100v", r)
		}
	}()
	if err := checkTrailer(name); err != nil {
		return err
	}
	m, err := z.OpenMmapFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer m.Close(-1) // read only
	_, err = table.OpenTable(m, table.Options{
		Compression: options.None, ChkMode: options.OnTableAndBlockRead, BlockSize: 4096,
	})
	return err
}

// checkTrailer makes sure that the lengths at the end of a table lie inside it:
// of others Badger ends the process. From the end: 4 bytes of the length of the
// checksum, the checksum, 4 bytes of the length of the index, the index.
func checkTrailer(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() // read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	at := info.Size()
	for range 2 {
		var b [4]byte
		if at -= 4; at < 0 {
			return errors.New("too short")
		}
		if _, err := f.ReadAt(b[:], at); err != nil {
			return err
		}
		if at -= int64(binary.BigEndian.Uint32(b[:])); at < 0 {
			return errors.New("a length reaches beyond the file")
		}
	}
	return nil
}
