//! gui (to come).
