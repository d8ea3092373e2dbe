//! What happens to the world from outside: clocks, failovers, people.

use tokentoss_custody::{
    Decision, Demand, ErrorCause, Revoker, Status, Update, confirm, decide, reconnect, sign_out,
};

use super::callers::Caller;
use super::world::{END, Event, World, sign_in_of};

impl World {
    /// One thing, if the seed has it.
    pub(super) fn mischief(&mut self) {
        let faults = self.faults;
        match self.dice.between(0, 7) {
            0 if faults.jumps && self.faults.strikes(self.now, &mut self.dice) => {
                let jump = self.dice.one_of(&[1_000, 30_000, 600_000, 86_400_000]);
                if self.dice.chance(500) {
                    self.offset += i64::try_from(jump).expect("a day");
                    self.disturbed = Some(self.now);
                } else {
                    self.offset -= i64::try_from(jump).expect("a day");
                    self.put_back += jump;
                }
            }
            1 if faults.failover => self.fail_over(),
            2 if faults.endings => {
                let by = self.dice.one_of(&[Revoker::User, Revoker::Admin]);
                if let Some(update) = sign_out(self.store.row(), by) {
                    self.signed_out = true;
                    self.write(&update);
                }
            }
            3 if faults.endings => {
                self.provider.end();
                self.ended_by_user = true;
            }
            4 if faults.secrets => {
                let next = self.secrets.iter().max().map_or(0, |secret| secret + 1);
                if self.dice.chance(500) {
                    self.secrets.push(next);
                    self.revision.0 += 1;
                }
                self.provider.secrets = vec![next];
            }
            5 => self.sign_in(),
            6 if faults.failover => {
                if let Some(update) = confirm(self.store.row()) {
                    // An administrator may well bring back what a user ended, if the database lost that.
                    (self.signed_out, self.brought_back) = (false, true);
                    self.write(&update);
                }
            }
            7 if self.faults.strikes(self.now, &mut self.dice) => {
                self.store.down_until = self.now + self.dice.between(1, 20_000);
            }
            _ => {}
        }
    }

    fn write(&mut self, update: &Update) {
        let replica = usize::try_from(self.dice.between(0, 2)).expect("a replica");
        if let Some(version) = self.store.update(update) {
            self.replicas[replica].wrote(version);
        }
        self.wake();
    }

    fn sign_in(&mut self) {
        let sign_in = sign_in_of(&mut self.provider, self.now);
        let parameters = self.parameters(self.revision);
        let update = reconnect(self.clock(), self.store.row(), &sign_in, Default::default(), &parameters);
        (self.signed_out, self.ended_by_user, self.brought_back) = (false, false, false);
        self.write(&update);
    }

    /// An old row comes back. All replicas lose their connections and compare their journals before one of them serves.
    fn fail_over(&mut self) {
        self.failed_over = true;
        self.disturbed = Some(self.now);
        let writes = self.dice.between(1, 3);
        self.store.fail_over(usize::try_from(writes).expect("few"));
        for replica in 0..3 {
            let context = self.context(replica);
            let (clock, demand) = (self.clock(), Demand::for_scheduler());
            if let Decision::Correct(update) = decide(clock, self.store.row(), &demand, &context)
                && let Some(version) = self.store.update(&update)
            {
                self.replicas[replica].wrote(version);
            }
        }
    }

    /// No faults from now on; what needs a person is done.
    pub(super) fn calm(&mut self) {
        self.faults.end();
        self.secrets = self.provider.secrets.clone();
        self.revision.0 += 1;
        if matches!(self.store.row().status, Status::Error(ErrorCause::RolledBack)) {
            self.sign_in();
        }
        let mut time = self.now;
        while time + 60_000 < END {
            time += 60_000;
            self.callers.push(Caller::usual(time));
            self.at(time, Event::Caller(self.callers.len() - 1));
        }
        self.wake();
    }
}
