package auth

// App is a program that uses the API (spec/http-api.md 1.2).
type App struct {
	ClientID     string    `json:"client_id" readOnly:"true" doc:"given by the switch, 32 hex digits"`
	UserID       int64     `json:"user_id" doc:"the user it is of; a trusted application stands for that user"`
	Name         string    `json:"name" required:"true" doc:"1 to 128 bytes"`
	RedirectURLs []string  `json:"redirect_urls" nullable:"false" doc:"where a browser may be sent back to, at most 10"`
	Type         AppType   `json:"type" enum:"public,trusted,password_credentials" doc:"public, trusted or password_credentials; changing it ends the application's tokens"`
	Access       AppAccess `json:"access" enum:"Call API,All" doc:"Call API or All; changing it ends the application's tokens"`
	RateLimit    *int      `json:"rate_limit" doc:"requests per hour, 1 to 1000000; null: only the general limit"`
}

// DefaultApp is an application before its creator has said anything.
func DefaultApp() App { return App{Type: AppTrusted, Access: AppCallAPI, RedirectURLs: []string{}} }
