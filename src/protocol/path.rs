//! path (to come).
