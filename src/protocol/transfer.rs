//! transfer (to come).
