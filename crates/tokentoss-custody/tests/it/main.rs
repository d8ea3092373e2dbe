//! The rules of custody, one file per rule or attack.

// Clippy lets helpers panic that are compiled for tests alone.
#[cfg(test)]
mod answers;
#[cfg(test)]
mod attempt;
mod back_off;
mod clock_jumps;
mod diagram;
#[cfg(test)]
mod id_tokens;
mod late_answers;
mod leases;
mod min_ttl;
mod refusals;
mod rejected;
mod rolled_back;
mod schedule;
#[cfg(test)]
mod scopes;
mod sign_out;
mod totality;
#[cfg(test)]
mod world;
