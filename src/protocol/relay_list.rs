//! relay_list (to come).
