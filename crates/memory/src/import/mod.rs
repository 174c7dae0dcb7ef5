//! Import: lines of our own export, of mem0, and of the official MCP memory server, in chunks that are written whole or not at all.
//!
//! [`Importer`] cuts lines and reads them one by one; `row` checks a line of ours against `columns`; `foreign` turns other lines
//! into ours; `write` puts a chunk into the database.

mod columns;
mod foreign;
mod model;
pub mod routes;
mod row;
mod store;
mod write;

use std::collections::{BTreeMap, HashMap, HashSet};

use ::store::blob::Hasher;
use data_encoding::BASE64;
use httpkit::{MAX_KEYS, check_shape};
use kernel::{Ctx, Error, ErrorKind, Micros, Result, Scope};
use serde_json::{Map, Value as Json};

use self::columns::Kind;
pub use self::model::{Ids, ImportOptions, Imported, TrustRule};
use self::row::{Reading, Row};
use crate::Memory;

/// Longest line, and largest whole document of mem0, in bytes.
const MAX_LINE: usize = 10 << 20;
/// Rows that are written together.
const CHUNK_ROWS: usize = 500;
/// Bytes of lines that are written together, about.
const CHUNK_BYTES: usize = 4 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Hearth,
    Mem0,
    Mcp,
}

/// Takes a file in pieces of any size.
pub struct Importer {
    memory: Memory,
    reading: Reading,
    dry_run: bool,
    format: Option<Format>,
    /// Whether objects follow the rows: a long text is indexed when its object comes.
    has_objects: bool,
    buffer: Vec<u8>,
    /// Whether the file is one JSON document over several lines, as mem0 writes it.
    is_document: bool,
    /// Of the file's lines, those read.
    line: usize,
    chunk: Vec<Row>,
    chunk_bytes: usize,
    /// Artifacts whose object has not come, by its hash.
    artifacts: HashMap<String, Vec<Row>>,
    /// Ids of the file, of a dry run: what would be there.
    seen: HashSet<String>,
    counts: BTreeMap<String, u64>,
    hash: Hasher,
    done: Imported,
}

impl Importer {
    /// Begins.
    ///
    /// # Errors
    /// `forbidden` without the scopes; `not_found` for a foreign owner.
    pub fn new(memory: &Memory, ctx: &Ctx, options: ImportOptions) -> Result<Self> {
        ctx.require(Scope::MemoryWrite)?;
        let keeps_trust = options.trust == Some(TrustRule::Keep);
        if keeps_trust {
            ctx.require(Scope::Admin)?;
        }
        crate::events::check_name("user_id", options.user_id.as_deref())?;
        let owner = match &options.user_id {
            Some(named) if ctx.scopes.has(Scope::Admin) => named.clone(),
            named => ctx.owner(named.as_deref())?,
        };
        let now = memory.0.clock.now();
        let redactor = memory.0.redactor.clone();
        let reading = Reading { ctx: ctx.clone(), owner, keeps_trust, ids: options.ids, redactor, now };
        Ok(Self {
            memory: memory.clone(),
            reading,
            dry_run: options.dry_run,
            format: None,
            has_objects: false,
            buffer: Vec::new(),
            is_document: false,
            line: 0,
            chunk: Vec::new(),
            chunk_bytes: 0,
            artifacts: HashMap::new(),
            seen: HashSet::new(),
            counts: BTreeMap::new(),
            hash: Hasher::default(),
            done: Imported { dry_run: options.dry_run, ..Imported::default() },
        })
    }

    /// Takes the next bytes; whole chunks are written.
    ///
    /// # Errors
    /// `import_refused` with the number of the line and the field; chunks before it stay, and the same file may be sent again.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.keep(&rest[..end])?;
            rest = &rest[end + 1..];
            self.is_document = self.is_document || self.opens_document();
            if self.is_document {
                self.keep(b"\n")?;
                continue;
            }
            let line = std::mem::take(&mut self.buffer);
            self.take_line(&line).await?;
        }
        self.keep(rest)
    }

    /// Takes the end of the file, and writes what is left.
    ///
    /// # Errors
    /// As [`Importer::push`].
    pub async fn finish(mut self) -> Result<Imported> {
        let last = std::mem::take(&mut self.buffer);
        self.take_line(&last).await?;
        self.flush().await?;
        for rows in self.artifacts.values() {
            *self.done.skipped.entry("artifact".to_owned()).or_default() += rows.len() as u64;
        }
        if self.format.is_none() {
            return Err(Error::invalid("import_refused", "the file holds no line"));
        }
        self.done.lines = self.line;
        let Imported { format, lines, known, .. } = &self.done;
        tracing::info!(format, lines, known, imported = ?self.done.imported, "imported");
        Ok(self.done)
    }

    /// Lines read so far, for progress.
    pub fn lines(&self) -> usize {
        self.line
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() > MAX_LINE {
            let text = format!(
                "line {}: is longer than {MAX_LINE} bytes; lines before it are stored",
                self.line + 1
            );
            return Err(Error::new(ErrorKind::TooLarge, "too_large", text));
        }
        Ok(())
    }

    /// Whether the first line is the beginning of a document, because it is no JSON by itself.
    fn opens_document(&self) -> bool {
        let text = self.buffer.trim_ascii();
        self.format.is_none()
            && matches!(text.first(), Some(b'{' | b'['))
            && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err()
    }

    async fn take_line(&mut self, line: &[u8]) -> Result<()> {
        self.line += 1;
        let text = line.trim_ascii();
        if text.is_empty() {
            return Ok(());
        }
        let read = self.read_line(text);
        let number = self.line;
        read.map_err(|error| at_line(number, error))?;
        if self.chunk.len() >= CHUNK_ROWS || self.chunk_bytes >= CHUNK_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    fn read_line(&mut self, text: &[u8]) -> Result<()> {
        check_shape(text, MAX_KEYS)?;
        let whole: Json = serde_json::from_slice(text).map_err(|error| {
            // The parser's own words may quote the line, which may hold a secret.
            let (line, column) = (error.line(), error.column());
            Error::invalid(
                "invalid_json",
                format!("is not JSON near character {column} (line {line} of its text)"),
            )
        })?;
        let format = match self.format {
            Some(format) => format,
            None => self.begin(&whole)?,
        };
        self.chunk_bytes += text.len();
        match (format, whole) {
            (Format::Hearth, Json::Object(fields)) => self.take_ours(fields, text),
            (Format::Hearth, _) => Err(Error::field("line", "is an object")),
            (Format::Mem0, whole) => {
                self.add(foreign::mem0(&self.reading, whole)?);
                Ok(())
            }
            (Format::Mcp, whole) => {
                self.add(foreign::graph(&self.reading, whole)?);
                Ok(())
            }
        }
    }

    /// Finds out what the file is, by its first line.
    fn begin(&mut self, first: &Json) -> Result<Format> {
        let format = if first["type"] == "header" && first["format"] == "hearth-export" {
            Format::Hearth
        } else if foreign::is_mem0(first) {
            Format::Mem0
        } else if foreign::is_graph(first) {
            Format::Mcp
        } else {
            let text = "is neither the header of an export, nor a memory of mem0, nor an entity or relation of the MCP memory server";
            return Err(Error::field("line", text));
        };
        self.done.format = match format {
            Format::Hearth => "hearth",
            Format::Mem0 => "mem0",
            Format::Mcp => "mcp",
        };
        self.format = Some(format);
        Ok(format)
    }

    fn take_ours(&mut self, mut fields: Map<String, Json>, text: &[u8]) -> Result<()> {
        let word =
            fields.remove("type").and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default();
        match word.as_str() {
            "header" => return self.take_header(&fields),
            "footer" => {
                let sha256 = std::mem::take(&mut self.hash).finish();
                let counts = serde_json::to_value(&self.counts).unwrap_or_default();
                self.done.complete = fields.get("sha256").is_some_and(|said| *said == sha256.as_str())
                    && fields.get("counts") == Some(&counts);
                return Ok(());
            }
            _ => {}
        }
        // The footer's hash covers the lines between it and the header, with their ends.
        self.hash.update(text);
        self.hash.update(b"\n");
        *self.counts.entry(word.clone()).or_default() += 1;
        if word == "object" {
            return self.take_object(&fields);
        }
        let Some(kind) = Kind::of(&word) else {
            *self.done.skipped.entry(word).or_default() += 1;
            return Ok(());
        };
        let mut row = self.reading.row(kind, fields)?;
        row.line = self.line;
        if kind.word == "artifact" {
            self.artifacts.entry(row.text("sha256")).or_default().push(row);
            return Ok(());
        }
        self.add(vec![row]);
        Ok(())
    }

    fn take_header(&mut self, fields: &Map<String, Json>) -> Result<()> {
        if fields.get("version") != Some(&Json::from(1)) {
            return Err(Error::field("version", "is 1; a newer Hearth wrote this export, upgrade first"));
        }
        self.has_objects = fields.get("objects") == Some(&Json::Bool(true));
        let is_own =
            fields.get("tenant_id").is_some_and(|tenant| *tenant == self.reading.ctx.tenant.as_str());
        self.reading.ids.get_or_insert(if is_own { Ids::Keep } else { Ids::New });
        Ok(())
    }

    /// Joins an object with the artifacts that wait for it.
    fn take_object(&mut self, fields: &Map<String, Json>) -> Result<()> {
        let text = |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or_default();
        let bytes = BASE64.decode(text("bytes").as_bytes());
        let bytes = bytes.map_err(|_| Error::field("bytes", "is base 64"))?;
        if ::store::blob::data_hash(&bytes) != text("sha256") {
            return Err(Error::field("sha256", "is not the hash of the bytes; the file was damaged"));
        }
        let Some(mut rows) = self.artifacts.remove(text("sha256")) else {
            *self.done.skipped.entry("object".to_owned()).or_default() += 1;
            return Ok(());
        };
        let bytes = self.reading.clean_object(bytes);
        for row in &mut rows {
            row.set("sha256", ::store::blob::data_hash(&bytes));
            row.set("size_bytes", bytes.len() as i64);
            row.bytes = Some(bytes.clone());
        }
        self.add(rows);
        Ok(())
    }

    fn add(&mut self, mut rows: Vec<Row>) {
        for row in &mut rows {
            if row.line == 0 {
                row.line = self.line;
            }
            if self.dry_run
                && let Some(id) = row.id()
            {
                self.seen.insert(id);
            }
        }
        self.chunk.append(&mut rows);
    }

    /// Writes what has come since the last chunk: all of it or nothing.
    async fn flush(&mut self) -> Result<()> {
        self.chunk_bytes = 0;
        if self.chunk.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.chunk);
        let last = rows.iter().map(|row| row.line).max().unwrap_or_default();
        let chunk = write::Chunk {
            memory: self.memory.clone(),
            tenant: self.reading.ctx.tenant.clone(),
            rows,
            seen: if self.dry_run { self.seen.clone() } else { HashSet::new() },
            has_objects: self.has_objects,
            checks_blocked: self.format != Some(Format::Hearth),
            now: self.now(),
        };
        let written = chunk.write(self.dry_run).await?;
        metrics::counter!("hearth_import_rows_total").increment(written.imported.values().sum());
        tracing::debug!(line = last, "imported a chunk");
        for (kind, count) in written.imported {
            *self.done.imported.entry(kind).or_default() += count;
        }
        for (kind, count) in written.skipped {
            *self.done.skipped.entry(kind.to_owned()).or_default() += count;
        }
        self.done.known += written.known;
        Ok(())
    }

    fn now(&self) -> Micros {
        self.memory.0.clock.now()
    }
}

/// Says which line was wrong, and that those before it are there.
fn at_line(line: usize, mut error: Error) -> Error {
    error.public = format!(
        "line {line}: {}; chunks before it are stored, mend it and send the file again",
        error.public
    );
    if error.code == "validation_failed" {
        error.code = "import_refused";
    }
    error.at_index(line)
}
