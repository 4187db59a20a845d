//! size_class (to come).
