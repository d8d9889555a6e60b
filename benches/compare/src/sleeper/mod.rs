//! What a consumer that sleeps costs: its producers, and until it is awake.

mod asleep;
mod pay;
mod wake;

use crate::case::{Case, Group};

pub const GROUP: Group = Group {
    name: "sleeper",
    about: "what a consumer that sleeps costs its producers, and how fast it is woken",
    explained: "What a producer takes for records of 64 bytes behind one that is not finished yet, so that nobody is woken: the
        consumer has never slept, has slept, or sleeps (producer). How long it is from just before a record is sent until
        whoever slept has it, beside a bare futex, and channels that sleep (wake); the system has said before each that
        the thread sleeps.",
    packages: &["crossbeam-channel", "kanal"],
    ready: || Ok(()),
    needs: "sleeper",
    cases,
};

fn cases() -> Vec<Case> {
    vec![pay::case(), wake::case(50), wake::case(99)]
}
