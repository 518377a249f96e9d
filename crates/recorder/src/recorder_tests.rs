//! The recorder against naive models of what it should say.
//!
//! `frames` is a made-up interpreter, `capture` reads the records as a reader
//! of the file would, `naive` is the plain list of events that both are
//! compared with. `world` joins the three and drives random histories.

#[path = "recorder_tests/capture.rs"]
mod capture;
#[path = "recorder_tests/fork.rs"]
mod fork;
#[path = "recorder_tests/frames.rs"]
mod frames;
#[path = "recorder_tests/histories.rs"]
mod histories;
#[path = "recorder_tests/naive.rs"]
mod naive;
#[path = "recorder_tests/recycling.rs"]
mod recycling;
#[path = "recorder_tests/single.rs"]
mod single;
#[path = "recorder_tests/stacks.rs"]
mod stacks;
#[path = "recorder_tests/threads.rs"]
mod threads;
#[path = "recorder_tests/world.rs"]
mod world;
