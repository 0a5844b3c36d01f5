// Package api is the HTTP side of the switch: it decodes, authorises, calls the
// owner of a resource and encodes; it holds no behaviour. README.md beside this
// file is the recipe for adding a resource.
//
// A request passes, in this order: the frame (trace id, safe headers, CORS,
// compression, panics, slashes, PHP arrays: frame.go), the mux, and the guard
// (guard.go): who asks (401), how often (429), may they (403, access.go), what
// does the path name within their reach (404, scope.go), is the body sound (400,
// 413, 415), was this POST sent before (repeats.go). Then the handler of the
// resource runs; whatever error it returns becomes an answer in errors.go. Huma
// reads parameters, encodes answers and writes the OpenAPI document; what it
// does otherwise than we want is corrected in operation.go and check.go.
//
// Ownership: New builds a Server whole; after that its routes never change and
// any goroutine may serve from it. It starts no goroutine. Hourly counters and
// the answers kept for Idempotency-Key are its own, bounded, and lost with the
// process. Resources belong to the owners of owners.go: their answer is there
// when the change is durable and the next call sees it.
//
//	s := api.New(api.Config{Tokens: authority, Configuration: clients, Version: "1.0"})
//	http.Serve(listener, s)
//	http.Serve(socket, s.Operator()) // a local operator: no token, every right
package api
