//! Whether something that is shown shows a secret.

/// Shorter texts stand in sentences by chance.
const SHORTEST: usize = 8;

/// Fails when `shown` holds `secret`; `source` is all the text, decoded, that it came from.
///
/// A provider that writes a token where a name belongs publishes it itself, if only with characters in between that
/// no sentence keeps: only a text that stands once in its source is a secret.
pub(crate) fn assert_hidden(shown: &str, secret: &str, source: &str) {
    // What stands in place of a secret, and names of types and members, are shown whatever the secret is.
    let shown = shown.replace("Secret(…)", "");
    let name = secret.contains(' ') || secret.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let once = source.matches(secret).count() == 1 && sanitised(source).matches(secret).count() <= 1;
    assert!(secret.len() < SHORTEST || name || !once || !shown.contains(secret), "{shown} shows {secret}");
}

/// What a sentence keeps of a text.
pub(crate) fn sanitised(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || " -._:/".contains(*c)).collect()
}
