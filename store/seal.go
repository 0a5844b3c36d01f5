package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// sealer seals with AES-256-GCM under the key of the store. A sealed text is a
// random nonce of 12 bytes followed by the ciphertext and its tag.
type sealer struct {
	aead cipher.AEAD
	file string // empty in memory
}

// openSealer reads the key file, or makes one when fresh says that there is no
// store yet whose secrets an older key holds.
func openSealer(cfg Config, fresh bool) (*sealer, error) {
	file := cfg.SecretKeyFile
	if cfg.InMemory && file == "" {
		return newSealer(newKey(), "")
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if !fresh {
			return nil, fmt.Errorf("store: %w: %s", ErrKeyMissing, file)
		}
		key := newKey()
		if err := createFile(file, append(hex.AppendEncode(nil, key), '\n')); err != nil {
			return nil, fmt.Errorf("store: secret key: %w", err)
		}
		return newSealer(key, file)
	}
	if err != nil {
		return nil, fmt.Errorf("store: secret key: %w", err)
	}
	if err := os.Chmod(file, 0o600); err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("store: secret key: %w", err)
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("store: %w: %s: want 64 hex digits", ErrKeyWrong, file)
	}
	return newSealer(key, file)
}

func newKey() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	return key
}

func newSealer(key []byte, file string) (*sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("store: secret key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("store: secret key: %w", err)
	}
	return &sealer{aead, file}, nil
}

// seal makes plain unreadable and ties it to about.
func (s *sealer) seal(plain, about []byte) []byte { return s.aead.Seal(nil, nil, plain, about) }

// open undoes seal; ErrKeyWrong if key, text or about are not those of then.
func (s *sealer) open(sealed, about []byte) ([]byte, error) {
	plain, err := s.aead.Open(nil, nil, sealed, about)
	if err != nil {
		return nil, ErrKeyWrong
	}
	return plain, nil
}

// check makes sure that this key is the one the space was written with.
func (s *sealer) check(bdb *badger.DB, where string) error {
	about := []byte(metaKeyCheck)
	return bdb.Update(func(txn *badger.Txn) error {
		item, err := txn.Get(about)
		if errors.Is(err, badger.ErrKeyNotFound) {
			return txn.Set(about, s.seal([]byte("fits"), about))
		}
		if err != nil {
			return fmt.Errorf("store: %s: %w", where, err)
		}
		return item.Value(func(b []byte) error {
			if _, err := s.open(b, about); err != nil {
				return fmt.Errorf("store: %s: %w: %s", where, err, s.file)
			}
			return nil
		})
	})
}

// createFile writes a private file that is there whole or not at all, also after
// a power cut, and refuses to replace one.
func createFile(name string, content []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // the other name stays
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
