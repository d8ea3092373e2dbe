//! Points at which tests stop the process to kill it. Without the feature `failpoints` they compile to
//! nothing.

/// Blocks for ever at the point that the environment variable names, after printing its name.
#[cfg(feature = "failpoints")]
pub(crate) async fn reach(point: &'static str) {
    if std::env::var("TOKENTOSS_BROKER_FAILPOINT").is_ok_and(|named| named == point) {
        eprintln!("failpoint {point}");
        std::future::pending::<()>().await;
    }
}

/// A point of this name.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::failpoints::reach($name).await;
    };
}
