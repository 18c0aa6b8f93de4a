//! The core as a Python module; `k8sidx.events.core` is its only user.

use crate::columns::{Bits, Numbers};
use crate::core::{Core, Doubt, Hints, Lengths, Rows, LARGEST, OWN_TEXTS};
use crate::event::{BodyText, Settings, Source, Span, NAME, REFERENCE};
use crate::json::Mask;
use crate::parts::{Part, CALL, FAMILIES};
use crate::redaction::{self, Judge};
use crate::words::Words;
use aho_corasick::AhoCorasick;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use std::collections::HashMap;

#[pymodule]
mod _core {
    #[pymodule_export]
    use super::EventCore;
}

/// Reads chunks of events; one for each worker.
#[pyclass(module = "k8sidx._core", name = "Core")]
struct EventCore {
    core: Core,
}

/// A text of a body: which body, its path, its longest value.
type PlaceOfText = (usize, Vec<String>, usize);

#[pymethods]
impl EventCore {
    #[new]
    fn new(
        bodies: bool,
        texts: Vec<PlaceOfText>,
        lengths: HashMap<String, usize>,
        mut words: HashMap<String, Vec<Vec<u8>>>,
    ) -> PyResult<Self> {
        let mut words =
            |name: &str| words.remove(name).ok_or_else(|| PyKeyError::new_err(name.to_owned()));
        let length = |name: &str| {
            lengths.get(name).copied().ok_or_else(|| PyKeyError::new_err(name.to_owned()))
        };
        let mut reference = [0; REFERENCE.len()];
        for (into, name) in reference.iter_mut().zip(REFERENCE) {
            *into = length(&format!("objectRef.{}", String::from_utf8_lossy(name)))?;
        }
        let own = Lengths {
            audit_id: length("auditID")?,
            uri: length("requestURI")?,
            message: length("message")?,
            reference,
            path: length("url.path")?,
        };
        let texts = texts
            .into_iter()
            .map(|(body, path, length)| BodyText {
                body,
                path: path.into_iter().map(String::into_bytes).collect(),
                length,
            })
            .collect();
        let automaton = |words: Vec<Vec<u8>>, any_case: bool| {
            AhoCorasick::builder().ascii_case_insensitive(any_case).build(words).map_err(invalid)
        };
        let [body_mark, uri_mark] = exactly(words("marks")?)?;
        let [any, masked, managed] = exactly(words("applied")?)?;
        let [key, mark, marked] = exactly(words("mask")?)?;
        let hints = Hints {
            bodies: automaton(words("bodies")?, true)?,
            kinds: Words::new(&words("kinds")?).map_err(invalid)?,
            applied: [
                automaton(vec![any], false)?,
                automaton(vec![masked], false)?,
                automaton(vec![managed], false)?,
            ],
            texts: automaton(words("texts")?, true)?,
            marks: [automaton(vec![body_mark], false)?, automaton(vec![uri_mark], false)?],
        };
        let judge = Judge::new(&redaction::Words {
            texts: words("plain")?,
            assigned: words("assigned")?,
            secret_names: words("secret_names")?,
            value_names: words("value_names")?,
            label_names: words("label_names")?,
            members: words("members")?,
            kinds: words("parts")?,
        })
        .map_err(invalid)?;
        let (writes, workloads) = (words("writes")?, words("workloads")?);
        let core = Core::new(
            Settings { bodies, writes, workloads, texts },
            own,
            hints,
            Mask { key, mark, marked },
            judge,
        );
        Ok(EventCore { core })
    }

    /// Names of the columns of texts that `rows` returns before those of the bodies.
    #[staticmethod]
    fn own_texts() -> Vec<&'static str> {
        OWN_TEXTS.to_vec()
    }

    /// Read the lines of a chunk.
    fn read_lines(&mut self, py: Python<'_>, data: &[u8], context: &[u8]) -> PyResult<()> {
        refuse_large(data)?;
        py.detach(|| {
            let mut sources = Vec::new();
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', data).chain([data.len()]) {
                sources.push(Source { text: data, start: start as u32, end: end as u32, context });
                start = end + 1;
            }
            self.core.read(&sources);
        });
        Ok(())
    }

    /// Read texts, whose starts, ends and contexts are given.
    fn read_texts(
        &mut self,
        py: Python<'_>,
        data: &[u8],
        spans: Vec<(u32, u32, Vec<u8>)>,
    ) -> PyResult<()> {
        refuse_large(data)?;
        if spans.iter().any(|(start, end, _)| start > end || *end as usize > data.len()) {
            return Err(PyValueError::new_err("a text lies outside of the data"));
        }
        py.detach(|| {
            let sources: Vec<Source> = spans
                .iter()
                .map(|(start, end, context)| Source {
                    text: data,
                    start: *start,
                    end: *end,
                    context,
                })
                .collect();
            self.core.read(&sources);
        });
        Ok(())
    }

    /// Number of parts of a family that are known.
    fn known(&self, family: usize) -> PyResult<usize> {
        check_family(family)?;
        Ok(self.core.families[family].learnt.len())
    }

    /// Keys of the parts of a family that are not known yet.
    fn unknown<'py>(&self, py: Python<'py>, family: usize) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        check_family(family)?;
        Ok(self.core.unknown(family).iter().map(|key| PyBytes::new(py, key)).collect())
    }

    /// Take the next part of a family.
    fn learn(&mut self, family: usize, flags: u32, canonical: &[u8], label: &[u8]) -> PyResult<()> {
        check_family(family)?;
        if self.core.unknown(family).is_empty() {
            return Err(PyValueError::new_err("all parts of the family are known"));
        }
        let part = Part { flags, canonical: canonical.to_vec(), label: label.to_vec() };
        self.core.learn(family, part);
        Ok(())
    }

    /// Fragments of bodies that are not judged yet: a tag, and JSON.
    fn fragments<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let judge = &self.core.judge;
        judge.fragments[judge.unchanged.len()..].iter().map(|key| PyBytes::new(py, key)).collect()
    }

    /// Take whether redaction leaves the next fragments as they are.
    fn judge(&mut self, unchanged: Vec<bool>) -> PyResult<()> {
        let judge = &mut self.core.judge;
        judge.unchanged.extend(unchanged);
        if judge.unchanged.len() > judge.fragments.len() {
            return Err(PyValueError::new_err("more fragments are judged than there are"));
        }
        Ok(())
    }

    /// Return what Python has to look at: for each its event, what it is about, and that.
    fn doubts<'py>(&mut self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyList>> {
        let missing = (0..FAMILIES).any(|family| !self.core.unknown(family).is_empty());
        if missing {
            return Err(PyValueError::new_err("there are parts that are not known"));
        }
        let list = PyList::empty(py);
        for (number, doubt) in py.detach(|| self.core.doubts(data)) {
            let event = &self.core.events[number];
            let bytes = |span: Span| PyBytes::new(py, span.of(data, &self.core.arena));
            let call = event.parts[CALL];
            match doubt {
                Doubt::Uri => list.append((number, "uri", bytes(event.uri), call))?,
                Doubt::Container => list.append((number, "container", bytes(event.uri), call))?,
                Doubt::Body(body) => {
                    let which = ["requestObject", "responseObject"][body];
                    list.append((number, which, bytes(event.bodies[body]), call))?;
                }
                Doubt::Promoted => {
                    let name = event.reference[NAME];
                    let [request, response] = event.raw;
                    let fields = bytes(event.fields);
                    let bodies = (bytes(request), bytes(response), bytes(name), fields);
                    list.append((number, "promoted", bodies, call))?;
                }
            }
        }
        Ok(list)
    }

    /// Leave an event to Python.
    fn give_up(&mut self, number: usize) -> PyResult<()> {
        self.check(number)?;
        self.core.give_up(number);
        Ok(())
    }

    /// Replace a body by what redaction made of it.
    fn replace(&mut self, number: usize, is_response: bool, body: &[u8]) -> PyResult<()> {
        self.check(number)?;
        self.core.replace_body(number, usize::from(is_response), body);
        Ok(())
    }

    /// Return the columns of the plain events, and the numbers of the other lines or texts.
    fn rows<'py>(&mut self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyDict>> {
        let rows: Rows = py.detach(|| self.core.rows(data));
        let dict = PyDict::new(py);
        dict.set_item("count", rows.count)?;
        dict.set_item("ids", PyBytes::new(py, &rows.ids))?;
        for (name, numbers) in [
            ("@timestamp", &rows.timestamp),
            ("requestReceivedTimestamp", &rows.received),
            ("stageTimestamp", &rows.staged),
            ("event.bytes", &rows.size),
        ] {
            dict.set_item(name, buffers(py, numbers))?;
        }
        dict.set_item("outcome", PyBytes::new(py, &rows.outcome))?;
        let texts = PyList::empty(py);
        for column in &rows.texts {
            let bytes = PyBytes::new(py, &column.bytes);
            let offsets = PyBytes::new(py, &column.offsets);
            texts.append((column.valid.zeros, validity(py, &column.valid), offsets, bytes))?;
        }
        dict.set_item("texts", texts)?;
        let parts: Vec<_> = rows.parts.iter().map(|places| PyBytes::new(py, places)).collect();
        dict.set_item("parts", parts)?;
        dict.set_item("events", rows.events)?;
        let redacted = rows.redacted.count - rows.redacted.zeros;
        dict.set_item("redacted", (redacted, PyBytes::new(py, &rows.redacted.bytes)))?;
        dict.set_item("body_bytes", rows.body_bytes)?;
        let mut odd = self.core.odd.clone();
        odd.sort_unstable();
        let spans: Vec<_> = odd.iter().map(|number| self.core.spans[*number]).collect();
        dict.set_item("odd_spans", spans)?;
        dict.set_item("odd", odd)?;
        Ok(dict)
    }

    /// Forget all parts.
    fn forget(&mut self) {
        self.core.forget();
    }
}

impl EventCore {
    fn check(&self, number: usize) -> PyResult<()> {
        match self.core.events.get(number) {
            Some(event) if event.is_plain => Ok(()),
            _ => Err(PyValueError::new_err("there is no plain event of that number")),
        }
    }
}

fn exactly<const COUNT: usize>(words: Vec<Vec<u8>>) -> PyResult<[Vec<u8>; COUNT]> {
    words.try_into().map_err(|_| PyValueError::new_err("another number of words is needed"))
}

fn invalid(error: aho_corasick::BuildError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn check_family(family: usize) -> PyResult<()> {
    if family < FAMILIES {
        Ok(())
    } else {
        Err(PyValueError::new_err("there is no such family of parts"))
    }
}

fn refuse_large(data: &[u8]) -> PyResult<()> {
    if data.len() < LARGEST {
        Ok(())
    } else {
        Err(PyValueError::new_err("the chunk is too large"))
    }
}

type Buffers<'py> = (usize, Option<Bound<'py, PyBytes>>, Bound<'py, PyBytes>);

fn buffers<'py>(py: Python<'py>, numbers: &Numbers) -> Buffers<'py> {
    let values = PyBytes::new(py, &numbers.values);
    (numbers.valid.zeros, validity(py, &numbers.valid), values)
}

fn validity<'py>(py: Python<'py>, bits: &Bits) -> Option<Bound<'py, PyBytes>> {
    (bits.zeros > 0).then(|| PyBytes::new(py, &bits.bytes))
}
