//! Whether something that is shown shows a secret.

/// Shorter texts stand in sentences by chance.
const SHORTEST: usize = 8;

/// Fails when `shown` holds `secret`; `source` is all the text, decoded, that it came from.
///
/// A provider that writes a token where a name belongs publishes it itself, if only with characters in between that
/// no sentence keeps: only a text that stands once in its source is a secret.
pub(crate) fn assert_hidden(shown: &str, secret: &str, source: &str) {
    let once = source.matches(secret).count() == 1 && sanitised(source).matches(secret).count() <= 1;
    assert!(secret.len() < SHORTEST || !once || !shown.contains(secret), "{shown} shows {secret}");
}

/// What a sentence keeps of a text.
pub(crate) fn sanitised(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || " -._:/".contains(*c)).collect()
}
