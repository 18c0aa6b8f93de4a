//! The hot path of k8sidx: audit.k8s.io/v1 events to ids and columns.
//!
//! What is plain is done here; everything else is left to the Python code, which is the
//! reference. See "The core" in docs/design.md.
#![forbid(unsafe_code)]

pub mod columns;
pub mod core;
pub mod event;
pub mod json;
pub mod moment;
pub mod parts;
pub mod pods;
pub mod redaction;
pub mod words;

#[cfg(feature = "python")]
mod python;
