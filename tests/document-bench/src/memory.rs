//! Counts the bytes that are allocated at present.
#![expect(
    unsafe_code,
    reason = "an allocator is unsafe by its interface; this one only counts"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
};

/// The system's allocator, counting what the present thread asks of it.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

/// A thread that ends may free after its counter is gone; nobody asks for it any more.
fn add(bytes: isize) {
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-(layout.size() as isize));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size as isize - layout.size() as isize);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that one value takes while many are held in a vector: itself and all that it has allocated, as it asked for them.
pub fn held_by_one<T>(mut make: impl FnMut() -> T) -> usize {
    const MANY: usize = 200;
    let before = HELD.get();
    let mut values = Vec::with_capacity(MANY);
    for _ in 0..MANY {
        values.push(make());
    }
    let held = HELD.get() - before;
    drop(black_box(values));
    held as usize / MANY
}
