//! keys (to come).
