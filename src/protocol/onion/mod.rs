//! Onion requests v4 (to come).
