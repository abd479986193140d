//! Tests of durable files on the system's files.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::cli::durable::{
    DurableFiles, HoldError, StateFile, WaitPolicy, native, portable::PortableFileSystem, system::FileSystem,
};

fn systems() -> [Box<dyn FileSystem>; 2] {
    [native(), Box::new(PortableFileSystem::new())]
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

fn hold(files: &mut DurableFiles, path: &Path) -> Result<StateFile, HoldError> {
    let mut tell = |_| {};
    files.hold(path, true, 100, &mut WaitPolicy::new(Some(std::time::Duration::ZERO), &mut tell))
}

#[test]
fn files_are_made_replaced_listed_and_removed() {
    for system in systems() {
        let folder = TempDir::new().expect("a scratch folder");
        let path = folder.path().join("made").join("file");
        let mut files = DurableFiles::new(system);
        assert_eq!(files.read(&path, 10).expect("readable"), None);
        for text in ["first", "second"] {
            files.put(&path, text.as_bytes()).expect("written");
            assert_eq!(files.read(&path, 10).expect("readable").as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(files.read(&path, 3).expect("readable").map(|bytes| bytes.len()), Some(4), "one more");
        let parent = path.parent().expect("made");
        assert_eq!(files.names(parent).expect("readable"), ["file"]);
        assert_eq!(names(parent), ["file"], "nothing is left over");
        files.remove(&path).expect("removed");
        files.remove(&path).expect("nothing is there");
        assert_eq!(names(parent), Vec::<String>::new());
    }
}

#[test]
fn a_state_is_held_by_one() {
    for system in systems() {
        let folder = TempDir::new().expect("a scratch folder");
        let path = folder.path().join("state");
        let mut files = DurableFiles::new(system);
        let first = hold(&mut files, &path).expect("free");
        assert_eq!(first.bytes(), None);
        assert!(matches!(hold(&mut files, &path), Err(HoldError::Busy(_))));
        files.store(&first, b"one").expect("stored");
        drop(first);
        let second = hold(&mut files, &path).expect("free");
        assert_eq!(second.bytes(), Some(&b"one"[..]));
        fs::write(&path, "two").expect("writable");
        assert!(matches!(files.store(&second, b"three"), Err(crate::cli::durable::WriteError::Changed)));
        drop(second);
        assert_eq!(fs::read(&path).expect("readable"), b"two");
        fs::write(&path, "x".repeat(101)).expect("writable");
        assert!(matches!(hold(&mut files, &path), Err(HoldError::TooLarge)));
        assert_eq!(names(folder.path()), ["state", "state.lock"]);
    }
}

#[cfg(unix)]
#[test]
fn links_permissions_and_devices_stay() {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

    let folder = TempDir::new().expect("a scratch folder");
    let at = |name: &str| folder.path().join(name);
    let mut files = DurableFiles::new(native());
    // A new file gets the permissions of any new file.
    fs::write(at("any"), "").expect("writable");
    files.replace(&at("new"), b"new").expect("written");
    assert_eq!(
        fs::metadata(at("new")).expect("there").mode(),
        fs::metadata(at("any")).expect("there").mode()
    );
    fs::set_permissions(at("new"), fs::Permissions::from_mode(0o4751)).expect("set");
    symlink("new", at("link")).expect("a link");
    symlink("made", at("dangling")).expect("a link");
    for link in ["link", "dangling"] {
        files.replace(&at(link), b"through").expect("written");
        assert!(fs::symlink_metadata(at(link)).expect("there").is_symlink());
    }
    assert_eq!(fs::read(at("made")).expect("readable"), b"through");
    assert_eq!(fs::metadata(at("new")).expect("there").mode() & 0o7777, 0o4751);
    symlink("b", at("a")).expect("a link");
    symlink("a", at("b")).expect("a link");
    assert!(files.replace(&at("a"), b"").is_err(), "a circle");
    files.replace(Path::new("/dev/null"), b"away").expect("written");
    assert!(fs::metadata("/dev/null").expect("there").file_type().is_char_device(), "not replaced");
}

/// The path of a directory comes to lead elsewhere while a state in it is held.
#[cfg(unix)]
#[test]
fn a_directory_that_is_renamed_stays_the_same() {
    let folder = TempDir::new().expect("a scratch folder");
    let at = |name: &str| folder.path().join(name);
    for name in ["one", "two"] {
        fs::create_dir(at(name)).expect("made");
        fs::write(at(name).join("state"), name).expect("writable");
    }
    let mut files = DurableFiles::new(native());
    let held = hold(&mut files, &at("one").join("state")).expect("free");
    fs::rename(at("one"), at("away")).expect("renamed");
    fs::rename(at("two"), at("one")).expect("renamed");
    files.store(&held, b"new").expect("stored");
    assert_eq!(fs::read(at("away").join("state")).expect("readable"), b"new");
    assert_eq!(fs::read(at("one").join("state")).expect("readable"), b"two");
}
