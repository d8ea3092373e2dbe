//! Which faults a seed has, and how close together.

use super::Dice;

/// The faults of one seed.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// How often in a thousand a step that could lose something does, once the pause is over.
    pub permille: u64,
    /// Milliseconds between two faults that can lose an answer; with a longer grace no grant may be lost.
    pub pause: u64,
    /// Whether the clock jumps.
    pub jumps: bool,
    /// Whether a failover revives an old row.
    pub failover: bool,
    /// Whether the user and administrators end the grant.
    pub endings: bool,
    /// Whether the client's secrets change.
    pub secrets: bool,
    latest: Option<u64>,
}

impl Faults {
    /// The faults of a seed.
    pub fn draw(dice: &mut Dice) -> Self {
        Self {
            permille: dice.one_of(&[0, 50, 200, 500]),
            pause: dice.one_of(&[0, 100_000]),
            jumps: dice.chance(300),
            failover: dice.chance(200),
            endings: dice.chance(400),
            secrets: dice.chance(300),
            latest: None,
        }
    }

    /// Whether something happens now that can lose an answer.
    pub fn strikes(&mut self, now: u64, dice: &mut Dice) -> bool {
        let over = self.latest.is_none_or(|latest| now - latest >= self.pause);
        let strikes = over && dice.chance(self.permille);
        if strikes {
            self.latest = Some(now);
        }
        strikes
    }

    /// Ends all faults.
    pub fn end(&mut self) {
        *self = Self { permille: 0, jumps: false, failover: false, endings: false, secrets: false, ..*self };
    }
}
