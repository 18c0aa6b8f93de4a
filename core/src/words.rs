//! Texts that are looked for at once.

use aho_corasick::packed::{Config, MatchKind, Searcher};
use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};

/// Words of a vectorised search: with more its tests let too much through.
const TOGETHER: usize = 32;
/// Passes of it over a text that cost less than one of an automaton.
const PASSES: usize = 3;

/// A set of words. Of few, each pass over a text costs a fraction of what an automaton takes.
pub struct Words {
    bytes: Vec<u8>,
    groups: Vec<Searcher>,
    /// All longer words, where they are many or the processor has no vectorised search.
    automaton: Option<AhoCorasick>,
}

impl Words {
    pub fn new(words: &[Vec<u8>]) -> Result<Self, BuildError> {
        let (bytes, mut longer): (Vec<_>, Vec<_>) = words.iter().partition(|word| word.len() == 1);
        longer.sort_by_key(|word| word.len());
        let groups: Option<Vec<_>> = if longer.len() > PASSES * TOGETHER {
            None
        } else {
            longer.chunks(TOGETHER).map(searcher).collect()
        };
        let automaton = match groups {
            Some(_) => None,
            None => Some(AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(longer)?),
        };
        Ok(Words {
            bytes: bytes.into_iter().flatten().copied().collect(),
            groups: groups.unwrap_or_default(),
            automaton,
        })
    }

    /// Whether a text has one of the words.
    pub fn is_in(&self, text: &[u8]) -> bool {
        self.bytes.iter().any(|byte| memchr::memchr(*byte, text).is_some())
            || self.groups.iter().any(|group| group.find(text).is_some())
            || self.automaton.as_ref().is_some_and(|words| words.is_match(text))
    }
}

fn searcher(words: &[&Vec<u8>]) -> Option<Searcher> {
    Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(words).build()
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn each_word_is_seen_wherever_it_stands() {
        for count in [20, 90, 800] {
            check(count);
        }
        assert!(!Words::new(&[]).unwrap().is_in(b"text"));
    }

    fn check(count: usize) {
        let words: Vec<Vec<u8>> = ["@", "ey=", "eyJ", "env", "/args", "\"command\":["]
            .into_iter()
            .chain((0..count).map(|_| "x"))
            .enumerate()
            .map(|(number, word)| match word {
                "x" => format!("w{number:03}rd").into_bytes(),
                _ => word.as_bytes().to_vec(),
            })
            .collect();
        let set = Words::new(&words).unwrap();
        for word in &words {
            for before in [0, 1, 15, 31, 32, 63, 200] {
                for after in [0, 1, 40] {
                    let text = [vec![b'-'; before], word.clone(), vec![b'-'; after]].concat();
                    assert!(set.is_in(&text), "{:?}", String::from_utf8_lossy(&text));
                }
            }
        }
        assert!(!set.is_in(b"") && !set.is_in(&[b'-'; 500]) && !set.is_in(b"eyjen v"));
    }
}
