// The page around Swagger UI: it loads the document and gives every request the
// token that was pasted or fetched. The token lives in this page only.
"use strict";

const ui = SwaggerUIBundle({
  url: "/api/ver1.0/openapi.json",
  dom_id: "#ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
});

const state = document.getElementById("state");

function say(text, bad) {
  state.textContent = text;
  state.className = bad ? "bad" : "good";
}

function use(token, text) {
  ui.preauthorizeApiKey("token", token);
  say(text, false);
}

document.getElementById("paste").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = document.getElementById("token").value.trim();
  if (token === "") {
    say("Paste a token first.", true);
    return;
  }
  use(token, "The pasted token is sent with every request.");
});

document.getElementById("fetch").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: document.getElementById("client-id").value.trim(),
    client_secret: document.getElementById("client-secret").value,
  });
  say("Asking for a token …", false);
  try {
    const answer = await fetch("/oauth/token", { method: "POST", body });
    const grant = await answer.json();
    if (!answer.ok) {
      say(grant.error_description || grant.message || "No token was granted.", true);
      return;
    }
    document.getElementById("token").value = grant.access_token;
    use(grant.access_token, `A token for ${Math.round(grant.expires_in / 60)} minutes is sent with every request.`);
  } catch {
    say("The switch did not answer.", true);
  }
});
