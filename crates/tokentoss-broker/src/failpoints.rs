//! Points at which tests stop the process to kill it. Without the feature `failpoints` they are nothing at all.

/// Stops for ever at the point that the environment names, and says so.
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
