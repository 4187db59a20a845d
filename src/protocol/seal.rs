//! seal (to come).
