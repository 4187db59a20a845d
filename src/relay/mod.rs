//! relay (to come).
