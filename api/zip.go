package api

import (
	"compress/gzip"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// zipFrom is the size from which an answer is worth compressing, in bytes.
const zipFrom = 1400

// zippers are used again: one costs 800 kB. The lowest level halves the time of a
// long list and loses little of its gain.
var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return z
}}

// zipWriter compresses an answer when the client asked for it, the answer is long
// enough and of a kind that gains. It holds back the first zipFrom bytes to know.
type zipWriter struct {
	http.ResponseWriter
	asked  bool
	status int
	held   []byte
	begun  bool // the header is out; zip says how
	zip    *gzip.Writer
}

func newZipWriter(w http.ResponseWriter, r *http.Request) *zipWriter {
	return &zipWriter{ResponseWriter: w, asked: r.Method != http.MethodHead && asksForGzip(r.Header.Get("Accept-Encoding"))}
}

// asksForGzip reads Accept-Encoding (RFC 9110 12.5.3).
func asksForGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		if coding = strings.TrimSpace(coding); !strings.EqualFold(coding, "gzip") && coding != "*" {
			continue
		}
		name, q, _ := strings.Cut(strings.TrimSpace(params), "=")
		weight, err := strconv.ParseFloat(q, 64)
		return name != "q" || err == nil && weight > 0
	}
	return false
}

// WriteHeader waits until the body shows whether it is compressed.
func (z *zipWriter) WriteHeader(status int) {
	switch {
	case z.begun || z.status != 0:
	case status < http.StatusOK:
		z.ResponseWriter.WriteHeader(status)
	default:
		if z.status = status; !z.asked || !z.gains() {
			z.begin(false)
		}
	}
}

// gains reports whether the answer is of a kind that compresses and has a body.
func (z *zipWriter) gains() bool {
	h := z.Header()
	if z.status == http.StatusNoContent || z.status == http.StatusNotModified || h.Get("Content-Encoding") != "" {
		return false
	}
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	switch kind {
	case "text/event-stream":
		return false
	case "application/json", "application/openapi+json", "application/openapi+yaml", "application/yaml", "application/javascript", problemType:
		return true
	}
	return strings.HasPrefix(kind, "text/") || kind == "image/svg+xml"
}

// begin sends the header and what was held back.
func (z *zipWriter) begin(zip bool) {
	z.begun = true
	h := z.Header()
	if z.asked && h.Get("Content-Encoding") == "" {
		h.Add("Vary", "Accept-Encoding")
	}
	if zip {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		z.zip = zippers.Get().(*gzip.Writer)
		z.zip.Reset(z.ResponseWriter)
	}
	z.ResponseWriter.WriteHeader(z.status)
	if len(z.held) > 0 {
		_, _ = z.write(z.held) // the client may be gone; the next Write says so
		z.held = nil
	}
}

func (z *zipWriter) write(b []byte) (int, error) {
	if z.zip != nil {
		return z.zip.Write(b)
	}
	return z.ResponseWriter.Write(b)
}

// Write sends or holds back a part of the body.
func (z *zipWriter) Write(b []byte) (int, error) {
	if z.status == 0 {
		z.WriteHeader(http.StatusOK)
	}
	if z.begun {
		return z.write(b)
	}
	if len(z.held)+len(b) < zipFrom {
		z.held = append(z.held, b...)
		return len(b), nil
	}
	z.begin(true)
	return z.write(b)
}

// FlushError sends what is there, uncompressed if nothing was sent before.
func (z *zipWriter) FlushError() error {
	if z.status == 0 {
		z.WriteHeader(http.StatusOK)
	}
	if !z.begun {
		z.begin(false)
	}
	if z.zip != nil {
		if err := z.zip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(z.ResponseWriter).Flush()
}

// Unwrap serves http.ResponseController.
func (z *zipWriter) Unwrap() http.ResponseWriter { return z.ResponseWriter }

// close ends the answer. It must be called once, whatever happened.
func (z *zipWriter) close() {
	if z.status != 0 && !z.begun {
		z.begin(false)
	}
	if z.zip != nil {
		_ = z.zip.Close() // the client may be gone
		z.zip.Reset(nil)
		zippers.Put(z.zip)
		z.zip = nil
	}
}
