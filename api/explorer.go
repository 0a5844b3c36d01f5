package api

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"net/http"

	"github.com/swaggest/swgui/v5/static"
)

//go:embed explorer
var explorer embed.FS

// explorerPolicy lets the pages of the explorer run their own scripts and talk
// to the API, and nothing else: no inline script or style element, no foreign
// host, no frame (H7). Swagger UI draws arrows as data: images.
const explorerPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// serveExplorer serves the interactive API browser: a page of ours around the
// embedded Swagger UI. It works without any other host.
func (s *Server) serveExplorer() {
	const at = Base + "/client_api_explorer"
	for _, f := range []struct{ path, file, kind string }{
		{at, "index.html", "text/html; charset=utf-8"},
		{at + "/explorer.js", "explorer.js", "text/javascript; charset=utf-8"},
		{at + "/explorer.css", "explorer.css", "text/css; charset=utf-8"},
	} {
		body, err := explorer.ReadFile("explorer/" + f.file)
		s.asset(f.path, f.kind, body, err)
	}
	for _, f := range []struct{ file, kind string }{
		{"swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
		{"swagger-ui.css", "text/css; charset=utf-8"},
	} {
		body, err := static.FS.ReadFile(f.file + ".gz")
		s.asset(at+"/"+f.file, f.kind, body, err)
	}
	icon, err := static.FS.ReadFile("favicon-32x32.png")
	s.asset(at+"/favicon.png", "image/png", icon, err)
}

// asset serves a file of the explorer, which may be compressed already.
func (s *Server) asset(path, kind string, body []byte, err error) {
	if err != nil {
		panic(fmt.Errorf("api: the explorer is not whole: %w", err))
	}
	zipped := bytes.HasPrefix(body, []byte{0x1f, 0x8b})
	s.route(http.MethodGet, path, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", explorerPolicy)
		h.Set("Cache-Control", "no-cache")
		if !zipped {
			_, _ = w.Write(body) // the client may be gone
			return
		}
		h.Add("Vary", "Accept-Encoding")
		if asksForGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			_, _ = w.Write(body)
			return
		}
		if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			_, _ = io.Copy(w, z)
		}
	})
}
