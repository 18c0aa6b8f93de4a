//! Parts of events that repeat: looked up by their bytes, made by Python once for each.

use foldhash::quality::RandomState;
use std::collections::HashMap;

pub const CALL: usize = 0;
pub const ACTOR: usize = 1;
pub const ORIGIN: usize = 2;
pub const AGENT: usize = 3;
pub const ANSWER: usize = 4;
pub const NOTES: usize = 5;
pub const FAMILIES: usize = 6;

/// Properties of a part, as Python gives them; the names are those of `k8sidx.events.core_parts`.
pub mod flag {
    pub const NOT_PLAIN: u32 = 1;
    pub const FORBIDDEN: u32 = 2;
    pub const FAILED: u32 = 4;
    pub const SUCCEEDED: u32 = 8;
    pub const REDACTED: u32 = 16;
    /// Bodies may hold other objects.
    pub const EMBEDDING: u32 = 32;
    /// Bodies are of a kind that holds secrets.
    pub const SENSITIVE: u32 = 64;
    /// Fields are promoted from bodies.
    pub const PROMOTES: u32 = 128;
    /// The object is a workload that is written.
    pub const WORKLOAD: u32 = 256;
}

/// What events need of a part.
#[derive(Clone, Default)]
pub struct Part {
    pub flags: u32,
    pub canonical: Vec<u8>,
    pub label: Vec<u8>,
}

/// The parts of one family. A key is at `keys[n]`; parts are learnt in the same order.
#[derive(Default)]
pub struct Family {
    places: HashMap<Vec<u8>, u32, RandomState>,
    pub keys: Vec<Vec<u8>>,
    pub learnt: Vec<Part>,
}

impl Family {
    pub fn place(&mut self, key: &[u8]) -> u32 {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.keys.len() as u32;
        self.places.insert(key.to_vec(), place);
        self.keys.push(key.to_vec());
        place
    }

    pub fn clear(&mut self) {
        self.places.clear();
        self.keys.clear();
        self.learnt.clear();
    }
}
