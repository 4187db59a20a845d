//! server (to come).
