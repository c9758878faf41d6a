//! What the simulation has found, at its shortest. A failing seed prints its own: paste it into the file whose subject it
//! is, under a name that says what it shows, and then mend the engine.

mod hub_copies;
mod hubs;
mod people;
mod restored;
mod rows;

use holdfast_simulation::prelude::*;

fn holds(run: &Run) {
    if let Some(violation) = simulate(run).violation {
        panic!("{violation}");
    }
}
