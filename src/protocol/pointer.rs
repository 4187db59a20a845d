//! pointer (to come).
