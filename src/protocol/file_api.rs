//! file_api (to come).
