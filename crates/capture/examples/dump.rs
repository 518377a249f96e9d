//! Prints the records of a capture: `cargo run -p memsight-capture --example dump CAPTURE`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: dump CAPTURE")?;
    let mut reader = memsight_capture::Reader::open(path)?;
    while let Some(record) = reader.next_record() {
        println!("{record:?}");
    }
    println!("{}", reader.ending());
    Ok(())
}
