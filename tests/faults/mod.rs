//! Nothing lost, nothing twice: loaders are killed, cut off, frozen and raced at every step,
//! and what they leave is compared with an undisturbed run. Every test makes sure that its
//! fault happened.

mod every_message;
