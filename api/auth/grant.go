package auth

// GrantRequest is what the token endpoint was sent (spec/http-api.md 1.2).
type GrantRequest struct {
	GrantType    string // client_credentials, password, refresh_token
	ClientID     string
	ClientSecret string
	Username     string
	Password     string
	RefreshToken string
	Scope        string // empty or all
	// Source is the address of the caller without its port, for A8.
	Source string
}

// Grant is the answer of the token endpoint. Its tokens are shown here and
// nowhere else.
type Grant struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type" doc:"Bearer"`
	ExpiresIn    int    `json:"expires_in" doc:"seconds"`
	RefreshToken string `json:"refresh_token,omitempty" doc:"for grant_type password and refresh_token"`
	Scope        string `json:"scope,omitempty" doc:"all, for grant_type client_credentials"`
}
