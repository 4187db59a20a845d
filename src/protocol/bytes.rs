//! bytes (to come).
