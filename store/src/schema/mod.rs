//! The store's tables: the hospital's 33 and the engine's own.
