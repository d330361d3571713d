//! Whose fault is an error: one record's, or everybody's?

mod by_trial;
