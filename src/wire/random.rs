//! The operating system's generator, as the random source that `protocol` asks its callers for.

use getrandom::SysRng;
use rand_core::UnwrapErr;

/// The operating system's generator; it panics when the system has no randomness to give, since nothing safe can follow.
#[must_use]
pub fn system() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

#[cfg(test)]
mod tests {
    use rand_core::Rng as _;

    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut a, mut b) = ([0; 32], [0; 32]);
        system().fill_bytes(&mut a);
        system().fill_bytes(&mut b);
        assert_ne!(a, b);
    }
}
