//! digest (to come).
