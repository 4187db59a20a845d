//! address (to come).
