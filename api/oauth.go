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

	"github.com/cordpair/cordpair/api/auth"
	"github.com/cordpair/cordpair/features/audit"
)

// The token endpoint (spec/http-api.md 1.2). It speaks OAuth 2.0: parameters as a
// form or in the query, errors by RFC 6749 section 5.2 beside our own members.

type tokenIn struct {
	GrantType    string `query:"grant_type" maxLength:"64" doc:"client_credentials, password or refresh_token; as a form or in the query, like all of these"`
	ClientID     string `query:"client_id" maxLength:"256" doc:"Of the application"`
	ClientSecret string `query:"client_secret" maxLength:"256" doc:"Of the application"`
	Username     string `query:"username" maxLength:"256" doc:"Login, for password"`
	Password     string `query:"password" maxLength:"1024" doc:"For password"`
	RefreshToken string `query:"refresh_token" maxLength:"1024" doc:"For refresh_token"`
	Scope        string `query:"scope" maxLength:"256" doc:"all, or nothing"`
	Basic        string `header:"Authorization" maxLength:"1024" hidden:"true"` // OpenAPI knows no such parameter
}

// application is who asks, by basic authentication or as the form says.
func (in *tokenIn) application(form url.Values) (id, secret string, basic bool) {
	r := http.Request{Header: http.Header{"Authorization": {in.Basic}}}
	if id, secret, ok := r.BasicAuth(); ok {
		return id, secret, true
	}
	return form.Get("client_id"), form.Get("client_secret"), false
}

type revokeIn struct {
	Token string `query:"token" maxLength:"1024" doc:"The token to end; as a form or in the query"`
}

type tokenOut struct{ Body auth.Grant }

func (s *Server) registerOAuth() {
	register(s, operation{
		ID: "token", Method: http.MethodPost, Path: "/oauth/token", Tag: "Authorisation", Root: true, Public: true, Form: true,
		Status: http.StatusOK, Summary: "Get an access token", Document: documentToken,
		Description: "Parameters as a form, as multipart, or in the query; client_id and client_secret by HTTP basic authentication too. " +
			"20 requests a second and 6 at a time of one source.",
	}, s.token)
	register(s, operation{
		ID: "revokeToken", Method: http.MethodPost, Path: "/oauth/revoke", Tag: "Authorisation", Root: true, Public: true, Form: true,
		Status: http.StatusOK, Summary: "End a token",
		Description: "A refresh token ends with all that came of it. A token that is not known is no error (RFC 7009).",
		Document:    func(op *huma.Operation, _ huma.Registry) { documentForm(op, revokeIn{}) },
	}, s.revoke)
}

// documentToken adds the errors that have their own form.
func documentToken(op *huma.Operation, schemas huma.Registry) {
	op.Responses["200"].Description = "A token. It is shown here and nowhere else."
	documentForm(op, tokenIn{})
	schema := schemas.Schema(reflect.TypeFor[grantRefusal](), true, "")
	for _, status := range []string{"400", "401"} {
		if op.Responses[status] == nil {
			op.Responses[status] = &huma.Response{Description: "Not granted", Content: map[string]*huma.MediaType{}}
		}
		op.Responses[status].Content["application/json"] = &huma.MediaType{Schema: schema}
	}
}

// documentForm names the fields of a form: those that the query may hold too.
func documentForm(op *huma.Operation, in any) {
	fields := map[string]*huma.Schema{}
	for _, f := range reflect.VisibleFields(reflect.TypeOf(in)) {
		name := f.Tag.Get("query")
		if name == "" {
			continue
		}
		fields[name] = &huma.Schema{Type: huma.TypeString, Description: f.Tag.Get("doc")}
		if most, err := strconv.Atoi(f.Tag.Get("maxLength")); err == nil {
			fields[name].MaxLength = &most
		}
	}
	for _, media := range op.RequestBody.Content {
		media.Schema.Properties = fields
	}
}

// revoke ends a token. It has the gate of token: whoever calls it has shown
// nothing yet.
func (s *Server) revoke(ctx context.Context, _ *revokeIn) (*struct{}, error) {
	leave, refused := s.tokens.enter(audit.By(ctx).From)
	if refused != nil {
		return nil, refused
	}
	defer leave()
	return nil, s.cfg.Identity.Revoke(ctx, formOf(ctx).Get("token"))
}

func (s *Server) token(ctx context.Context, in *tokenIn) (*tokenOut, error) {
	leave, refused := s.tokens.enter(audit.By(ctx).From)
	if refused != nil {
		return nil, refused
	}
	defer leave()
	form := formOf(ctx)
	id, secret, basic := in.application(form)
	grant, err := s.cfg.Identity.Exchange(ctx, auth.GrantRequest{
		GrantType: form.Get("grant_type"), ClientID: id, ClientSecret: secret,
		Username: form.Get("username"), Password: form.Get("password"), RefreshToken: form.Get("refresh_token"),
		Scope: form.Get("scope"), Source: audit.By(ctx).From,
	})
	if err != nil {
		return nil, refusedGrant(err, basic)
	}
	return &tokenOut{grant}, nil
}

// grantRefusal is an error of the token endpoint: the members of RFC 6749 section
// 5.2, and message, which clients of the rest of the API read.
type grantRefusal struct {
	Code        string `json:"error" enum:"invalid_request,invalid_client,invalid_grant,unauthorized_client,unsupported_grant_type,invalid_scope" doc:"Error code of RFC 6749 section 5.2"`
	Description string `json:"error_description" doc:"For people"`
	Message     string `json:"message" doc:"The same"`
	Status      int    `json:"status" doc:"The HTTP status"`

	header http.Header
}

// Error makes it an error.
func (r *grantRefusal) Error() string { return r.Message }

// GetStatus is the HTTP status.
func (r *grantRefusal) GetStatus() int { return r.Status }

// GetHeaders are the headers that go with it.
func (r *grantRefusal) GetHeaders() http.Header { return r.header }

// refusedGrant is the answer to a request for a token that is not granted; other
// errors stay as they are.
func refusedGrant(err error, basic bool) error {
	var grant *auth.GrantError
	var locked *auth.LockedError
	switch {
	case errors.As(err, &locked):
		seconds := strconv.Itoa(int(locked.RetryAfter/time.Second) + 1)
		return newProblem(http.StatusTooManyRequests, "locked", "Too many failed attempts", false).with("Retry-After", seconds)
	case errors.As(err, &grant):
		refusal := &grantRefusal{Code: string(grant.Code), Description: grant.Description, Message: grant.Description, Status: http.StatusBadRequest}
		if grant.Code == auth.InvalidClient {
			refusal.Status = http.StatusUnauthorized
			if basic { // who tried that is told that it is the way (RFC 6749 5.2)
				refusal.header = http.Header{"Www-Authenticate": {`Basic realm="oauth"`}}
			}
		}
		return refusal
	}
	return err
}
