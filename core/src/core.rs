//! A chunk of events: read, then, once Python has made the new parts, ids and columns.

use crate::columns::{Bits, Numbers, Texts};
use crate::event::{
    is_odd, Event, EventReader, Settings, Source, Span, NAME, NAMESPACE, REFERENCE,
    RESOURCE_VERSION, UID,
};
use crate::json::{write_text, Mask, Plain, Reader};
use crate::parts::{flag, Family, Part, ACTOR, AGENT, ANSWER, CALL, FAMILIES, NOTES, ORIGIN};
use crate::redaction::Judge;
use crate::words::Words;
use aho_corasick::AhoCorasick;
use sha2::{Digest, Sha256};

/// Bytes of a chunk and of what is made from it: places are 32 bits, and Arrow's are signed.
pub const LARGEST: usize = i32::MAX as usize / 4;

/// A question to Python about an event of the chunk.
pub enum Doubt {
    /// Whether redaction changes the URI.
    Uri,
    /// What redaction makes of the request (0) or response (1).
    Body(usize),
    /// What is promoted from the bodies.
    Promoted,
    /// Which container the URI names.
    Container,
}

/// Lengths of the fields that nearly every event has its own value of, in characters.
pub struct Lengths {
    pub audit_id: usize,
    pub uri: usize,
    pub message: usize,
    pub reference: [usize; REFERENCE.len()],
    pub path: usize,
}

/// What is looked for in quick tests for secrets.
pub struct Hints {
    /// A body without any of these that cannot hold other objects has no secret.
    pub bodies: AhoCorasick,
    /// Nor has any other without these.
    pub kinds: Words,
    /// Names of applied configurations: any, the masked ones and those of managed fields. A body
    /// with more than the latter two together may have a secret.
    pub applied: [AhoCorasick; 3],
    /// What stands in a body, and in a URI, for a value that was redacted.
    pub marks: [AhoCorasick; 2],
    /// A text in ASCII without any of these has no credential.
    pub texts: AhoCorasick,
}

pub struct Core {
    pub settings: Settings,
    pub lengths: Lengths,
    pub hints: Hints,
    pub families: [Family; FAMILIES],
    pub events: Vec<Event>,
    /// Numbers of the sources that are not plain.
    pub odd: Vec<usize>,
    pub arena: Vec<u8>,
    json: Reader,
    pub judge: Judge,
    key: Vec<u8>,
    /// Number of the source of each event.
    pub sources: Vec<usize>,
    /// Start and end of each source.
    pub spans: Vec<(u32, u32)>,
}

/// The columns of the plain events of a chunk.
#[derive(Default)]
pub struct Rows {
    pub count: usize,
    pub ids: Vec<u8>,
    pub timestamp: Numbers,
    pub received: Numbers,
    pub staged: Numbers,
    pub size: Numbers,
    pub outcome: Vec<u8>,
    pub texts: Vec<Texts>,
    pub parts: [Vec<u8>; FAMILIES],
    /// Number of the event of each row.
    pub events: Vec<usize>,
    pub redacted: Bits,
    pub body_bytes: usize,
}

/// Columns of [`Rows::texts`] before those of the bodies, in their order.
pub const OWN_TEXTS: [&str; 12] = [
    "auditID",
    "requestURI",
    "message",
    "objectRef.namespace",
    "objectRef.name",
    "objectRef.uid",
    "objectRef.resourceVersion",
    "target.name",
    "url.path",
    "pod.workload",
    "requestObject",
    "responseObject",
];

impl Core {
    pub fn new(
        settings: Settings,
        lengths: Lengths,
        hints: Hints,
        mask: Mask,
        judge: Judge,
    ) -> Self {
        Core {
            settings,
            lengths,
            hints,
            families: Default::default(),
            events: Vec::new(),
            odd: Vec::new(),
            arena: Vec::new(),
            json: Reader { mask, ..Reader::default() },
            judge,
            key: Vec::new(),
            sources: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// Read events; those that are not plain are left to Python.
    pub fn read(&mut self, sources: &[Source]) {
        self.events.clear();
        self.sources.clear();
        self.odd.clear();
        self.arena.clear();
        self.spans.clear();
        self.judge.begin();
        self.spans.extend(sources.iter().map(|source| (source.start, source.end)));
        for (number, source) in sources.iter().enumerate() {
            let slice = &source.text[source.start as usize..source.end as usize];
            if slice.is_empty() {
                continue;
            }
            let mut reader = EventReader {
                settings: &self.settings,
                json: &mut self.json,
                arena: &mut self.arena,
                families: &mut self.families,
                key: &mut self.key,
                judge: &mut self.judge,
            };
            let is_text = std::str::from_utf8(slice).is_ok();
            match if is_text { reader.read(*source).ok() } else { None } {
                Some(mut event) if self.arena.len() < LARGEST => {
                    event.is_plain = true;
                    self.events.push(event);
                    self.sources.push(number);
                }
                _ => self.odd.push(number),
            }
        }
    }

    /// Keys of the parts that Python has not made yet.
    pub fn unknown(&self, family: usize) -> &[Vec<u8>] {
        let family = &self.families[family];
        &family.keys[family.learnt.len()..]
    }

    pub fn learn(&mut self, family: usize, part: Part) {
        self.families[family].learnt.push(part);
    }

    fn part(&self, event: &Event, family: usize) -> &Part {
        &self.families[family].learnt[event.parts[family] as usize]
    }

    fn flags(&self, event: &Event) -> u32 {
        (0..FAMILIES).fold(0, |flags, family| flags | self.part(event, family).flags)
    }

    /// Questions about the events, by their number; all parts are known.
    pub fn doubts(&mut self, text: &[u8]) -> Vec<(usize, Doubt)> {
        let mut doubts = Vec::new();
        for number in 0..self.events.len() {
            let event = &self.events[number];
            if self.flags(event) & flag::NOT_PLAIN != 0 {
                self.give_up(number);
                continue;
            }
            let names = event.reference.iter().chain([&event.audit_id]);
            if names.into_iter().any(|name| self.may_be_secret(name.of(text, &self.arena))) {
                self.give_up(number);
                continue;
            }
            let uri = event.uri.of(text, &self.arena);
            if event.uri_in_doubt && (!uri.is_ascii() || self.hints.texts.is_match(uri)) {
                doubts.push((number, Doubt::Uri));
            }
            if event.names_container {
                doubts.push((number, Doubt::Container));
            }
            if !self.settings.bodies {
                continue;
            }
            let flags = self.part(event, CALL).flags;
            for body in 0..2 {
                if event.bodies[body].is_some() {
                    let bytes = event.bodies[body].of(text, &self.arena);
                    let is_unchanged = flags & flag::SENSITIVE == 0
                        && self.judge.is_unchanged(event.verdicts[body]);
                    if !is_unchanged && self.may_hold_secrets(bytes, flags) {
                        doubts.push((number, Doubt::Body(body)));
                    }
                }
            }
            let has_body = event.bodies.iter().any(|body| body.is_some());
            if has_body && (event.promotes || flags & flag::PROMOTES != 0) {
                doubts.push((number, Doubt::Promoted));
            }
        }
        doubts
    }

    fn may_be_secret(&self, name: &[u8]) -> bool {
        is_odd(name) && (!name.is_ascii() || self.hints.texts.is_match(name))
    }

    fn may_hold_secrets(&self, body: &[u8], flags: u32) -> bool {
        let embeds = flags & flag::EMBEDDING != 0 || memchr::memchr(b'\\', body).is_some();
        flags & flag::SENSITIVE != 0
            || !body.is_ascii()
            || self.hints.bodies.is_match(body)
            || self.has_other_applied(body)
            || (embeds && self.hints.kinds.is_in(body))
    }

    fn has_other_applied(&self, body: &[u8]) -> bool {
        let [any, masked, managed] =
            self.hints.applied.each_ref().map(|names| names.find_iter(body));
        let count = any.count();
        count > 0 && count != masked.count() + managed.count()
    }

    /// Take what redaction made of a body; the texts in it are read again.
    pub fn replace_body(&mut self, number: usize, body: usize, bytes: &[u8]) {
        if self.arena.len() + bytes.len() >= LARGEST || self.replaced(number, body, bytes).is_err()
        {
            self.give_up(number);
        }
    }

    fn replaced(&mut self, number: usize, body: usize, bytes: &[u8]) -> Plain<()> {
        self.json.read(bytes, 0, bytes.len())?;
        let start = self.arena.len() as u32;
        self.arena.extend_from_slice(bytes);
        let event = &mut self.events[number];
        event.bodies[body] = Span::Made(start, self.arena.len() as u32);
        let mut reader = EventReader {
            settings: &self.settings,
            json: &mut self.json,
            arena: &mut self.arena,
            families: &mut self.families,
            key: &mut self.key,
            judge: &mut self.judge,
        };
        reader.texts_again(bytes, body, start, event)
    }

    /// Leave an event to Python.
    pub fn give_up(&mut self, number: usize) {
        self.events[number].is_plain = false;
        self.odd.push(self.sources[number]);
    }

    /// Make ids and columns of the events that are still plain.
    pub fn rows(&mut self, text: &[u8]) -> Rows {
        let texts = OWN_TEXTS.len() + self.settings.texts.len();
        let mut rows = Rows::default();
        rows.texts.resize_with(texts, Texts::default);
        let mut head = Vec::new();
        let mut message = Vec::new();
        for number in 0..self.events.len() {
            if !self.events[number].is_plain {
                continue;
            }
            self.message(number, text, &mut message);
            if self.is_too_long(number, text, &message) {
                self.give_up(number);
                continue;
            }
            let id = self.id(number, text, &mut head);
            self.add(number, text, id, &message, &mut rows);
        }
        rows
    }

    fn name(&self, event: &Event) -> Span {
        if event.reference[NAME].is_some() {
            return event.reference[NAME];
        }
        let place = self.settings.texts.iter().position(|text| {
            text.body == 1 && text.path == [b"metadata".to_vec(), b"name".to_vec()]
        });
        place.and_then(|place| event.texts.get(place)).copied().unwrap_or_default()
    }

    fn message(&self, number: usize, text: &[u8], out: &mut Vec<u8>) {
        let event = &self.events[number];
        let of = |span: Span| span.of(text, &self.arena);
        out.clear();
        out.extend_from_slice(&self.part(event, ACTOR).label);
        out.push(b' ');
        out.extend_from_slice(&self.part(event, CALL).label);
        let (namespace, name) = (event.reference[NAMESPACE], self.name(event));
        if event.path.is_some() {
            out.push(b' ');
            out.extend_from_slice(of(event.path));
        } else if namespace.is_some() {
            out.extend_from_slice(if name.is_some() { b" " } else { b" in " });
            out.extend_from_slice(of(namespace));
            if name.is_some() {
                out.push(b'/');
                out.extend_from_slice(of(name));
            }
        } else if name.is_some() {
            out.push(b' ');
            out.extend_from_slice(of(name));
        }
        let answer = &self.part(event, ANSWER).label;
        if !answer.is_empty() {
            out.extend_from_slice(b": ");
            out.extend_from_slice(answer);
        }
    }

    fn is_too_long(&self, number: usize, text: &[u8], message: &[u8]) -> bool {
        let event = &self.events[number];
        let length = |span: Span| span.of(text, &self.arena).len();
        let lengths = &self.lengths;
        length(event.audit_id) > lengths.audit_id
            || length(event.uri) > lengths.uri
            || length(event.path) > lengths.path
            || message.len() > lengths.message
            || (0..REFERENCE.len()).any(|at| length(event.reference[at]) > lengths.reference[at])
    }

    fn id(&self, number: usize, text: &[u8], head: &mut Vec<u8>) -> [u8; 16] {
        let event = &self.events[number];
        let reference = event.reference;
        let agent = &self.part(event, AGENT).label;
        head.clear();
        head.push(b'[');
        let mut member = |span: Span, first: bool| {
            if !first {
                head.push(b',');
            }
            write_or_null(span.is_some().then(|| span.of(text, &self.arena)), head);
        };
        member(event.level, true);
        for span in [event.audit_id, event.stage, event.verb, event.uri] {
            member(span, false);
        }
        head.push(b',');
        write_or_null((!agent.is_empty()).then_some(agent.as_slice()), head);
        let mut member = |span: Span| {
            head.push(b',');
            write_or_null(span.is_some().then(|| span.of(text, &self.arena)), head);
        };
        member(event.received);
        member(event.staged);
        for span in reference {
            member(span);
        }
        head.push(b']');
        let mut sha = Sha256::new();
        sha.update(&head);
        for family in [ACTOR, ORIGIN, ANSWER, NOTES] {
            sha.update(b"\n");
            sha.update(&self.part(event, family).canonical);
        }
        sha.update(b"\n\n"); // no authenticationMetadata
        for body in event.bodies {
            let bytes = body.of(text, &self.arena);
            sha.update(if bytes == b"{}" { &[] } else { bytes });
            sha.update(b"\n");
        } // nor values of other types
        let mut id = [0; 16];
        id.copy_from_slice(&sha.finalize()[..16]);
        id
    }

    fn add(&self, number: usize, text: &[u8], id: [u8; 16], message: &[u8], rows: &mut Rows) {
        let event = &self.events[number];
        let reference = event.reference;
        let flags = self.flags(event);
        let value = |span: Span| span.is_some().then(|| span.of(text, &self.arena));
        let workload = flags & flag::WORKLOAD != 0;
        let kept = |body: Span| if self.settings.bodies { value(body) } else { None };
        let own = [
            value(event.audit_id),
            value(event.uri),
            Some(message),
            value(reference[NAMESPACE]),
            value(reference[NAME]),
            value(reference[UID]),
            value(reference[RESOURCE_VERSION]),
            value(self.name(event)),
            value(event.path),
            if workload { value(reference[NAME]) } else { None },
            kept(event.bodies[0]),
            kept(event.bodies[1]),
        ];
        let texts = (0..self.settings.texts.len())
            .map(|place| event.texts.get(place).copied().and_then(value));
        for (column, value) in rows.texts.iter_mut().zip(own.into_iter().chain(texts)) {
            column.push(value);
        }
        rows.body_bytes += kept(event.bodies[0]).map_or(0, <[u8]>::len);
        rows.body_bytes += kept(event.bodies[1]).map_or(0, <[u8]>::len);
        rows.ids.extend_from_slice(&id);
        rows.timestamp.push(event.staged_us.or(event.received_us));
        rows.received.push(event.received_us);
        rows.staged.push(event.staged_us);
        rows.size.push(Some(i64::from(event.end - event.start)));
        rows.outcome.push(match flags {
            flags if flags & (flag::FORBIDDEN | flag::FAILED) != 0 => 1,
            flags if flags & flag::SUCCEEDED != 0 => 0,
            _ => 2,
        });
        for (column, place) in rows.parts.iter_mut().zip(event.parts) {
            column.extend_from_slice(&(place as i32).to_le_bytes());
        }
        rows.events.push(number);
        let [in_body, in_uri] = &self.hints.marks;
        let is_redacted = flags & flag::REDACTED != 0
            || in_uri.is_match(event.uri.of(text, &self.arena))
            || event
                .bodies
                .iter()
                .filter_map(|body| kept(*body))
                .any(|body| in_body.is_match(body));
        rows.redacted.push(is_redacted);
        rows.count += 1;
    }

    /// Forget all parts: there is no end to what clients send.
    pub fn forget(&mut self) {
        self.families.iter_mut().for_each(Family::clear);
    }
}

fn write_or_null(value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value {
        None => out.extend_from_slice(b"null"),
        Some(value) => write_text(value, out),
    }
}
