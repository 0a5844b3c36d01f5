package cordpair

import (
	"net/http"

	"github.com/cordpair/cordpair/api/auth"
)

// API is the handler that the world reaches over HTTP.
func (s *Switch) API() http.Handler { return s.api }

// OperatorAPI is the handler behind the operator's socket.
func (s *Switch) OperatorAPI() http.Handler { return s.api.Operator() }

// Authority owns users, applications and tokens.
func (s *Switch) Authority() *auth.Authority { return s.auth }

// Monitor is the handler of the metrics listener.
func (s *Switch) Monitor() http.Handler { return s.inside() }

// WebAddr is where a listener is: "http" or "metrics".
func (s *Switch) WebAddr(name string) string { return s.web.addrs[name] }
