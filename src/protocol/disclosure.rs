//! disclosure (to come).
