//! The rules of custody, one file per rule or attack.

mod answers;
mod attempt;
mod back_off;
mod clock_jumps;
mod diagram;
mod late_answers;
mod leases;
mod min_ttl;
mod refusals;
mod rejected;
mod rolled_back;
mod schedule;
mod scopes;
mod sign_out;
mod totality;
mod world;
