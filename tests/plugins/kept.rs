//! Compiled code that is kept: believed under its seal, and never otherwise.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bourse::plugin::{CodeCache, Grants, Host, Limits, SealedCache};

use super::made::Made;

/// A shelf in memory that counts.
#[derive(Default)]
struct Memory {
    held: Mutex<BTreeMap<String, Vec<u8>>>,
    puts: Mutex<usize>,
}

impl CodeCache for Memory {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.held.lock().expect("held").get(name).cloned()
    }

    fn put(&self, name: &str, sealed: &[u8]) {
        *self.puts.lock().expect("counted") += 1;
        self.held.lock().expect("held").insert(name.to_owned(), sealed.to_owned());
    }
}

#[test]
fn what_is_kept_is_believed_only_under_its_seal() {
    let host = Host::in_process(Limits::default()).expect("runs");
    let cache = Arc::new(Memory::default());
    let kept = SealedCache::new([7; 32], cache.clone());
    let bytes = Made::default().component();
    let compiled = |kept: &SealedCache, host: &Host| {
        let before = *cache.puts.lock().expect("counted");
        host.install_kept("made.wasm", &bytes, &Grants::all(), kept).expect("installs");
        *cache.puts.lock().expect("counted") - before
    };
    assert_eq!((compiled(&kept, &host), compiled(&kept, &host)), (1, 0));
    let name = cache.held.lock().expect("held").keys().next().expect("one").clone();
    let sealed = cache.get(&name).expect("is kept");
    // Any bit that is turned, anywhere: the seal does not fit, and it is compiled again.
    for at in (0..sealed.len()).step_by(sealed.len() / 60) {
        let mut bent = sealed.clone();
        bent[at] ^= 1 << (at % 8);
        cache.held.lock().expect("held").insert(name.clone(), bent);
        assert_eq!(compiled(&kept, &host), 1, "a bit of byte {at} is turned");
    }
    for length in [0, 31, 32, 100, sealed.len() - 1] {
        cache.held.lock().expect("held").insert(name.clone(), sealed[..length].to_owned());
        assert_eq!(compiled(&kept, &host), 1, "cut at {length}");
    }
    // Another user's key, another engine, another plugin's code under this name.
    assert_eq!(compiled(&SealedCache::new([8; 32], cache.clone()), &host), 1);
    assert_eq!(compiled(&kept, &host), 1, "sealed by the other key by now");
    let other = Host::in_process(Limits { stack_bytes: 256 << 10, ..Limits::default() }).expect("runs");
    let mut made = Made::default();
    made.description.name = "other".to_owned();
    other.install_kept("other.wasm", &made.component(), &Grants::all(), &kept).expect("installs");
    let held = cache.held.lock().expect("held").clone();
    let (_, of_other) = held.iter().find(|(known, _)| **known != name).expect("another");
    cache.held.lock().expect("held").insert(name.clone(), of_other.clone());
    assert_eq!(compiled(&kept, &host), 1, "the other plugin's code");
}

#[test]
fn limits_hold_for_what_is_kept() {
    let cache = Arc::new(Memory::default());
    let kept = SealedCache::new([7; 32], cache);
    let bytes = Made::default().component();
    let host = Host::in_process(Limits::default()).expect("runs");
    host.install_kept("made.wasm", &bytes, &Grants::all(), &kept).expect("installs");
    let small = Host::in_process(Limits { component_bytes: 100, ..Limits::default() }).expect("runs");
    let fault = small.install_kept("made.wasm", &bytes, &Grants::all(), &kept).expect_err("is too large");
    assert!(fault.message.contains("bytes; at most 100"), "{fault}");
}

#[cfg(unix)]
mod folder {
    use std::{fs, os::unix::fs::PermissionsExt};

    use bourse::cli::plugin_cache::{CacheBounds, open, open_within};

    use super::*;

    fn mode(path: &std::path::Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("is ours");
    }

    #[test]
    fn a_folder_that_others_may_write_is_not_used() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("bourse/plugins");
        let host = Host::in_process(Limits::default()).expect("runs");
        let bytes = Made::default().component();
        let kept = open(&folder).expect("is made");
        host.install_kept("made.wasm", &bytes, &Grants::all(), &kept).expect("installs");
        let modes: Vec<u32> = fs::read_dir(&folder)
            .expect("reads")
            .map(|entry| entry.expect("entry").metadata().expect("has").permissions().mode() & 0o777)
            .collect();
        assert_eq!(modes, [0o600, 0o600], "the key and one plugin, and nothing left over");
        assert_eq!(fs::metadata(&folder).expect("has").permissions().mode() & 0o777, 0o700);
        open(&folder).expect("is the same");
        for wrong in [0o750, 0o701, 0o777] {
            mode(&folder, wrong);
            assert!(open(&folder).expect_err("is open to others").contains("0700"));
        }
        mode(&folder, 0o700);
        mode(&folder.join("key"), 0o640);
        assert!(open(&folder).expect_err("is open to others").contains("`key`"));
        mode(&folder.join("key"), 0o600);
        fs::write(folder.join("key"), "short").expect("writes");
        assert!(open(&folder).expect_err("is no key").contains("`key`"));
        let link = place.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).expect("links");
        assert!(open(&link).expect_err("is a link").contains("0700"));
    }

    fn names(folder: &std::path::Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("reads")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("UTF-8"))
            .filter(|name| name != "key")
            .collect();
        names.sort();
        names
    }

    fn age(path: &std::path::Path, seconds: u64) {
        let file = fs::File::open(path).expect("is there");
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
        file.set_modified(then).expect("is ours");
    }

    #[test]
    fn what_was_not_used_for_longest_goes() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("plugins");
        let host = Host::in_process(Limits::default()).expect("runs");
        let plugins: Vec<Vec<u8>> = (0..4)
            .map(|at| {
                let mut made = Made::default();
                made.description.name = format!("made-{at}");
                made.component()
            })
            .collect();
        let install = |bounds, at: usize| {
            let before = names(&folder);
            let kept = open_within(&folder, bounds).expect("opens");
            host.install_kept("made.wasm", &plugins[at], &Grants::all(), &kept).expect("installs");
            names(&folder).into_iter().find(|name| !before.contains(name))
        };
        open(&folder).expect("is made");
        let three = CacheBounds { plugins: 3, ..CacheBounds::default() };
        let first: Vec<String> = (0..3).map(|at| install(three, at).expect("is kept")).collect();
        first.iter().zip([300, 200, 100]).for_each(|(name, seconds)| age(&folder.join(name), seconds));
        // The oldest is used again, so the second goes.
        assert_eq!(install(three, 0), None);
        let fourth = install(three, 3).expect("is kept");
        let mut left = vec![first[0].clone(), first[2].clone(), fourth];
        left.sort();
        assert_eq!(names(&folder), left);
        // Files of others are left alone; what a killed run left over is not, once it is old.
        fs::write(folder.join("notes"), "mine").expect("writes");
        for (name, seconds) in [("new-old", 100_000), ("new-young", 10)] {
            fs::write(folder.join(name), "part").expect("writes");
            age(&folder.join(name), seconds);
        }
        let bytes = fs::metadata(folder.join(&left[0])).expect("has").len();
        let two = CacheBounds { bytes: 2 * bytes + bytes / 2, ..CacheBounds::default() };
        install(two, 1).expect("is kept");
        let found = names(&folder);
        let kept = found.iter().filter(|name| name.len() == 64).count();
        assert_eq!(kept, 2, "{found:?}");
        assert!(found.contains(&"notes".to_owned()) && found.contains(&"new-young".to_owned()), "{found:?}");
        assert!(!found.contains(&"new-old".to_owned()), "{found:?}");
        // What is larger than all that is kept does not drive out the rest.
        assert_eq!(install(CacheBounds { bytes: bytes / 2, ..CacheBounds::default() }, 2), None);
        assert_eq!(names(&folder), found);
    }
}
