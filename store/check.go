package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// Badger takes a record of its log (.mem) that fails its checksum for the end of
// the log, cuts the file there and forgets the rest; a damaged length in its
// manifest makes it delete the tables named after it; a table (.sst) with a bad
// checksum it leaves out, and a few bytes of one make it end the process. The
// first two are right after a torn write, and all are silent loss or no help
// after a flipped byte. So the files are looked at before Badger may touch them.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkFiles refuses a space whose files are damaged, naming the file. last is
// the number of the last acknowledged commit; what lies behind it may be torn.
func checkFiles(dir string, last uint64) error {
	if err := checkManifest(filepath.Join(dir, badger.ManifestFilename)); err != nil {
		return err
	}
	if err := checkRegistry(dir); err != nil {
		return err
	}
	if err := checkHeaders(dir); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.mem")) // sorted, and so by age
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	seen := uint64(0)
	for _, name := range names {
		log, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		commits, end, torn := readLog(log)
		seen = max(seen, commits)
		if torn && seen > 0 && seen < last {
			return fmt.Errorf("store: file %s %w at byte %d: it ends at commit %d of %d", name, ErrDamaged, end, seen, last)
		}
	}
	return checkTables(dir)
}

const (
	logHeader = 20 // what stands before the first record of a log
	maxHead   = 64 // more than the head of a record takes; Badger keeps it zero behind the last
)

// readLog walks the records of a log up to the first that is not whole. It
// returns the number of the last commit before that, where it stopped, and
// whether something follows that is not the zeros behind a last record.
func readLog(log []byte) (commits uint64, end int, torn bool) {
	if len(log) < logHeader {
		return 0, 0, len(log) > 0
	}
	end = logHeader
	for {
		key, value, size := readRecord(log[end:])
		if size == 0 {
			return commits, end, len(bytes.TrimLeft(log[end:min(end+maxHead, len(log))], "\x00")) > 0
		}
		if string(key) == metaCommits && len(value) == 8 {
			commits = binary.BigEndian.Uint64(value)
		}
		end += size
	}
}

// readRecord reads one record of a log: two bytes of flags, the lengths of key
// and value and the expiry as uvarints, key (with 8 bytes of version, which are
// cut off here), value, and a CRC-32C of all that. size 0: there is no whole one.
func readRecord(b []byte) (key, value []byte, size int) {
	const flags, version = 2, 8
	at := flags
	var n [3]uint64
	for i := range n {
		if at > len(b) {
			return nil, nil, 0
		}
		v, w := binary.Uvarint(b[at:])
		if w <= 0 {
			return nil, nil, 0
		}
		n[i], at = v, at+w
	}
	rest := uint64(len(b) - at)
	if n[0] < version || n[0] > rest || n[1] > rest || n[0]+n[1]+crc32.Size > rest {
		return nil, nil, 0
	}
	k, v := int(n[0]), int(n[1])
	sum := at + k + v
	if crc32.Checksum(b[:sum], castagnoli) != binary.BigEndian.Uint32(b[sum:]) {
		return nil, nil, 0
	}
	return b[at : at+k-version], b[at+k : sum], sum + crc32.Size
}

// checkRegistry refuses a damaged registry of encryption keys, of which there
// are none.
func checkRegistry(dir string) error {
	kr, err := badger.OpenKeyRegistry(badger.KeyRegistryOptions{Dir: dir, ReadOnly: true}) // empty if there is no file
	if err != nil {
		return fmt.Errorf("store: file %s %w: %w", filepath.Join(dir, badger.KeyRegistryFileName), ErrDamaged, err)
	}
	return kr.Close()
}

// checkHeaders refuses logs whose header names an encryption key.
func checkHeaders(dir string) error {
	for _, kind := range []string{"*.mem", "*.vlog"} {
		names, err := filepath.Glob(filepath.Join(dir, kind))
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		for _, name := range names {
			f, err := os.Open(name)
			if err != nil {
				return fmt.Errorf("store: %w", err)
			}
			var key [8]byte
			_, err = f.ReadAt(key[:], 0) // a file cut off before that holds nothing
			f.Close()                    // read only
			if err == nil && key != [8]byte{} {
				return fmt.Errorf("store: file %s %w in its header", name, ErrDamaged)
			}
		}
	}
	return nil
}

// checkManifest refuses a manifest in which a record that is not the torn last
// one is damaged. After 8 bytes of magic each record has its length, a CRC-32C
// and its data; one whose length reaches beyond the file is torn, unless its
// data is there and whole and the length is the lie.
func checkManifest(name string) error {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for at := 8; at+8 <= len(b); {
		size, sum := uint64(binary.BigEndian.Uint32(b[at:])), binary.BigEndian.Uint32(b[at+4:])
		data := b[at+8:]
		if size > uint64(len(data)) {
			if beginsWhole(data, sum) {
				return fmt.Errorf("store: file %s %w at byte %d", name, ErrDamaged, at)
			}
			return nil
		}
		if crc32.Checksum(data[:size], castagnoli) != sum {
			return fmt.Errorf("store: file %s %w at byte %d", name, ErrDamaged, at)
		}
		at += 8 + int(size)
	}
	return nil
}

// beginsWhole reports whether data begins with bytes of that checksum.
func beginsWhole(data []byte, sum uint32) bool {
	crc := uint32(0)
	for i := range data {
		if crc = crc32.Update(crc, castagnoli, data[i:i+1]); crc == sum {
			return true
		}
	}
	return false
}
