//! Whether redaction leaves a body as it is, by its members and texts.
//!
//! The rules are those of `k8sidx/events/normalize/redact_walk.py`, drawn so wide that what they
//! find no word of is unchanged for certain. Of the rest, fragments that repeat from body to body
//! are judged by Python, once each: a member, a text, an object with a label and a value.

use crate::json::{unescape, Kind, Node, Reader};
use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};

/// Longest fragment that Python judges, in bytes; larger ones rarely repeat.
const LONGEST: usize = 2048;
/// Fragments and names that are remembered, and bytes of the fragments.
const KEPT: usize = 16_384;
const KEPT_BYTES: usize = 8 << 20;
/// Names of members whose objects repeat from body to body, and the least bytes of an object that
/// is looked up as a whole.
const REPEATED: [&[u8]; 3] = [b"fieldsV1", b"spec", b"template"];
const SHORTEST: usize = 64;
/// Characters at the end of a name that Python looks at.
const TAIL: usize = 200;
/// Bytes of moments, identifiers and numbers.
const QUIET: &[u8] = b"0123456789abcdef-:.TZ+";

/// Classes of bytes.
mod class {
    /// Not a byte of [`super::QUIET`].
    pub const LOUD: u8 = 1;
    /// It assigns a value to a name.
    pub const ASSIGNS: u8 = 2;
    pub const DASH: u8 = 4;
    pub const NOT_ASCII: u8 = 8;
}

/// Properties of a member's name.
mod name {
    /// Python judges the member: its name may mark a secret, or decides how its value is read.
    pub const MEMBER: u8 = 1;
    pub const VALUE: u8 = 2;
    pub const LABEL: u8 = 4;
    pub const KIND: u8 = 8;
    /// It makes an object an operation of a patch.
    pub const OPERATION: u8 = 16;
    /// Its object repeats.
    pub const REPEATED: u8 = 32;
    /// Words of a command: a container's arguments follow those of its command.
    pub const COMMAND: u8 = 64;
    pub const ARGUMENTS: u8 = 128;
    /// Only the value is looked at.
    pub const NONE: u8 = 0;
}

/// A body that redaction may change.
#[derive(Debug)]
struct InDoubt;

type Judged = Result<(), InDoubt>;

/// Verdict on a body.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Redaction may change it.
    #[default]
    InDoubt,
    Unchanged,
    /// Unchanged if the fragments are whose numbers are in this range of [`Judge::asked`].
    If(u32, u32),
}

/// Words and names that the rules are made of, from Python.
pub struct Words {
    /// One of these is in every text that redaction looks into, whatever its member.
    pub texts: Vec<Vec<u8>>,
    /// One of these, in any case, is in every text that assigns a value to a secret name.
    pub assigned: Vec<Vec<u8>>,
    /// One of these is in every squashed name that marks a secret.
    pub secret_names: Vec<Vec<u8>>,
    /// Squashed names of members with a value, and of those with the name of that value.
    pub value_names: Vec<Vec<u8>>,
    pub label_names: Vec<Vec<u8>>,
    /// Names of members that are read in a way of their own.
    pub members: Vec<Vec<u8>>,
    /// Kinds of objects that are.
    pub kinds: Vec<Vec<u8>>,
}

struct Rules {
    texts: AhoCorasick,
    assigned: AhoCorasick,
    secret_names: AhoCorasick,
    kinds: AhoCorasick,
    value_names: HashSet<Vec<u8>>,
    label_names: HashSet<Vec<u8>>,
    members: HashSet<Vec<u8>>,
    classes: [u8; 256],
}

/// Judges bodies, and remembers what it asked Python.
pub struct Judge {
    rules: Rules,
    names: HashMap<Vec<u8>, u8, RandomState>,
    places: HashMap<Vec<u8>, u32, RandomState>,
    pub fragments: Vec<Vec<u8>>,
    /// Whether redaction leaves a fragment as it is, as far as Python has judged.
    pub unchanged: Vec<bool>,
    /// Numbers of the fragments that verdicts of a chunk depend on.
    pub asked: Vec<u32>,
    /// Objects that redaction leaves as they are.
    repeated: HashSet<Vec<u8>, RandomState>,
    bytes: usize,
    key: Vec<u8>,
    scratch: Vec<u8>,
}

impl Rules {
    fn new(words: &Words) -> Result<Self, BuildError> {
        let automaton = |words: &[Vec<u8>], any_case: bool| {
            AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::DFA))
                .ascii_case_insensitive(any_case)
                .build(words)
        };
        let mut classes = [class::LOUD; 256];
        let is_quiet = |word: &Vec<u8>| {
            word.iter()
                .all(|byte| QUIET.contains(byte) || QUIET.contains(&byte.to_ascii_uppercase()))
        };
        if !words.texts.iter().chain(&words.assigned).any(is_quiet) {
            QUIET.iter().for_each(|byte| classes[*byte as usize] = 0);
        }
        b":=<".iter().for_each(|byte| classes[*byte as usize] |= class::ASSIGNS);
        classes[b'-' as usize] |= class::DASH;
        classes[128..].iter_mut().for_each(|known| *known |= class::NOT_ASCII);
        let set = |words: &[Vec<u8>]| words.iter().cloned().collect();
        Ok(Rules {
            texts: automaton(&words.texts, false)?,
            assigned: automaton(&words.assigned, true)?,
            secret_names: automaton(&words.secret_names, false)?,
            kinds: automaton(&words.kinds, false)?,
            value_names: set(&words.value_names),
            label_names: set(&words.label_names),
            members: set(&words.members),
            classes,
        })
    }

    /// Whether redaction leaves a text as it is, wherever it stands.
    fn is_plain(&self, text: &[u8]) -> bool {
        let classes = text.iter().fold(0, |seen, byte| seen | self.classes[*byte as usize]);
        if classes & class::NOT_ASCII != 0 {
            return false; // some letters are other cases of ASCII ones
        }
        if classes & class::DASH != 0 && has_option(text) {
            return false;
        }
        classes & class::LOUD == 0
            || (!self.texts.is_match(text)
                && (classes & class::ASSIGNS == 0 || !self.assigned.is_match(text)))
    }

    fn properties(&self, name: &[u8], squashed: &mut Vec<u8>) -> u8 {
        if !name.is_ascii() {
            return name::MEMBER | name::VALUE | name::LABEL;
        }
        squash(name, squashed);
        let mut properties = match name {
            b"kind" => name::KIND,
            b"op" => name::OPERATION,
            b"command" => name::COMMAND,
            b"args" => name::ARGUMENTS,
            _ if REPEATED.contains(&name) => name::REPEATED,
            _ => name::NONE,
        };
        if self.value_names.contains(squashed) {
            properties |= name::VALUE;
        }
        if self.label_names.contains(squashed) {
            properties |= name::LABEL;
        }
        if self.members.contains(name) || self.secret_names.is_match(&squashed[..]) {
            properties |= name::MEMBER;
        }
        properties
    }

    /// Whether a text may be the name of a secret.
    fn names_secret(&self, label: &[u8], squashed: &mut Vec<u8>) -> bool {
        squash(label, squashed);
        !label.is_ascii() || self.secret_names.is_match(&squashed[..])
    }
}

/// Whether a word of a text begins with a dash.
fn has_option(text: &[u8]) -> bool {
    memchr::memchr_iter(b'-', text).any(|at| at == 0 || text[at - 1] <= b' ')
}

/// Write the letters and digits at the end of a name, in lower case.
fn squash(name: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let tail = &name[name.len().saturating_sub(TAIL)..];
    into.extend(tail.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase));
}

impl Judge {
    pub fn new(words: &Words) -> Result<Self, BuildError> {
        Ok(Judge {
            rules: Rules::new(words)?,
            names: HashMap::default(),
            places: HashMap::default(),
            fragments: Vec::new(),
            unchanged: Vec::new(),
            asked: Vec::new(),
            repeated: HashSet::default(),
            bytes: 0,
            key: Vec::new(),
            scratch: Vec::new(),
        })
    }

    /// Judge an object.
    pub fn verdict(&mut self, reader: &Reader, text: &[u8], index: u32) -> Verdict {
        let first = self.asked.len() as u32;
        if self.object(reader, text, index).is_err() {
            self.asked.truncate(first as usize);
            return Verdict::InDoubt;
        }
        match self.asked.len() as u32 {
            last if last == first => Verdict::Unchanged,
            last => Verdict::If(first, last),
        }
    }

    /// Whether redaction leaves a body as it is for certain; all fragments are judged.
    pub fn is_unchanged(&self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::InDoubt => false,
            Verdict::Unchanged => true,
            Verdict::If(first, last) => self.asked[first as usize..last as usize]
                .iter()
                .all(|place| self.unchanged.get(*place as usize) == Some(&true)),
        }
    }

    /// Begin a chunk: verdicts of the last one are gone. There is no end to what clients send.
    pub fn begin(&mut self) {
        self.asked.clear();
        if self.fragments.len() + self.repeated.len() > KEPT || self.bytes > KEPT_BYTES {
            self.repeated.clear();
            self.places.clear();
            self.fragments.clear();
            self.unchanged.clear();
            self.bytes = 0;
        }
        if self.names.len() > KEPT {
            self.names.clear();
        }
    }

    fn object(&mut self, reader: &Reader, text: &[u8], index: u32) -> Judged {
        let node = reader.nodes[index as usize];
        let (mut has_value, mut has_label, mut words) = (false, false, name::NONE);
        let mut key = node.child;
        while key != 0 {
            let member = reader.nodes[key as usize];
            let value = reader.nodes[member.next as usize];
            let properties = self.properties(text, member);
            if properties != name::NONE {
                let is_text = value.kind == Kind::Text;
                if properties & name::OPERATION != 0
                    || (properties & name::KIND != 0 && is_text && self.is_of_a_kind(text, value))
                {
                    return Err(InDoubt);
                }
                words |= properties & (name::COMMAND | name::ARGUMENTS);
                has_value |= properties & name::VALUE != 0;
                has_label |=
                    properties & name::LABEL != 0 && is_text && self.names_secret(text, value);
                if properties & name::MEMBER != 0 {
                    if !reader.mask.hides(text, member, value) {
                        self.ask(b'm', text, member.start as usize - 1, end(value))?;
                    }
                    key = value.next;
                    continue;
                }
                if properties & name::REPEATED != 0 && value.kind == Kind::Object {
                    self.repeated(reader, text, member.next)?;
                    key = value.next;
                    continue;
                }
            }
            self.value(reader, text, member.next)?;
            key = value.next;
        }
        if (has_value && has_label) || words == name::COMMAND | name::ARGUMENTS {
            self.ask(b'v', text, node.start as usize, node.end as usize)?;
        }
        Ok(())
    }

    /// Judge an object of which many bodies have the same.
    fn repeated(&mut self, reader: &Reader, text: &[u8], index: u32) -> Judged {
        let node = reader.nodes[index as usize];
        let slice = &text[node.start as usize..node.end as usize];
        let is_kept = (SHORTEST..=LONGEST).contains(&slice.len());
        if is_kept && self.repeated.contains(slice) {
            return Ok(());
        }
        let asked = self.asked.len();
        self.object(reader, text, index)?;
        if is_kept && self.asked.len() == asked {
            self.repeated.insert(slice.to_vec());
            self.bytes += slice.len();
        }
        Ok(())
    }

    fn value(&mut self, reader: &Reader, text: &[u8], index: u32) -> Judged {
        let node = reader.nodes[index as usize];
        match node.kind {
            Kind::Object => self.object(reader, text, index),
            Kind::Array => self.array(reader, text, node),
            Kind::Text => self.text(text, node),
            Kind::Number | Kind::Word | Kind::Null => Ok(()),
        }
    }

    fn array(&mut self, reader: &Reader, text: &[u8], node: Node) -> Judged {
        let mut element = node.child;
        while element != 0 {
            let value = reader.nodes[element as usize];
            if value.kind == Kind::Text && !self.is_plain(text, value) {
                // The words of a command, or the lines of a text, are read together.
                return self.ask(b'v', text, node.start as usize, node.end as usize);
            }
            element = value.next;
        }
        let mut element = node.child;
        while element != 0 {
            if reader.nodes[element as usize].kind != Kind::Text {
                self.value(reader, text, element)?;
            }
            element = reader.nodes[element as usize].next;
        }
        Ok(())
    }

    fn text(&mut self, text: &[u8], node: Node) -> Judged {
        if self.is_plain(text, node) {
            return Ok(());
        }
        self.ask(b'v', text, node.start as usize - 1, end(node))
    }

    fn is_plain(&mut self, text: &[u8], node: Node) -> bool {
        let slice = &text[node.start as usize..node.end as usize];
        if !node.escaped {
            return self.rules.is_plain(slice);
        }
        self.scratch.clear();
        unescape(slice, &mut self.scratch);
        self.rules.is_plain(&self.scratch)
    }

    fn properties(&mut self, text: &[u8], member: Node) -> u8 {
        let slice = &text[member.start as usize..member.end as usize];
        if let Some(properties) = self.names.get(slice) {
            return *properties;
        }
        let properties = self.rules.properties(&member.decoded(text), &mut self.scratch);
        self.names.insert(slice.to_vec(), properties);
        properties
    }

    fn is_of_a_kind(&self, text: &[u8], value: Node) -> bool {
        self.rules.kinds.is_match(value.decoded(text).as_ref())
    }

    fn names_secret(&mut self, text: &[u8], value: Node) -> bool {
        self.rules.names_secret(&value.decoded(text), &mut self.scratch)
    }

    /// Depend on Python's judgement of a fragment.
    ///
    /// `tag` is `m` for a member and `v` for a value.
    fn ask(&mut self, tag: u8, text: &[u8], start: usize, end: usize) -> Judged {
        if end - start > LONGEST {
            return Err(InDoubt);
        }
        self.key.clear();
        self.key.push(tag);
        self.key.extend_from_slice(&text[start..end]);
        let place = match self.places.get(&self.key) {
            Some(place) => *place,
            None => {
                let place = self.fragments.len() as u32;
                self.places.insert(self.key.clone(), place);
                self.fragments.push(self.key.clone());
                self.bytes += 2 * self.key.len();
                place
            }
        };
        match self.unchanged.get(place as usize) {
            Some(true) => {}
            Some(false) => return Err(InDoubt),
            None => self.asked.push(place),
        }
        Ok(())
    }
}

/// Return where a value ends, a text's last quote included.
fn end(node: Node) -> usize {
    node.end as usize + usize::from(node.kind == Kind::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge() -> Judge {
        let words = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect();
        Judge::new(&Words {
            texts: words(&["://", "eyJ"]),
            assigned: words(&["password"]),
            secret_names: words(&["password", "token"]),
            value_names: words(&["value"]),
            label_names: words(&["name"]),
            members: words(&["env"]),
            kinds: words(&["Secret"]),
        })
        .unwrap()
    }

    fn verdict(judge: &mut Judge, text: &str) -> Verdict {
        let mut reader = Reader::default();
        reader.read(text.as_bytes(), 0, text.len()).unwrap();
        judge.verdict(&reader, text.as_bytes(), 0)
    }

    #[test]
    fn bodies_without_a_word_are_unchanged() {
        for text in [
            "{}",
            r#"{"kind":"Pod","a":[{"name":"x","b":"2026-11-23T20:27:30Z"},1,null,"x:y"]}"#,
            r#"{"name":"web","value":"x","path":"a-b"}"#,
        ] {
            assert_eq!(verdict(&mut judge(), text), Verdict::Unchanged, "{text}");
        }
    }

    #[test]
    fn bodies_of_other_kinds_and_patches_are_in_doubt() {
        for text in [
            r#"{"a":{"kind":"Secret"}}"#,
            r#"{"k\u0069nd":"\u0053ecret"}"#,
            r#"[{"op":"add"}]"#.replace('[', r#"{"x":["#).replace("}]", "}]}").as_str(),
        ] {
            assert_eq!(verdict(&mut judge(), text), Verdict::InDoubt, "{text}");
        }
    }

    #[test]
    fn fragments_with_a_word_are_asked_about() {
        for (text, fragment) in [
            (r#"{"a":{"user_Password":1}}"#, r#"m"user_Password":1"#),
            (r#"{"\u0074oken":{"a":"x"}}"#, r#"m"\u0074oken":{"a":"x"}"#),
            (r#"{"env":["x"]}"#, r#"m"env":["x"]"#),
            (r#"{"a":"x: passWord"}"#, r#"v"x: passWord""#),
            (r#"{"a":"http:\/\/b"}"#, r#"v"http:\/\/b""#),
            (r#"{"a":["\u00e9"]}"#, r#"v["\u00e9"]"#),
            (r#"{"a":"x -p"}"#, r#"v"x -p""#),
            (r#"{"a":["b","-c"]}"#, r#"v["b","-c"]"#),
            (r#"{"a":{"args":["x"],"command":["y"]}}"#, r#"v{"args":["x"],"command":["y"]}"#),
            (r#"{"a":[{"name":"TOKEN","value":1}]}"#, r#"v{"name":"TOKEN","value":1}"#),
        ] {
            let mut judge = judge();
            let verdict = verdict(&mut judge, text);
            assert_eq!(verdict, Verdict::If(0, 1), "{text}");
            assert_eq!(String::from_utf8_lossy(&judge.fragments[0]), fragment);
            assert!(!judge.is_unchanged(verdict));
            judge.unchanged.push(true);
            assert!(judge.is_unchanged(verdict));
        }
    }

    #[test]
    fn an_object_that_repeats_is_judged_by_all_of_its_bytes() {
        let mut judge = judge();
        let body = |value: &str| {
            let others = r#""b":"x","#.repeat(10).replace('b', "c");
            format!(r#"{{"spec":{{"a":"{value}",{others}"d":{{"name":"y"}}}}}}"#)
        };
        let is_judged = |judge: &mut Judge, value: &str| verdict(judge, &body(value));
        for _ in 0..2 {
            assert_eq!(is_judged(&mut judge, "x"), Verdict::Unchanged);
            assert_eq!(judge.repeated.len(), 1);
        }
        assert_eq!(is_judged(&mut judge, "eyJ"), Verdict::If(0, 1));
        judge.unchanged.push(false);
        assert_eq!(is_judged(&mut judge, "eyJ"), Verdict::InDoubt);
        assert_eq!(judge.repeated.len(), 1);
    }

    #[test]
    fn what_python_changes_is_in_doubt_from_then_on() {
        let mut judge = judge();
        let text = r#"{"token":"x"}"#;
        verdict(&mut judge, text);
        judge.unchanged.push(false);
        assert_eq!(verdict(&mut judge, text), Verdict::InDoubt);
        let long = format!(r#"{{"token":"{}"}}"#, "x".repeat(LONGEST));
        assert_eq!(verdict(&mut judge, &long), Verdict::InDoubt);
    }
}
