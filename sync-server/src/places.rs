//! Bounded room: so many at once, and no device takes all of it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use holdfast_core::ids::DeviceId;

/// How much room there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    /// For all devices together.
    pub all: usize,
    /// For one device.
    pub each: usize,
}

/// Places that requests take before they cost anything. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Places {
    room: Room,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default, Debug)]
struct Taken {
    all: usize,
    by_device: HashMap<DeviceId, usize>,
}

/// A place, free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    device: DeviceId,
}

impl Places {
    /// Empty places.
    pub fn new(room: Room) -> Self {
        Self {
            room,
            taken: Arc::default(),
        }
    }

    /// A place for a request of this device; `None` if all are taken, or all that one device may have.
    pub fn take(&self, device: DeviceId) -> Option<Place> {
        let mut taken = self.lock();
        let own = taken.by_device.get(&device).copied().unwrap_or_default();
        if taken.all >= self.room.all || own >= self.room.each {
            return None;
        }
        taken.all += 1;
        taken.by_device.insert(device, own + 1);
        Some(Place {
            places: self.clone(),
            device,
        })
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Entry::Occupied(mut own) = taken.by_device.entry(self.device) {
            *own.get_mut() -= 1;
            if *own.get() == 0 {
                own.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(n: u128) -> DeviceId {
        DeviceId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn one_device_leaves_room_for_the_others_and_a_place_is_free_again_when_dropped() {
        let places = Places::new(Room { all: 3, each: 2 });
        let first = places.take(device(1));
        let second = places.take(device(1));
        assert!(first.is_some() && second.is_some());
        assert!(places.take(device(1)).is_none(), "no device has more than two");
        let third = places.take(device(2));
        assert!(third.is_some());
        assert!(places.take(device(3)).is_none(), "three are all there are");
        drop(first);
        assert!(places.take(device(3)).is_some());
        drop((second, third));
        assert_eq!(places.taken(), 0);
        assert!(places.lock().by_device.is_empty(), "nothing is remembered of who left");
    }
}
