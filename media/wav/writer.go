package wav

import "io"

// Writer writes a file piece by piece.
type Writer struct {
	to     io.WriterAt
	format Format
	rate   int
	n      int    // samples written
	known  int    // of which the header knows
	buffer []byte // reused between calls
}

// NewWriter writes an empty but valid file to the beginning of w and returns the
// writer that continues it. The caller closes w. It panics on an unknown format.
func NewWriter(w io.WriterAt, f Format, rate int) (*Writer, error) {
	_, err := w.WriteAt(header(f, rate, 0), 0)
	return &Writer{to: w, format: f, rate: rate}, err
}

// Write appends samples. The header does not know them until Flush.
func (w *Writer) Write(samples []int16) error {
	w.buffer = appendSamples(w.buffer[:0], w.format, samples)
	at := int64(headerSize(w.format)) + int64(w.n)*int64(w.format.width())
	if _, err := w.to.WriteAt(w.buffer, at); err != nil {
		return err
	}
	w.n += len(samples)
	return nil
}

// Flush brings the header up to date. If w is a file, sync it before and after
// when the machine itself may crash; for a killed process Flush is enough.
func (w *Writer) Flush() error {
	if w.n == w.known {
		return nil
	}
	head := header(w.format, w.rate, w.n)
	// The pad byte of an odd chunk; the next Write goes over it.
	if size := len(head) + w.n*w.format.width(); size&1 != 0 {
		if _, err := w.to.WriteAt([]byte{0}, int64(size)); err != nil {
			return err
		}
	}
	if _, err := w.to.WriteAt(head, 0); err != nil {
		return err
	}
	w.known = w.n
	return nil
}
