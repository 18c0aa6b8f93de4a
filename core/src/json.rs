//! Strict JSON reader: a flat list of nodes over the text, and what of it is canonical already.

use std::borrow::Cow;

/// Deepest nesting that is read; Python's readers take a little more.
const DEPTH: u32 = 200;
/// Longest whole number, in characters: anything longer may not fit 64 bits.
const NUMBER: usize = 18;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Object,
    Array,
    Text,
    Number,
    Word,
    Null,
}

/// A value, or the key of a member. `start..end` is its text, that of a string without quotes.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub kind: Kind,
    /// A string with an escape in it.
    pub escaped: bool,
    /// Its text is what canonical JSON has for it.
    pub canonical: bool,
    pub start: u32,
    pub end: u32,
    /// Of a key: its value. Of a value: the next key or element. 0 for none.
    pub next: u32,
    /// Of an object or array: the first key or element. 0 for none.
    pub child: u32,
}

/// The text is not JSON that this reader takes.
#[derive(Debug, PartialEq, Eq)]
pub struct NotPlain;

pub type Plain<T> = Result<T, NotPlain>;

/// Texts of one key that canonical JSON does not have: a mark stands for them.
#[derive(Default)]
pub struct Mask {
    pub key: Vec<u8>,
    pub mark: Vec<u8>,
    /// How a text begins that is a mark already.
    pub marked: Vec<u8>,
}

impl Mask {
    /// Whether a member's text is replaced.
    pub fn hides(&self, text: &[u8], key: Node, value: Node) -> bool {
        value.kind == Kind::Text
            && !self.key.is_empty()
            && key.end - key.start >= self.key.len() as u32
            && key.decoded(text).as_ref() == self.key.as_slice()
            && !value.decoded(text).starts_with(&self.marked)
    }
}

impl Node {
    /// Return the text of a string with its escapes undone.
    pub fn decoded(self, text: &[u8]) -> Cow<'_, [u8]> {
        let slice = &text[self.start as usize..self.end as usize];
        if self.escaped {
            Cow::Owned(plain(slice))
        } else {
            Cow::Borrowed(slice)
        }
    }
}

#[derive(Default)]
pub struct Reader {
    pub nodes: Vec<Node>,
    pub mask: Mask,
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    depth: u32,
}

impl Reader {
    /// Read the whole text; the first node is its value.
    ///
    /// The text is UTF-8 of less than 4 GB.
    pub fn read(&mut self, text: &[u8], start: usize, end: usize) -> Plain<()> {
        self.nodes.clear();
        let mut cursor = Cursor { text: &text[..end], at: start, depth: 0 };
        cursor.blanks();
        self.value(&mut cursor)?;
        cursor.blanks();
        if cursor.at == end {
            Ok(())
        } else {
            Err(NotPlain)
        }
    }

    /// Return the value of a member, 0 when there is none.
    ///
    /// A key that is written with an escape could be the one that is looked for.
    pub fn member(&self, text: &[u8], object: u32, name: &[u8]) -> Plain<u32> {
        let node = self.nodes[object as usize];
        if node.kind != Kind::Object {
            return Ok(0);
        }
        let mut key = node.child;
        let mut value = 0;
        while key != 0 {
            let member = self.nodes[key as usize];
            if member.escaped {
                return Err(NotPlain);
            }
            if &text[member.start as usize..member.end as usize] == name {
                value = member.next;
            }
            key = self.nodes[member.next as usize].next;
        }
        Ok(value)
    }

    fn value(&mut self, cursor: &mut Cursor) -> Plain<u32> {
        cursor.depth += 1;
        if cursor.depth > DEPTH {
            return Err(NotPlain);
        }
        let me = self.nodes.len();
        let start = cursor.at as u32;
        let mut node = Node {
            kind: Kind::Null,
            escaped: false,
            canonical: true,
            start,
            end: 0,
            next: 0,
            child: 0,
        };
        self.nodes.push(node);
        match cursor.peek()? {
            b'"' => node = cursor.string()?,
            b'{' => self.object(cursor, &mut node)?,
            b'[' => self.array(cursor, &mut node)?,
            b't' => cursor.word(b"true", Kind::Word, &mut node)?,
            b'f' => cursor.word(b"false", Kind::Word, &mut node)?,
            b'n' => cursor.word(b"null", Kind::Null, &mut node)?,
            _ => cursor.number(&mut node)?,
        }
        if node.kind != Kind::Text {
            node.end = cursor.at as u32;
        }
        self.nodes[me] = node;
        cursor.depth -= 1;
        Ok(me as u32)
    }

    fn object(&mut self, cursor: &mut Cursor, node: &mut Node) -> Plain<()> {
        node.kind = Kind::Object;
        cursor.at += 1;
        node.canonical &= !cursor.blanks();
        if cursor.peek()? == b'}' {
            cursor.at += 1;
            return Ok(());
        }
        let mut last = 0usize;
        let mut before: Option<Node> = None;
        loop {
            if cursor.peek()? != b'"' {
                return Err(NotPlain);
            }
            let key = cursor.string()?;
            let at = self.nodes.len();
            self.nodes.push(key);
            if last == 0 {
                node.child = at as u32;
            } else {
                self.nodes[last].next = at as u32;
            }
            node.canonical &= key.canonical && !key.escaped;
            if let Some(before) = before {
                node.canonical =
                    node.canonical && is_before(cursor.slice(before), cursor.slice(key));
            }
            before = Some(key);
            node.canonical &= !cursor.blanks();
            if cursor.peek()? != b':' {
                return Err(NotPlain);
            }
            cursor.at += 1;
            node.canonical &= !cursor.blanks();
            let value = self.value(cursor)?;
            self.nodes[at].next = value;
            last = value as usize;
            node.canonical &= self.nodes[last].canonical && !cursor.blanks();
            node.canonical &= !self.mask.hides(cursor.text, key, self.nodes[last]);
            match cursor.take()? {
                b',' => node.canonical &= !cursor.blanks(),
                b'}' => return Ok(()),
                _ => return Err(NotPlain),
            }
        }
    }

    fn array(&mut self, cursor: &mut Cursor, node: &mut Node) -> Plain<()> {
        node.kind = Kind::Array;
        cursor.at += 1;
        node.canonical &= !cursor.blanks();
        if cursor.peek()? == b']' {
            cursor.at += 1;
            return Ok(());
        }
        let mut last = 0usize;
        loop {
            let value = self.value(cursor)?;
            if last == 0 {
                node.child = value;
            } else {
                self.nodes[last].next = value;
            }
            last = value as usize;
            node.canonical &= self.nodes[last].canonical && !cursor.blanks();
            match cursor.take()? {
                b',' => node.canonical &= !cursor.blanks(),
                b']' => return Ok(()),
                _ => return Err(NotPlain),
            }
        }
    }
}

impl Cursor<'_> {
    fn peek(&self) -> Plain<u8> {
        self.text.get(self.at).copied().ok_or(NotPlain)
    }

    fn take(&mut self) -> Plain<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    /// Pass over white space; returns whether there was any.
    fn blanks(&mut self) -> bool {
        let start = self.at;
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.at > start
    }

    fn slice(&self, node: Node) -> &[u8] {
        &self.text[node.start as usize..node.end as usize]
    }

    fn word(&mut self, word: &[u8], kind: Kind, node: &mut Node) -> Plain<()> {
        if !self.text[self.at..].starts_with(word) {
            return Err(NotPlain);
        }
        self.at += word.len();
        node.kind = kind;
        Ok(())
    }

    /// Whole numbers only: ids depend on how Python writes the others.
    fn number(&mut self, node: &mut Node) -> Plain<()> {
        node.kind = Kind::Number;
        let start = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let digits = self.at;
        while matches!(self.text.get(self.at), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        let count = self.at - digits;
        let zero = self.text.get(digits) == Some(&b'0');
        let is_odd = zero && (count > 1 || digits > start);
        let goes_on = matches!(self.text.get(self.at), Some(b'.' | b'e' | b'E'));
        if count == 0 || is_odd || goes_on || self.at - start > NUMBER {
            return Err(NotPlain);
        }
        Ok(())
    }

    fn string(&mut self) -> Plain<Node> {
        self.at += 1;
        let mut node = Node {
            kind: Kind::Text,
            escaped: false,
            canonical: true,
            start: self.at as u32,
            end: 0,
            next: 0,
            child: 0,
        };
        loop {
            self.at = special(self.text, self.at);
            match self.peek()? {
                b'"' => {
                    node.end = self.at as u32;
                    self.at += 1;
                    return Ok(node);
                }
                b'\\' => {
                    node.escaped = true;
                    match self.text.get(self.at + 1).ok_or(NotPlain)? {
                        b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
                        b'/' => {
                            node.canonical = false;
                            self.at += 2;
                        }
                        b'u' => {
                            node.canonical = false;
                            self.code_point()?;
                        }
                        _ => return Err(NotPlain),
                    }
                }
                _ => return Err(NotPlain), // a control character
            }
        }
    }

    fn code_point(&mut self) -> Plain<()> {
        let unit = hex(self.text, self.at + 2).ok_or(NotPlain)?;
        self.at += 6;
        match unit {
            0xD800..=0xDBFF => {
                let is_pair = self.text.get(self.at..self.at + 2) == Some(b"\\u".as_slice());
                match hex(self.text, self.at + 2) {
                    Some(0xDC00..=0xDFFF) if is_pair => {
                        self.at += 6;
                        Ok(())
                    }
                    _ => Err(NotPlain),
                }
            }
            0xDC00..=0xDFFF => Err(NotPlain),
            _ => Ok(()),
        }
    }
}

/// Return the place of the first quote, backslash or control character.
fn special(text: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(bytes) = text.get(at..at + 8) {
        let word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        let hit = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let hit = hit & HIGH;
        if hit != 0 {
            // A borrow may set bits above the first hit, never below it.
            return at + (hit.trailing_zeros() >> 3) as usize;
        }
        at += 8;
    }
    while at < text.len() && !matches!(text[at], b'"' | b'\\' | 0..=0x1f) {
        at += 1;
    }
    at
}

/// Whether a text sorts before another; most differ in their first byte.
fn is_before(text: &[u8], other: &[u8]) -> bool {
    match (text.first(), other.first()) {
        (Some(first), Some(second)) if first != second => first < second,
        _ => text < other,
    }
}

fn hex(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    let mut value = 0;
    for digit in digits {
        value = value * 16 + (*digit as char).to_digit(16)?;
    }
    Some(value)
}

/// Append the text of a string with its escapes undone; the reader has accepted it.
pub fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < text.len() {
        let end = text[at..].iter().position(|byte| *byte == b'\\').map_or(text.len(), |n| at + n);
        out.extend_from_slice(&text[at..end]);
        at = end;
        if at + 1 >= text.len() {
            return;
        }
        at += 2;
        match text[at - 1] {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let mut code = hex(text, at).unwrap_or(0xFFFD);
                at += 4;
                if (0xD800..0xDC00).contains(&code) {
                    let low = hex(text, at + 2).unwrap_or(0xDC00);
                    code = 0x10000 + ((code - 0xD800) << 10) + low.saturating_sub(0xDC00);
                    at += 6;
                }
                let mut buffer = [0; 4];
                let letter = char::from_u32(code).unwrap_or('\u{FFFD}');
                out.extend_from_slice(letter.encode_utf8(&mut buffer).as_bytes());
            }
            other => out.push(other),
        }
    }
}

/// Append a text as JSON has it between the quotes, with the escapes that orjson writes.
pub fn escape(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut at = 0;
    loop {
        let end = special(text, at);
        out.extend_from_slice(&text[at..end]);
        let Some(byte) = text.get(end) else { return };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                let digits = [HEX[(other >> 4) as usize], HEX[(other & 15) as usize]];
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&digits);
            }
        }
        at = end + 1;
    }
}

/// Append canonical JSON of a value: compact, keys sorted by their decoded bytes.
pub fn canonical(reader: &Reader, text: &[u8], index: u32, out: &mut Vec<u8>) -> Plain<()> {
    write_canonical(reader, text, index, &mut Vec::new(), out)
}

/// As [`canonical`]; `keys` has those of the objects that the value is in.
fn write_canonical(
    reader: &Reader,
    text: &[u8],
    index: u32,
    keys: &mut Vec<u32>,
    out: &mut Vec<u8>,
) -> Plain<()> {
    let node = reader.nodes[index as usize];
    let slice = &text[node.start as usize..node.end as usize];
    if node.kind == Kind::Text {
        write_string(slice, node, out);
        return Ok(());
    }
    if node.canonical {
        out.extend_from_slice(slice);
        return Ok(());
    }
    match node.kind {
        Kind::Array => {
            out.push(b'[');
            let mut element = node.child;
            while element != 0 {
                write_canonical(reader, text, element, keys, out)?;
                element = reader.nodes[element as usize].next;
                if element != 0 {
                    out.push(b',');
                }
            }
            out.push(b']');
        }
        Kind::Object => members(reader, text, node, keys, out)?,
        _ => out.extend_from_slice(slice),
    }
    Ok(())
}

fn members(
    reader: &Reader,
    text: &[u8],
    node: Node,
    keys: &mut Vec<u32>,
    out: &mut Vec<u8>,
) -> Plain<()> {
    let slice = |index: u32| {
        let key = reader.nodes[index as usize];
        &text[key.start as usize..key.end as usize]
    };
    let first = keys.len();
    let mut escaped = false;
    let mut is_sorted = true;
    let mut key = node.child;
    while key != 0 {
        let member = reader.nodes[key as usize];
        escaped |= member.escaped;
        if let Some(last) = keys[first..].last() {
            is_sorted = is_sorted && is_before(slice(*last), slice(key));
        }
        keys.push(key);
        key = reader.nodes[member.next as usize].next;
    }
    if escaped {
        let mut decoded: Vec<(Vec<u8>, u32)> =
            keys[first..].iter().map(|k| (plain(slice(*k)), *k)).collect();
        decoded.sort();
        if decoded.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(NotPlain);
        }
        keys.truncate(first);
        keys.extend(decoded.into_iter().map(|(_, key)| key));
    } else if !is_sorted {
        let own = &mut keys[first..];
        own.sort_unstable_by(|x, y| slice(*x).cmp(slice(*y)));
        if own.windows(2).any(|pair| slice(pair[0]) == slice(pair[1])) {
            return Err(NotPlain);
        }
    }
    out.push(b'{');
    for place in first..keys.len() {
        let key = keys[place];
        if place > first {
            out.push(b',');
        }
        let member = reader.nodes[key as usize];
        write_string(slice(key), member, out);
        out.push(b':');
        if reader.mask.hides(text, member, reader.nodes[member.next as usize]) {
            write_text(&reader.mask.mark, out);
            continue;
        }
        write_canonical(reader, text, member.next, keys, out)?;
    }
    keys.truncate(first);
    out.push(b'}');
    Ok(())
}

fn plain(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    unescape(text, &mut out);
    out
}

fn write_string(slice: &[u8], node: Node, out: &mut Vec<u8>) {
    if node.canonical {
        out.push(b'"');
        out.extend_from_slice(slice);
        out.push(b'"');
    } else {
        write_text(&plain(slice), out);
    }
}

/// Append a text as a JSON string.
pub fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    escape(text, out);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical_of(text: &str) -> Plain<String> {
        let mask =
            Mask { key: b"applied".to_vec(), mark: b"[gone]".to_vec(), marked: b"[gone".to_vec() };
        let mut reader = Reader { mask, ..Reader::default() };
        reader.read(text.as_bytes(), 0, text.len())?;
        let mut out = Vec::new();
        canonical(&reader, text.as_bytes(), 0, &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn keys_are_sorted_by_their_decoded_bytes() {
        assert_eq!(
            canonical_of(r#"{"b":1,"a":{"z":[1, 2],"y":null}}"#).unwrap(),
            r#"{"a":{"y":null,"z":[1,2]},"b":1}"#
        );
        assert_eq!(canonical_of(r#"{"b":1,"\u0061":2}"#).unwrap(), r#"{"a":2,"b":1}"#);
        assert_eq!(canonical_of(r#"{"a\"b":1,"a":2}"#).unwrap(), r#"{"a":2,"a\"b":1}"#);
    }

    #[test]
    fn texts_of_the_masked_key_are_replaced() {
        for key in ["applied", "\\u0061pplied"] {
            assert_eq!(
                canonical_of(&format!(r#"{{"a":{{"{key}":"{{\"x\":1}}","b":2}}}}"#)).unwrap(),
                r#"{"a":{"applied":"[gone]","b":2}}"#
            );
        }
        for text in [r#"{"applied":{"x":1}}"#, r#"{"applied":"[gone: 5 bytes]"}"#, r#"{"":"x"}"#] {
            assert_eq!(canonical_of(text).unwrap(), text);
        }
        assert_eq!(Reader::default().mask.key, b"");
    }

    #[test]
    fn strings_are_escaped_as_orjson_does() {
        assert_eq!(
            canonical_of(r#"["\/\u00e9\u0001\ud83d\ude00\u007f"]"#).unwrap(),
            "[\"/\u{e9}\\u0001\u{1f600}\u{7f}\"]"
        );
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            "1.5",
            "1e5",
            "-0",
            "01",
            "1234567890123456789",
            r#""\ud800""#,
            "\"\u{1}\"",
            "[1,]",
            "{\"a\" 1}",
            "[1",
            "nul",
            "1 2",
            "",
        ] {
            assert_eq!(canonical_of(text), Err(NotPlain), "{text}");
        }
        let deep = "[".repeat(300) + &"]".repeat(300);
        assert_eq!(canonical_of(&deep), Err(NotPlain));
    }
}
