//! The disk that holds a path: its room and its kind.

use std::path::{Path, PathBuf};

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disk {
    /// Bytes that we may still write.
    pub(crate) free_bytes: u64,
    /// Bytes in all.
    pub(crate) total_bytes: u64,
    /// Its kind in Linux's words, such as `ext4`; empty when it cannot be told.
    pub(crate) kind: String,
}

/// File systems that keep their bytes on another machine, where SQLite's locks cannot be relied on.
const NETWORK: &[&str] = &[
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "lustre",
    "gfs2",
    "ocfs2",
    "fuse.sshfs",
    "fuse.gluster",
    "fuse.s3",
];

impl Disk {
    /// The disk of a path, or of its nearest folder that exists; `None` when the system does not tell.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let folder = nearest_folder(path)?;
        let room = rustix::fs::statvfs(&folder).ok()?;
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Some(Self {
            free_bytes: room.f_bavail * room.f_frsize,
            total_bytes: room.f_blocks * room.f_frsize,
            kind: kind_of(&folder, &mounts),
        })
    }

    /// Whether its bytes lie on another machine.
    pub(crate) fn is_remote(&self) -> bool {
        NETWORK.iter().any(|network| self.kind.starts_with(network))
    }

    /// Share in use, 0–100.
    pub(crate) fn used_percent(&self) -> f64 {
        let total = self.total_bytes.max(1) as f64;
        (total - self.free_bytes as f64) / total * 100.0
    }
}

/// The path itself, or the nearest folder above it that exists, with links resolved.
pub(crate) fn nearest_folder(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    absolute.ancestors().find_map(|folder| folder.canonicalize().ok())
}

/// The kind of the mount that holds a folder; of two mounts on one place the later one counts.
fn kind_of(folder: &Path, mounts: &str) -> String {
    let holding = mounts.lines().filter_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let place = PathBuf::from(unescaped(place.split(' ').nth(4)?));
        folder.starts_with(&place).then(|| (place.components().count(), kind.split(' ').next()))
    });
    holding.max_by_key(|(depth, _)| *depth).and_then(|(_, kind)| kind).unwrap_or_default().to_owned()
}

/// Blanks in a mount's place are written as octal numbers.
fn unescaped(place: &str) -> String {
    place.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        40 27 0:40 / /srv rw shared:1 - nfs4 files:/srv rw\n\
        41 40 254:1 / /srv/fast\\040disk rw - xfs /dev/vdb rw\n\
        42 27 0:41 / /home rw - ext4 /dev/vdc rw\n\
        43 27 0:42 / /home rw - fuse.sshfs a@b:/ rw\n";

    #[test]
    fn the_nearest_mount_names_the_kind_and_networks_are_known() {
        for (path, kind, is_remote) in [
            ("/var/lib/hearth", "ext4", false),
            ("/srv/hearth", "nfs4", true),
            ("/srvother", "ext4", false),
            ("/srv/fast disk/hearth", "xfs", false),
            ("/home/ada", "fuse.sshfs", true),
        ] {
            let disk = Disk { free_bytes: 1, total_bytes: 4, kind: kind_of(Path::new(path), MOUNTS) };
            assert_eq!((disk.kind.as_str(), disk.is_remote()), (kind, is_remote), "{path}");
            assert_eq!(disk.used_percent(), 75.0);
        }
        assert_eq!(kind_of(Path::new("/"), ""), "", "nothing is known without the list");
    }

    #[test]
    fn the_disk_of_a_path_that_is_not_there_yet_is_that_of_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (here, deeper) = (Disk::of(dir.path()).unwrap(), Disk::of(&dir.path().join("a/b")).unwrap());
        assert_eq!((here.total_bytes, &here.kind), (deeper.total_bytes, &deeper.kind));
        assert!(here.free_bytes <= here.total_bytes && !here.kind.is_empty(), "{here:?}");
    }
}
