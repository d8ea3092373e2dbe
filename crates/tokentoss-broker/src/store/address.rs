//! The address of a Postgres database.

use sqlx::postgres::PgConnectOptions;

use super::StoreError;

/// The parameters that the driver knows. It ignores all others, so a typo in `sslmode` would leave the
/// connection without TLS.
const PARAMETERS: [&str; 17] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// Parses an address. The error contains no part of it, because it may hold a password.
pub(super) fn postgres(address: &str) -> Result<PgConnectOptions, StoreError> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    if !names.all(|name| PARAMETERS.contains(&&*name) || name.starts_with("options[")) {
        return Err(StoreError::Parameter);
    }
    address.parse().map_err(|_: sqlx::Error| StoreError::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_nobody_knows_is_refused_and_not_shown() {
        assert!(postgres("postgres://broker@db.example/broker?sslmode=verify-full&options[a]=b").is_ok());
        for address in
            ["postgres://broker@db.example/broker?passwort=canary", "postgres://a/b?sslmod=canary#x"]
        {
            let refused = postgres(address).expect_err("refused");
            assert!(!format!("{refused} {refused:?}").contains("canary"));
            assert!(matches!(refused, StoreError::Parameter));
        }
        assert!(matches!(postgres("postgres://canary:canary"), Err(StoreError::Address)));
    }
}
