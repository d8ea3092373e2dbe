//! The ranges of numbers and the lengths of texts in the configuration. Values outside them would fail only
//! at run time.

use std::fmt::Display;
use std::ops::RangeInclusive;

use axum::http::HeaderName;

use super::{Config, ConfigError};

/// A time limit is at most one hour.
const SECONDS: RangeInclusive<u64> = 1..=3600;
/// The time limit to connect.
const CONNECT_SECONDS: RangeInclusive<u64> = 1..=60;
/// At most one tebibyte.
const BYTES: RangeInclusive<u64> = 1..=1 << 40;
/// Calls of one user at once.
const AT_ONCE: RangeInclusive<usize> = 1..=10_000;
/// Calls of one user in a minute.
const PER_MINUTE: RangeInclusive<u32> = 1..=1_000_000;
/// Ten years.
const DAYS: RangeInclusive<u32> = 1..=3650;
/// The range of a database column.
const REVISION: RangeInclusive<u64> = 0..=i64::MAX.unsigned_abs();
/// More secrets could not all be tried before a waiting sign-in counts as interrupted.
const SECRETS: RangeInclusive<usize> = 0..=4;
/// The longest audience, in bytes: it is part of a database index, together with the scopes.
const AUDIENCE: usize = 512;
/// The longest name of a header, in bytes.
const HEADER_NAME: usize = 64;

/// All settings that are out of their ranges.
pub(crate) fn problems(config: &Config) -> Vec<ConfigError> {
    let mut found = Found(Vec::new());
    let limits = &config.through;
    found.number("through.request_bytes", limits.request_bytes, &BYTES);
    found.number("through.response_bytes", limits.response_bytes, &BYTES);
    found.number("through.at_once", limits.at_once, &AT_ONCE);
    found.number("through.per_minute", limits.per_minute, &PER_MINUTE);
    found.number("through.connect_seconds", limits.connect_seconds, &CONNECT_SECONDS);
    found.number("through.answer_seconds", limits.answer_seconds, &SECONDS);
    found.number("through.idle_seconds", limits.idle_seconds, &SECONDS);
    for (name, provider) in &config.providers {
        let setting = |setting: &str| format!("providers.{name}.{setting}");
        if let Some(days) = provider.forgets_after_days {
            found.number(&setting("forgets_after_days"), days, &DAYS);
        }
        found.number(&setting("client_revision"), provider.client_revision, &REVISION);
        if !provider.audiences.iter().all(|audience| is_audience(audience)) {
            found.add(
                setting("audiences"),
                format!("each must have 1 to {AUDIENCE} visible ASCII characters"),
            );
        }
        if !SECRETS.contains(&provider.client_secrets.len()) {
            found.add(setting("client_secrets"), format!("must have at most {} secrets", SECRETS.end()));
        }
    }
    for (name, caller) in &config.callers {
        for (setting, header) in
            [("tenant_header", &caller.tenant_header), ("user_header", &caller.user_header)]
        {
            let is_name = header.len() <= HEADER_NAME && HeaderName::from_bytes(header.as_bytes()).is_ok();
            if !is_name {
                let reason = format!("must be a header name of at most {HEADER_NAME} characters");
                found.add(format!("callers.{name}.{setting}"), reason);
            }
        }
    }
    if config.listen == config.admin_listen && config.listen.port() != 0 {
        let reason = "must differ from `listen`, because only administrators may reach it".to_owned();
        found.add("admin_listen".to_owned(), reason);
    }
    found.0
}

fn is_audience(audience: &str) -> bool {
    (1..=AUDIENCE).contains(&audience.len()) && audience.bytes().all(|byte| byte.is_ascii_graphic())
}

struct Found(Vec<ConfigError>);

impl Found {
    fn number<N: Display + PartialOrd>(&mut self, setting: &str, number: N, range: &RangeInclusive<N>) {
        if !range.contains(&number) {
            self.add(
                setting.to_owned(),
                format!("must be a number from {} to {}", range.start(), range.end()),
            );
        }
    }

    fn add(&mut self, setting: String, reason: String) {
        self.0.push(ConfigError::Setting { setting, reason: reason.into() });
    }
}
