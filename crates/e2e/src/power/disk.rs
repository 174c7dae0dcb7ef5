//! A disk in memory that remembers what was synced and, of the rest, the order in which it was asked for.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::trace::Event;
use super::{Draw, Honesty};

const SECTOR: usize = 512;

/// Files by path, as found after a power cut.
pub(super) type Image = BTreeMap<PathBuf, Vec<u8>>;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    /// Index into the files.
    File(usize),
}

#[derive(Clone, Debug)]
enum NameChange {
    Add(PathBuf, Node),
    Remove(PathBuf),
    Move(PathBuf, PathBuf),
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Arc<[u8]>),
    Resize(u64),
}

#[derive(Clone, Debug, Default)]
struct File {
    synced: Vec<u8>,
    length: u64,
    /// With the time of each.
    waiting: Vec<(usize, Change)>,
}

type Names = BTreeMap<PathBuf, Node>;

/// The disk below one folder, which itself is there from the start.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    honesty: Honesty,
    /// Counts events.
    time: usize,
    files: Vec<File>,
    /// What programs see.
    names: Names,
    /// What survives for certain.
    synced_names: Names,
    waiting_names: Vec<(usize, NameChange)>,
    /// Syncs under way: what they sync and when they started.
    syncs: HashMap<usize, (Option<usize>, PathBuf, usize)>,
}

/// What becomes of that which was not synced.
enum Fate {
    Lost,
    Kept,
    /// What was asked for before this time is kept, what was asked for then is torn.
    Until(usize),
    /// Each is kept with this chance in percent.
    Some(u64),
    /// Each sector is kept with this chance in percent.
    Torn(u64),
}

/// How much of one change survives.
enum Part {
    Nothing,
    Whole,
    Sectors(u64),
}

impl Disk {
    pub(super) fn new(root: &Path, honesty: Honesty) -> Self {
        Self {
            root: root.to_owned(),
            honesty,
            time: 0,
            files: Vec::new(),
            names: Names::new(),
            synced_names: Names::new(),
            waiting_names: Vec::new(),
            syncs: HashMap::new(),
        }
    }

    pub(super) fn apply(&mut self, event: &Event) {
        self.time += 1;
        match event {
            Event::Create(path) if !self.names.contains_key(path) => {
                self.files.push(File::default());
                self.rename(NameChange::Add(path.clone(), Node::File(self.files.len() - 1)));
            }
            Event::Create(_) | Event::Sent(_) => {}
            Event::MakeFolder(path) => self.rename(NameChange::Add(path.clone(), Node::Folder)),
            Event::Link(from, to) => {
                if let Some(node) = self.names.get(from) {
                    self.rename(NameChange::Add(to.clone(), *node));
                }
            }
            Event::Rename(from, to) => self.rename(NameChange::Move(from.clone(), to.clone())),
            Event::Remove(path) => self.rename(NameChange::Remove(path.clone())),
            Event::Write { path, offset, bytes } => {
                let time = self.time;
                if let Some(file) = self.file(path) {
                    let offset = offset.unwrap_or(file.length);
                    file.length = file.length.max(offset + bytes.len() as u64);
                    file.waiting.push((time, Change::Write(offset, bytes.clone())));
                }
            }
            Event::Resize(path, length) => {
                let time = self.time;
                if let Some(file) = self.file(path) {
                    file.length = *length;
                    file.waiting.push((time, Change::Resize(*length)));
                }
            }
            Event::SyncBegins { path, number } => {
                let file = match self.names.get(path) {
                    Some(Node::File(index)) => Some(*index),
                    _ => None,
                };
                self.syncs.insert(*number, (file, path.clone(), self.time));
            }
            Event::SyncEnds { number } => {
                if let Some((file, path, since)) = self.syncs.remove(number)
                    && self.honesty == Honesty::Honest
                {
                    match file {
                        Some(index) => self.files[index].sync(since),
                        None => self.sync_folder(&path, since),
                    }
                }
            }
        }
    }

    fn file(&mut self, path: &Path) -> Option<&mut File> {
        match self.names.get(path) {
            Some(Node::File(index)) => self.files.get_mut(*index),
            _ => None,
        }
    }

    fn rename(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.waiting_names.push((self.time, change));
    }

    fn sync_folder(&mut self, folder: &Path, since: usize) {
        let (done, waiting) = std::mem::take(&mut self.waiting_names)
            .into_iter()
            .partition::<Vec<_>, _>(|(time, change)| *time <= since && change.is_in(folder));
        for (_, change) in done {
            change.apply(&mut self.synced_names);
        }
        self.waiting_names = waiting;
    }

    /// One state in which a power cut now may leave the disk.
    pub(super) fn cut(&self, draw: &mut Draw) -> Image {
        let times: Vec<usize> =
            self.files.iter().flat_map(|file| &file.waiting).map(|(time, _)| *time).collect();
        let fate = Fate::draw(draw, &times);
        let name_times: Vec<usize> = self.waiting_names.iter().map(|(time, _)| *time).collect();
        let name_fate = Fate::draw(draw, &name_times);
        let mut names = self.synced_names.clone();
        for (time, change) in &self.waiting_names {
            if !matches!(name_fate.of(*time, draw), Part::Nothing) {
                change.apply(&mut names);
            }
        }
        names
            .iter()
            .filter_map(|(path, node)| match node {
                Node::File(index) if self.is_reachable(path, &names) => {
                    Some((path.clone(), self.files[*index].after(&fate, draw)))
                }
                _ => None,
            })
            .collect()
    }

    /// A file is found only through folders that are there.
    fn is_reachable(&self, path: &Path, names: &Names) -> bool {
        path.ancestors()
            .skip(1)
            .take_while(|folder| *folder != self.root)
            .all(|folder| names.get(folder) == Some(&Node::Folder))
    }
}

impl NameChange {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Add(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Remove(path) => {
                names.remove(path);
            }
            Self::Move(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
        }
    }

    fn is_in(&self, folder: &Path) -> bool {
        let (Self::Add(path, _) | Self::Remove(path) | Self::Move(_, path)) = self;
        path.parent() == Some(folder)
    }
}

impl File {
    fn sync(&mut self, since: usize) {
        let (done, waiting) =
            std::mem::take(&mut self.waiting).into_iter().partition::<Vec<_>, _>(|(time, _)| *time <= since);
        for (_, change) in done {
            change.apply(&mut self.synced);
        }
        self.waiting = waiting;
    }

    fn after(&self, fate: &Fate, draw: &mut Draw) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for (time, change) in &self.waiting {
            match (fate.of(*time, draw), change) {
                (Part::Nothing, _) => {}
                (Part::Sectors(chance), Change::Write(offset, written)) => {
                    tear(&mut bytes, *offset, written, chance, draw);
                }
                (Part::Whole | Part::Sectors(_), change) => change.apply(&mut bytes),
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, written) => put(bytes, *offset, written),
            Self::Resize(length) => bytes.resize(*length as usize, 0),
        }
    }
}

fn put(bytes: &mut Vec<u8>, offset: u64, written: &[u8]) {
    let (start, end) = (offset as usize, offset as usize + written.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[start..end].copy_from_slice(written);
}

/// Puts some of the sectors that a write touches.
fn tear(bytes: &mut Vec<u8>, offset: u64, written: &[u8], chance: u64, draw: &mut Draw) {
    let mut from = 0;
    while from < written.len() {
        let room = SECTOR - (offset as usize + from) % SECTOR;
        let to = written.len().min(from + room);
        if draw.chance(chance) {
            put(bytes, offset + from as u64, &written[from..to]);
        }
        from = to;
    }
}

impl Fate {
    /// `times`: when that which waits was asked for.
    fn draw(draw: &mut Draw, times: &[usize]) -> Self {
        match draw.below(6) {
            0 => Self::Lost,
            1 => Self::Kept,
            2 => Self::Until(times.get(draw.below(times.len() as u64) as usize).copied().unwrap_or(0)),
            3 => Self::Some(10 + draw.below(81)),
            _ => Self::Torn(10 + draw.below(88)),
        }
    }

    fn of(&self, time: usize, draw: &mut Draw) -> Part {
        match self {
            Self::Kept => Part::Whole,
            Self::Until(end) if time < *end => Part::Whole,
            Self::Until(end) if time == *end => Part::Sectors(50),
            Self::Some(percent) if draw.chance(*percent) => Part::Whole,
            Self::Torn(percent) => Part::Sectors(*percent),
            Self::Lost | Self::Until(_) | Self::Some(_) => Part::Nothing,
        }
    }
}
