package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/features/audit"
)

// The token endpoint (spec/http-api.md 1.2). It speaks OAuth 2.0: parameters as a
// form or in the query, errors by RFC 6749 section 5.2 beside our own members.

// Limits of the token endpoint (spec/http-api-more-b.md 1).
const (
	tokensPerSecond = 20
	tokensAtOnce    = 6
)

type tokenIn struct {
	GrantType    string `query:"grant_type" maxLength:"64" doc:"client_credentials, password or refresh_token; as a form or in the query, like all of these"`
	ClientID     string `query:"client_id" maxLength:"256" doc:"Of the application"`
	ClientSecret string `query:"client_secret" maxLength:"256" doc:"Of the application"`
	Username     string `query:"username" maxLength:"256" doc:"Login, for password"`
	Password     string `query:"password" maxLength:"1024" doc:"For password"`
	RefreshToken string `query:"refresh_token" maxLength:"1024" doc:"For refresh_token"`
	Scope        string `query:"scope" maxLength:"256" doc:"all, or nothing"`
	Basic        string `header:"Authorization" maxLength:"1024" doc:"client_id and client_secret may come by HTTP basic authentication instead"`
}

// application is who asks, by basic authentication or as the form says.
func (in *tokenIn) application(form url.Values) (id, secret string) {
	r := http.Request{Header: http.Header{"Authorization": {in.Basic}}}
	if id, secret, ok := r.BasicAuth(); ok {
		return id, secret
	}
	return form.Get("client_id"), form.Get("client_secret")
}

type tokenOut struct{ Body auth.Grant }

// tokenGate lets so many requests for tokens in.
type tokenGate struct {
	rate *rate.Limiter
	free chan struct{}
}

func newTokenGate() *tokenGate {
	return &tokenGate{rate.NewLimiter(tokensPerSecond, tokensPerSecond), make(chan struct{}, tokensAtOnce)}
}

// enter is false when there are too many; otherwise leave must be called.
func (g *tokenGate) enter() (leave func(), ok bool) {
	select {
	case g.free <- struct{}{}:
	default:
		return nil, false
	}
	leave = func() { <-g.free }
	if !g.rate.Allow() {
		leave()
		return nil, false
	}
	return leave, true
}

func (s *Server) registerOAuth() {
	register(s, operation{
		ID: "token", Method: http.MethodPost, Path: "/oauth/token", Tag: "Authorisation", Root: true, Public: true, Form: true,
		Status: http.StatusOK, Summary: "Get an access token", Document: documentToken,
		Description: "Parameters as a form, as multipart, or in the query. 20 requests a second and 6 at a time.",
	}, s.token)
	register(s, operation{
		ID: "revokeToken", Method: http.MethodPost, Path: "/oauth/revoke", Tag: "Authorisation", Root: true, Public: true, Form: true,
		Status: http.StatusOK, Summary: "End a token",
		Description: "A refresh token ends with all that came of it. A token that is not known is no error (RFC 7009).",
	}, func(ctx context.Context, _ *struct {
		Token string `query:"token" maxLength:"1024" doc:"The token to end; as a form or in the query"`
	}) (*struct{}, error) {
		return nil, s.cfg.Identity.Revoke(ctx, formOf(ctx).Get("token"))
	})
}

// documentToken adds the errors that have their own form.
func documentToken(op *huma.Operation, schemas huma.Registry) {
	op.Responses["200"].Description = "A token. It is shown here and nowhere else."
	schema := schemas.Schema(reflect.TypeFor[grantRefusal](), true, "")
	for _, status := range []string{"400", "401"} {
		if op.Responses[status] == nil {
			op.Responses[status] = &huma.Response{Description: "Not granted", Content: map[string]*huma.MediaType{}}
		}
		op.Responses[status].Content["application/json"] = &huma.MediaType{Schema: schema}
	}
}

func (s *Server) token(ctx context.Context, in *tokenIn) (*tokenOut, error) {
	leave, ok := s.tokens.enter()
	if !ok {
		return nil, newProblem(http.StatusTooManyRequests, "rate_limit_exceeded", "Too many requests for tokens", true).with("Retry-After", "1")
	}
	defer leave()
	form := formOf(ctx)
	id, secret := in.application(form)
	grant, err := s.cfg.Identity.Exchange(ctx, auth.GrantRequest{
		GrantType: form.Get("grant_type"), ClientID: id, ClientSecret: secret,
		Username: form.Get("username"), Password: form.Get("password"), RefreshToken: form.Get("refresh_token"),
		Scope: form.Get("scope"), Source: audit.By(ctx).From,
	})
	if err != nil {
		return nil, refusedGrant(err)
	}
	return &tokenOut{grant}, nil
}

// grantRefusal is an error of the token endpoint: the members of RFC 6749 section
// 5.2, and message, which clients of the rest of the API read.
type grantRefusal struct {
	Code        string `json:"error" doc:"Error code of RFC 6749 section 5.2"`
	Description string `json:"error_description" doc:"For people"`
	Message     string `json:"message" doc:"The same"`
	Status      int    `json:"status" doc:"The HTTP status"`
}

// Error makes it an error.
func (r *grantRefusal) Error() string { return r.Message }

// GetStatus is the HTTP status.
func (r *grantRefusal) GetStatus() int { return r.Status }

// refusedGrant is the answer to a request for a token that is not granted; other
// errors stay as they are.
func refusedGrant(err error) error {
	var grant *auth.GrantError
	var locked *auth.LockedError
	switch {
	case errors.As(err, &locked):
		seconds := strconv.Itoa(int(locked.RetryAfter/time.Second) + 1)
		return newProblem(http.StatusTooManyRequests, "locked", "Too many failed attempts", false).with("Retry-After", seconds)
	case errors.As(err, &grant):
		status := http.StatusBadRequest
		if grant.Code == auth.InvalidClient {
			status = http.StatusUnauthorized
		}
		return &grantRefusal{Code: string(grant.Code), Description: grant.Description, Message: grant.Description, Status: status}
	}
	return err
}
