//! net (to come).
