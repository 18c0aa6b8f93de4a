//! Buffers of Arrow columns.

/// A column of texts: validity bits, 32-bit offsets and bytes.
pub struct Texts {
    pub offsets: Vec<u8>,
    pub bytes: Vec<u8>,
    pub valid: Bits,
}

impl Default for Texts {
    fn default() -> Self {
        Texts { offsets: vec![0; 4], bytes: Vec::new(), valid: Bits::default() }
    }
}

impl Texts {
    pub fn push(&mut self, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.bytes.extend_from_slice(value);
        }
        self.valid.push(value.is_some());
        self.offsets.extend_from_slice(&(self.bytes.len() as i32).to_le_bytes());
    }
}

/// A column of whole numbers.
#[derive(Default)]
pub struct Numbers {
    pub values: Vec<u8>,
    pub valid: Bits,
}

impl Numbers {
    pub fn push(&mut self, value: Option<i64>) {
        self.values.extend_from_slice(&value.unwrap_or(0).to_le_bytes());
        self.valid.push(value.is_some());
    }
}

#[derive(Default)]
pub struct Bits {
    pub bytes: Vec<u8>,
    pub count: usize,
    pub zeros: usize,
}

impl Bits {
    pub fn push(&mut self, bit: bool) {
        if self.count % 8 == 0 {
            self.bytes.push(0);
        }
        if bit {
            if let Some(last) = self.bytes.last_mut() {
                *last |= 1 << (self.count % 8);
            }
        } else {
            self.zeros += 1;
        }
        self.count += 1;
    }
}
