//! A map of weak references: a value exists for as long as it is referenced elsewhere.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The values by their keys.
#[derive(Debug)]
pub(crate) struct WeakMap<K, V>(Mutex<HashMap<K, Weak<V>>>);

impl<K, V> Default for WeakMap<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V> WeakMap<K, V> {
    /// The value of a key, if it is still referenced.
    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).and_then(Weak::upgrade)
    }

    /// The value of a key; it is created if it is not referenced.
    pub(crate) fn get_or_make(&self, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = values.get(key).and_then(Weak::upgrade) {
            return value;
        }
        // Dropped values are removed when a new one is inserted.
        values.retain(|_, value| value.strong_count() > 0);
        let value = Arc::new(make());
        values.insert(key.clone(), Arc::downgrade(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shared_while_it_is_referenced() {
        let map = WeakMap::default();
        let first = map.get_or_make(&"one", || 1);
        assert!(Arc::ptr_eq(&first, &map.get_or_make(&"one", || 2)));
        assert_eq!(map.get(&"one").as_deref(), Some(&1));
        assert!(map.get(&"other").is_none());
        drop(first);
        assert!(map.get(&"one").is_none());
        let _other = map.get_or_make(&"other", || 3);
        assert_eq!(map.0.lock().expect("no panic").len(), 1, "nothing is left behind");
    }
}
