//! The error message for a configuration file that cannot be parsed: the position, and what was expected.
//!
//! The file may contain a secret by mistake, so the message quotes neither lines nor values.

use toml::de::Error;

/// The longest name of a setting, in bytes; a secret is longer.
const NAME_LIMIT: usize = 24;
/// How messages begin that quote a value.
const OF_VALUES: [&str; 3] = ["invalid type", "invalid value", "unknown variant"];

/// The reason why the text cannot be parsed, with line and column.
pub(super) fn reason(text: &str, error: &Error) -> String {
    // The part after "expected" is the program's own text, without values.
    let message = match error.message().rsplit_once(", expected ") {
        Some((found, expected)) => format!("{}, expected {expected}", without_values(found)),
        None => without_values(error.message()).to_owned(),
    };
    let before = error.span().and_then(|span| text.get(..span.start));
    let Some(before) = before else { return message };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {message}")
}

/// The message without quoted values. Quoted names of settings and TOML punctuation stay.
fn without_values(found: &str) -> &str {
    let Some(at) = found.find(['"', '`']) else { return found };
    let (words, quoted) = found.split_at(at);
    // A value may contain quotes, so everything after the first quote counts as quoted.
    let is_harmless = quoted.split(['`', '=', ',', ' ']).all(is_name);
    let is_value = OF_VALUES.iter().any(|beginning| found.starts_with(beginning));
    if is_value || !is_harmless { words.trim_end() } else { found }
}

/// Whether this can be a setting's name.
fn is_name(word: &str) -> bool {
    word.len() <= NAME_LIMIT && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_removed_whatever_they_contain() {
        for (message, told) in [
            ("invalid type: string \"a secret\"", "invalid type: string"),
            ("invalid type: string \"a \\\" `b` secret\"", "invalid type: string"),
            ("invalid type: integer `12345678`", "invalid type: integer"),
            ("unknown variant `secret`", "unknown variant"),
            ("unknown field `client_secret`", "unknown field `client_secret`"),
            ("unknown field `GOCSPX-secret`", "unknown field"),
            ("unknown field `a`GOCSPX-secret`", "unknown field"),
            ("missing field `database`", "missing field `database`"),
            ("unexpected `=` in array", "unexpected `=` in array"),
            (
                "a source needs exactly one of `file` and `env`",
                "a source needs exactly one of `file` and `env`",
            ),
            ("invalid basic string", "invalid basic string"),
        ] {
            assert_eq!(without_values(message), told);
        }
    }
}
