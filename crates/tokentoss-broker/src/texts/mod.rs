//! The translated texts of the broker's pages. The files are copies of the Python package's; a test compares
//! them.

mod accepted;
mod text;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::HeaderMap;
use serde::Deserialize;

pub(crate) use text::Text;

/// The languages by code. English is first, because it is the default.
const FILES: [(&str, &str); 2] =
    [("en", include_str!("../../texts/en.json")), ("de", include_str!("../../texts/de.json"))];

/// The texts of each language. A test parses every file.
static TABLE: LazyLock<[Texts; FILES.len()]> = LazyLock::new(|| {
    FILES.map(|(language, file)| Texts { language, ..serde_json::from_str(file).unwrap_or_default() })
});

/// The texts of one language. Sections for notebooks alone are ignored.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Texts {
    /// The language's code.
    #[serde(skip)]
    pub(crate) language: &'static str,
    /// Texts that the pages of a kernel share.
    pub(crate) pages: Pages,
    /// Texts of the broker's pages alone.
    pub(crate) broker_pages: BrokerPages,
    /// One sentence for each code.
    errors: BTreeMap<String, Text>,
    /// What `{subject}` is in that sentence when an error names nothing.
    subjects: BTreeMap<String, String>,
}

/// Texts that the pages of a kernel share.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pages {
    pub(crate) code: Text,
    pub(crate) close: Text,
    pub(crate) may_close: Text,
    pub(crate) signing_in: Text,
    pub(crate) signed_in: Text,
    pub(crate) signed_in_as: Text,
    pub(crate) signed_in_with_as: Text,
    pub(crate) not_signed_in: Text,
    pub(crate) nothing_to_do: Text,
    pub(crate) nothing_to_do_how: Text,
    pub(crate) client: Text,
    pub(crate) one_more_step: Text,
}

/// Texts of the broker's pages alone.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BrokerPages {
    pub(crate) sign_in_with: Text,
    pub(crate) about: Text,
    pub(crate) for_user: Text,
    pub(crate) asked_from: Text,
    pub(crate) notebook_at: Text,
    pub(crate) sign_in_at: Text,
    pub(crate) access_to: Text,
    pub(crate) cancel: Text,
    pub(crate) go_on: Text,
    pub(crate) use_another: Text,
    pub(crate) custody: Text,
    pub(crate) connecting: Text,
    pub(crate) type_this: Text,
    pub(crate) confirmation: Text,
    pub(crate) confirmation_how: Text,
    pub(crate) not_understood: Text,
}

impl Texts {
    /// The texts in the preferred language of a request; the default is English.
    pub(crate) fn of(headers: &HeaderMap) -> &'static Self {
        let [english, ..] = &*TABLE;
        let preferred = accepted::preferred(headers, &FILES.map(|(language, _)| language));
        preferred.and_then(|code| TABLE.iter().find(|texts| texts.language == code)).unwrap_or(english)
    }

    /// The sentence of an error's code, if there is one.
    pub(crate) fn sentence(&self, code: &str, about: Option<&str>) -> Option<String> {
        let sentence = self.errors.get(code)?;
        Some(match about {
            Some(about) => sentence.with(&[("subject", about)]),
            None => sentence.filled(|_| self.subjects.get(code).cloned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs::{read_dir, read_to_string};

    use axum::http::{HeaderValue, header};

    use super::*;
    use crate::connect::Failure;
    use crate::problem::Problem;

    const OF_PYTHON: &str = "../../python/tokentoss/texts";

    fn languages_in(folder: &str) -> BTreeSet<String> {
        let names = read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let names = names.map(|name| name.into_string().expect("text"));
        names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect()
    }

    #[test]
    fn the_files_are_the_python_packages() {
        for (language, file) in FILES {
            let theirs = read_to_string(format!("{OF_PYTHON}/{language}.json")).expect("a file");
            assert!(file == theirs, "{language}: `npm run build` copies it");
        }
        let known: BTreeSet<String> = FILES.map(|(language, _)| language.to_owned()).into();
        assert_eq!(known, languages_in(OF_PYTHON), "each is named above");
        assert_eq!(known, languages_in("texts"), "none is left over");
    }

    #[test]
    fn every_language_has_every_text() {
        for ((language, _), texts) in FILES.iter().zip(&*TABLE) {
            assert_eq!(texts.language, *language);
            assert!(!texts.pages.signed_in.to_string().is_empty(), "{language}");
        }
    }

    #[test]
    fn every_failure_and_every_problem_has_its_sentence() {
        let failures = Failure::every();
        let problems = Problem::every();
        let codes = failures.iter().map(Failure::code).chain(problems.iter().map(Problem::code));
        for code in codes {
            for texts in &*TABLE {
                let sentence = texts.sentence(code, None).expect(code);
                assert!(sentence.ends_with(['.', ')']) && !sentence.contains('{'), "{sentence}");
            }
        }
    }

    #[test]
    fn a_sentence_names_what_it_is_about() {
        let [english, german] = &*TABLE;
        assert_eq!(
            german.sentence("invalid_grant", Some("as.example")).as_deref(),
            Some("\u{2068}as.example\u{2069} akzeptiert diese Anmeldung nicht mehr. Melden Sie sich neu an.")
        );
        assert_eq!(
            english.sentence("invalid_grant", None).as_deref(),
            Some("The token endpoint no longer accepts this sign-in. Sign in again.")
        );
        assert_eq!(english.sentence("no_such_code", None), None);
    }

    #[test]
    fn a_request_has_the_texts_of_its_language() {
        let of = |value: &'static str| {
            let value = (header::ACCEPT_LANGUAGE, HeaderValue::from_static(value));
            Texts::of(&HeaderMap::from_iter([value])).language
        };
        assert_eq!((of("de-AT,en;q=0.5"), of("fr"), of("en-GB")), ("de", "en", "en"));
        assert_eq!(Texts::of(&HeaderMap::new()).language, "en");
    }
}
