// What the callback pages say of the provider's answer, of whose words they show none but a known code.
const REFUSALS = [
  "access_denied", "account_selection_required", "consent_required", "interaction_required", "invalid_request",
  "invalid_scope", "login_required", "server_error", "temporarily_unavailable", "unauthorized_client",
  "unsupported_response_type",
];
const say = (answer, outcome, heading, sentence, code) => {
  const error = answer.get("error");
  if (error === null) show(outcome, heading, sentence, code);
  else if (error === "access_denied") {
    show("failed", texts.notSignedIn, texts.accessDenied, error);
  } else {
    show("failed", texts.notSignedIn, texts.refused, REFUSALS.includes(error) ? error : "");
  }
};
const sayHowToGoOn = (answer) => say(answer, "note", texts.backToNotebook, texts.backToNotebookHow);
