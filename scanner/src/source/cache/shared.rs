//! Entries in a store that several machines share. It may be slow, broken or away: then it is left
//! alone for the rest of the run, which says so, and layers are read as without it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::MAX_ENTRY;

/// Objects that could not be read or written before the store is left alone: with the time for one
/// object, what a store that does not answer may cost a run.
const FAULTS: u32 = 2;

/// A store of objects. Errors say why, without addresses or secrets.
pub trait Objects: Send + Sync {
    /// Its address without secrets.
    fn shown(&self) -> String;

    /// An object of at most so many bytes; `None` where there is none.
    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, String>;

    /// Writes an object where there is none; that there is one is no error.
    fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<(), String>;

    /// Writes an object, also in the place of another one.
    fn replace(&self, name: &str, content: &[u8]) -> Result<(), String>;
}

#[cfg(feature = "registry")]
impl Objects for remote::objects::Store {
    fn shown(&self) -> String {
        self.shown().to_owned()
    }

    fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, String> {
        self.get(name, limit).map_err(|fault| fault.to_string())
    }

    fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let written = self.put_if_absent(name, content);
        written.map(|_| ()).map_err(|fault| fault.to_string())
    }

    fn replace(&self, name: &str, content: &[u8]) -> Result<(), String> {
        self.replace(name, content)
            .map_err(|fault| fault.to_string())
    }
}

/// See the module.
pub struct Shared {
    store: Box<dyn Objects>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    faults: u32,
    /// Of the first fault.
    cause: Option<String>,
    /// Names of entries that are there and cannot be used.
    broken: BTreeSet<String>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Shared")
            .field(&self.store.shown())
            .finish()
    }
}

impl Shared {
    /// Asks nothing yet.
    pub fn new(store: Box<dyn Objects>) -> Self {
        Self {
            store,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a question answers; `None` where the store is left alone, or failed.
    fn asked<T>(&self, question: impl FnOnce() -> Result<T, String>) -> Option<T> {
        if self.state().faults >= FAULTS {
            return None;
        }
        match question() {
            Ok(answer) => Some(answer),
            Err(cause) => {
                let mut state = self.state();
                state.faults = state.faults.saturating_add(1);
                state.cause.get_or_insert(cause);
                None
            }
        }
    }

    /// An entry, whatever it holds.
    pub(super) fn get(&self, kind: &str, name: &str) -> Option<Vec<u8>> {
        let object = object(kind, name);
        self.asked(|| self.store.get(&object, MAX_ENTRY)).flatten()
    }

    /// Notes that an entry cannot be used, and is to be replaced.
    pub(super) fn is_broken(&self, name: &str) {
        self.state().broken.insert(name.to_owned());
    }

    /// Writes an entry where there is none that can be used.
    pub(super) fn put(&self, kind: &str, name: &str, entry: &[u8]) {
        let object = object(kind, name);
        let is_broken = self.state().broken.remove(name);
        // A fault is remembered there.
        let _ = self.asked(|| {
            if is_broken {
                self.store.replace(&object, entry)
            } else {
                self.store.put_if_absent(&object, entry)
            }
        });
    }

    /// Why it was left alone, or which fault it had.
    pub(super) fn note(&self) -> Option<String> {
        let state = self.state();
        let cause = state.cause.as_ref()?;
        let end = if state.faults < FAULTS {
            ""
        } else {
            "; it was not asked any more"
        };
        let shown = self.store.shown();
        Some(format!(
            "the shared cache {shown} could not be used for every layer: {cause}{end}; these layers were read"
        ))
    }
}

fn object(kind: &str, name: &str) -> String {
    format!("{kind}/{name}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::LayerCache;
    use super::super::tests::scan;
    use super::*;

    /// A store in memory, which can be away.
    #[derive(Default)]
    struct Memory {
        objects: Mutex<BTreeMap<String, Vec<u8>>>,
        is_away: bool,
        asked: Mutex<u32>,
    }

    impl Memory {
        fn count(&self) -> Result<(), String> {
            *self.asked.lock().unwrap() += 1;
            if self.is_away {
                return Err("away".to_owned());
            }
            Ok(())
        }
    }

    impl Objects for Arc<Memory> {
        fn shown(&self) -> String {
            "memory".to_owned()
        }

        fn get(&self, name: &str, _: u64) -> Result<Option<Vec<u8>>, String> {
            self.count()?;
            Ok(self.objects.lock().unwrap().get(name).cloned())
        }

        fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<(), String> {
            self.count()?;
            let mut objects = self.objects.lock().unwrap();
            objects
                .entry(name.to_owned())
                .or_insert_with(|| content.to_vec());
            Ok(())
        }

        fn replace(&self, name: &str, content: &[u8]) -> Result<(), String> {
            self.count()?;
            let mut objects = self.objects.lock().unwrap();
            objects.insert(name.to_owned(), content.to_vec());
            Ok(())
        }
    }

    fn cache(memory: &Arc<Memory>) -> LayerCache {
        LayerCache::default().shared(Shared::new(Box::new(Arc::clone(memory))))
    }

    #[test]
    fn what_one_machine_read_another_one_finds_and_keeps() {
        let memory = Arc::new(Memory::default());
        cache(&memory).put("a", &scan("sha256:a"));
        let folder = tempfile::tempdir().unwrap();
        let local = LayerCache::new(folder.path().join("c"), super::super::MAX_BYTES);
        let both = local
            .clone()
            .shared(Shared::new(Box::new(Arc::clone(&memory))));
        assert_eq!(both.get("a"), Some(scan("sha256:a")));
        assert_eq!(local.get("a"), Some(scan("sha256:a")));
        assert_eq!(both.get("b"), None);
        assert!(both.notes().is_empty());
    }

    #[test]
    fn a_broken_entry_is_passed_over_and_written_anew() {
        let memory = Arc::new(Memory::default());
        cache(&memory).put("a", &scan("sha256:a"));
        for object in memory.objects.lock().unwrap().values_mut() {
            object.truncate(object.len() / 2);
        }
        // Who has not seen that it is broken leaves it.
        cache(&memory).put("a", &scan("sha256:a"));
        let cache = cache(&memory);
        assert_eq!(cache.get("a"), None);
        cache.put("a", &scan("sha256:a"));
        assert_eq!(cache.get("a"), Some(scan("sha256:a")));
    }

    #[test]
    fn entries_of_others_are_nothing_where_they_must_be_signed() {
        let memory = Arc::new(Memory::default());
        let signed = |key| cache(&memory).signed(key);
        cache(&memory).put("a", &scan("sha256:a"));
        signed("other").put("a", &scan("sha256:a"));
        assert_eq!(signed("key").get("a"), None);
        // Neither does it help to put them where the signed one would be.
        signed("key").put("a", &scan("sha256:b"));
        let objects: Vec<_> = memory.objects.lock().unwrap().keys().cloned().collect();
        assert_eq!(objects.len(), 3);
        for from in &objects {
            let forged = memory.objects.lock().unwrap()[from].clone();
            for to in &objects {
                let mut all = memory.objects.lock().unwrap();
                let before = all.insert(to.clone(), forged.clone()).unwrap();
                drop(all);
                let got = signed("key").get("a");
                assert!(got.is_none() || got == Some(scan("sha256:b")));
                memory.objects.lock().unwrap().insert(to.clone(), before);
            }
        }
        assert_eq!(signed("key").get("a"), Some(scan("sha256:b")));
    }

    #[test]
    fn a_store_that_is_away_is_left_alone_and_noted() {
        let memory = Arc::new(Memory {
            is_away: true,
            ..Memory::default()
        });
        let cache = cache(&memory);
        for number in 0..10 {
            assert_eq!(cache.get(&number.to_string()), None);
            cache.put(&number.to_string(), &scan("sha256:a"));
        }
        assert_eq!(*memory.asked.lock().unwrap(), FAULTS);
        let notes = cache.notes();
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("memory") && notes[0].contains("away"));
    }
}
