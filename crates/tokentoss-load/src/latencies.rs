//! How long answers took.

use std::time::Duration;

/// A quantile of durations, in milliseconds; `per_mille` of them are at most as long.
pub(crate) fn quantile(durations: &mut [Duration], per_mille: usize) -> f64 {
    durations.sort_unstable();
    let index = (durations.len() * per_mille).div_ceil(1000).saturating_sub(1);
    durations.get(index).map_or(f64::NAN, |duration| duration.as_secs_f64() * 1000.0)
}
