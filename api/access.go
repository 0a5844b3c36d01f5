package api

import "github.com/cordpair/cordpair/api/auth"

// needs is the one table of who may do what: the lowest level that may use an
// operation, and the act it performs (T5). Every operation stands here; New
// panics for one that does not. Which client, group and extension a caller
// reaches is not here: that follows from its principal (scope.go).
var needs = map[string]auth.Need{
	"listClients":  {Level: auth.LevelDealer, Act: auth.Read},
	"addClient":    {Level: auth.LevelDealer, Act: auth.Configure},
	"getClient":    {Level: auth.LevelDealer, Act: auth.Read},
	"changeClient": {Level: auth.LevelDealer, Act: auth.Configure},
	"deleteClient": {Level: auth.LevelDealer, Act: auth.Configure},

	"getOwnClient":    {Level: auth.LevelClient, Act: auth.Read},
	"getClientInfo":   {Level: auth.LevelClient, Act: auth.Read},
	"changeOwnClient": {Level: auth.LevelClient, Act: auth.Configure},

	"listExtensions":  {Level: auth.LevelClient, Act: auth.Read},
	"addExtension":    {Level: auth.LevelClient, Act: auth.Configure},
	"getExtension":    {Level: auth.LevelClient, Act: auth.Read},
	"changeExtension": {Level: auth.LevelClient, Act: auth.Configure},
	"deleteExtension": {Level: auth.LevelClient, Act: auth.Configure},
	"getOwnExtension": {Level: auth.LevelExtension, Act: auth.Read},

	"listGroups":  {Level: auth.LevelClient, Act: auth.Read},
	"addGroup":    {Level: auth.LevelClient, Act: auth.Configure},
	"getGroup":    {Level: auth.LevelClient, Act: auth.Read},
	"changeGroup": {Level: auth.LevelClient, Act: auth.Configure},
	"deleteGroup": {Level: auth.LevelClient, Act: auth.Configure},

	"listRegistrations":       {Level: auth.LevelExtension, Act: auth.Read},
	"listClientRegistrations": {Level: auth.LevelClient, Act: auth.Read},
	"getRegistration":         {Level: auth.LevelExtension, Act: auth.Read},
	"deleteRegistrations":     {Level: auth.LevelExtension, Act: auth.Configure},
	"deleteRegistration":      {Level: auth.LevelExtension, Act: auth.Configure},

	"listExtensionCurrentCalls":  {Level: auth.LevelExtension, Act: auth.Read},
	"getExtensionCurrentCall":    {Level: auth.LevelExtension, Act: auth.Read},
	"deleteExtensionCurrentCall": {Level: auth.LevelExtension, Act: auth.Control},
	"listClientCurrentCalls":     {Level: auth.LevelClient, Act: auth.Read},
	"getClientCurrentCall":       {Level: auth.LevelClient, Act: auth.Read},
	"deleteClientCurrentCall":    {Level: auth.LevelClient, Act: auth.Control},
	"captureCall":                {Level: auth.LevelClient, Act: auth.Configure}, // it holds what was said
	"captureNextCall":            {Level: auth.LevelClient, Act: auth.Configure},

	"streamClientEvents":    {Level: auth.LevelClient, Act: auth.Read},
	"streamExtensionEvents": {Level: auth.LevelExtension, Act: auth.Read},

	"listClientRegLog":    {Level: auth.LevelClient, Act: auth.Read},
	"listGroupRegLog":     {Level: auth.LevelGroup, Act: auth.Read},
	"listExtensionRegLog": {Level: auth.LevelExtension, Act: auth.Read},
	"listAuditLog":        {Level: auth.LevelClient, Act: auth.Read},

	"listCallHistory":      {Level: auth.LevelClient, Act: auth.Read},
	"getCall":              {Level: auth.LevelClient, Act: auth.Read},
	"getCallTrace":         {Level: auth.LevelClient, Act: auth.Read},
	"getCallLadder":        {Level: auth.LevelClient, Act: auth.Read},
	"listCalls":            {Level: auth.LevelClient, Act: auth.Read},
	"getCallStats":         {Level: auth.LevelClient, Act: auth.Read},
	"listClientCDR":        {Level: auth.LevelClient, Act: auth.Read},
	"getClientCDRStats":    {Level: auth.LevelClient, Act: auth.Read},
	"listExtensionCDR":     {Level: auth.LevelExtension, Act: auth.Read},
	"getExtensionCDRStats": {Level: auth.LevelExtension, Act: auth.Read},
	"explainCall":          {Level: auth.LevelClient, Act: auth.Read}, // a POST that changes nothing

	"getSelf":    {Level: auth.LevelExtension, Act: auth.Read},
	"issueToken": {Level: auth.LevelPlatform, Act: auth.Configure},

	"addExtensionUser":    {Level: auth.LevelClient, Act: auth.Configure},
	"listExtensionUser":   {Level: auth.LevelClient, Act: auth.Read},
	"getExtensionUser":    {Level: auth.LevelClient, Act: auth.Read},
	"changeExtensionUser": {Level: auth.LevelClient, Act: auth.Configure},
	"deleteExtensionUser": {Level: auth.LevelClient, Act: auth.Configure},
	"addGroupUser":        {Level: auth.LevelClient, Act: auth.Configure},
	"listGroupUser":       {Level: auth.LevelClient, Act: auth.Read},
	"getGroupUser":        {Level: auth.LevelClient, Act: auth.Read},
	"changeGroupUser":     {Level: auth.LevelClient, Act: auth.Configure},
	"deleteGroupUser":     {Level: auth.LevelClient, Act: auth.Configure},
	"addClientUser":       {Level: auth.LevelClient, Act: auth.Configure},
	"listClientUser":      {Level: auth.LevelClient, Act: auth.Read},
	"getClientUser":       {Level: auth.LevelClient, Act: auth.Read},
	"changeClientUser":    {Level: auth.LevelClient, Act: auth.Configure},
	"deleteClientUser":    {Level: auth.LevelClient, Act: auth.Configure},

	"addApp":             {Level: auth.LevelExtension, Act: auth.Configure},
	"listApps":           {Level: auth.LevelExtension, Act: auth.Read},
	"getApp":             {Level: auth.LevelExtension, Act: auth.Read},
	"changeApp":          {Level: auth.LevelExtension, Act: auth.Configure},
	"renewAppSecret":     {Level: auth.LevelExtension, Act: auth.Configure},
	"deleteApp":          {Level: auth.LevelExtension, Act: auth.Configure},
	"addPlatformUser":    {Level: auth.LevelPlatform, Act: auth.Configure},
	"listPlatformUser":   {Level: auth.LevelPlatform, Act: auth.Read},
	"getPlatformUser":    {Level: auth.LevelPlatform, Act: auth.Read},
	"changePlatformUser": {Level: auth.LevelPlatform, Act: auth.Configure},
	"deletePlatformUser": {Level: auth.LevelPlatform, Act: auth.Configure},

	"getPhone":    {Level: auth.LevelExtension, Act: auth.Read},
	"changePhone": {Level: auth.LevelExtension, Act: auth.Configure},
}
