//! The tables that a benchmark prints.

use super::results::{Results, Sample, Spread, Start};
use super::table::Table;
use super::tools::Tool;

/// All tables, in the order they are printed.
pub(super) fn all(results: &Results) -> Vec<Table> {
    vec![
        cpu(results, Start::Included),
        cpu(results, Start::TakenOff),
        startup(results),
        captures(results),
        memory(results),
        reading(results),
    ]
}

const NOTHING: &str = "–";

fn cpu(results: &Results, start: Start) -> Table {
    let title = match start {
        Start::Included => "CPU time, as a ratio to the plain program: median (min to max)",
        Start::TakenOff => "The same without what each tool adds to the start",
    };
    let recording = recording_tools(results);
    let compares = recording.contains(&Tool::Objects) && recording.contains(&Tool::MemrayPython);
    let mut heads = vec!["workload".to_owned(), "plain".to_owned()];
    heads.extend(recording.iter().map(|tool| tool.name().to_owned()));
    heads.extend(compares.then(|| "share of memray's".to_owned()));
    let mut table = Table::new(title, heads);
    for &workload in &results.workloads {
        let plain = results.median_of(workload, Tool::Plain, |sample| Some(sample.cpu_s));
        let mut cells = vec![workload.to_owned(), cell(plain, |seconds| format!("{seconds:.2} s"))];
        let ratios = recording.iter().map(|&tool| results.cpu_ratio(workload, tool, start));
        cells.extend(ratios.map(|ratio| cell(ratio, spread_of_ratio)));
        cells.extend(compares.then(|| {
            cell(share_of_memrays(results, workload, start), |share| format!("{:.0}%", share * 100.0))
        }));
        table.row(cells);
    }
    table
}

/// What memsight adds to the CPU time, as a share of what memray with Python's
/// allocators adds.
fn share_of_memrays(results: &Results, workload: &str, start: Start) -> Option<f64> {
    let added = |tool| Some(results.cpu_ratio(workload, tool, start)?.median - 1.0);
    let memrays = added(Tool::MemrayPython).filter(|added| *added > 0.0)?;
    Some(added(Tool::Objects)? / memrays)
}

fn startup(results: &Results) -> Table {
    let heads = ["tool", "wall, ms", "CPU, ms"].map(String::from).to_vec();
    let mut table =
        Table::new("Added to the start of a program that does nothing: median (min to max)", heads);
    for tool in recording_tools(results) {
        let added = results.startup_added(tool);
        let milliseconds = |spread: Spread| {
            let [median, min, max] = [spread.median, spread.min, spread.max].map(|seconds| seconds * 1e3);
            format!("{median:.0} ({min:.0} to {max:.0})")
        };
        let wall = cell(added.map(|(wall, _)| wall), milliseconds);
        table.row(vec![tool.name().into(), wall, cell(added.map(|(_, cpu)| cpu), milliseconds)]);
    }
    table
}

fn captures(results: &Results) -> Table {
    by_tool(results, "Length of the capture, kB", &recording_tools(results), kilobytes, |sample| {
        Some(sample.capture_bytes as f64)
    })
}

fn memory(results: &Results) -> Table {
    let title = "The most that the program had resident, MB (last: its live bytes at the peak)";
    let mut heads = vec!["workload".to_owned()];
    heads.extend(results.tools.iter().map(|tool| tool.name().to_owned()));
    heads.push("live".into());
    let mut table = Table::new(title, heads);
    for &workload in &results.workloads {
        let mut cells = vec![workload.to_owned()];
        for &tool in &results.tools {
            let rss = results.median_of(workload, tool, |sample| sample.rss_bytes.map(|bytes| bytes as f64));
            cells.push(cell(rss, megabytes));
        }
        let live = results.reading_of(workload, Tool::Objects).and_then(|reading| reading.peak_live_bytes);
        cells.push(cell(live, |bytes| megabytes(bytes as f64)));
        table.row(cells);
    }
    table
}

fn reading(results: &Results) -> Table {
    let recording = recording_tools(results);
    let mut heads = vec!["workload".to_owned()];
    heads.extend(recording.iter().map(|tool| tool.name().to_owned()));
    let title = "Reading a capture (memsight report --json, memray stats): wall time and memory";
    let mut table = Table::new(title, heads);
    for &workload in &results.workloads {
        let mut cells = vec![workload.to_owned()];
        for &tool in &recording {
            cells.push(cell(results.reading_of(workload, tool), |reading| {
                format!("{:.2} s, {} MB", reading.wall_s, megabytes(reading.max_rss_bytes as f64))
            }));
        }
        table.row(cells);
    }
    table
}

fn by_tool(
    results: &Results,
    title: &str,
    tools: &[Tool],
    format: fn(f64) -> String,
    what: fn(&Sample) -> Option<f64>,
) -> Table {
    let mut heads = vec!["workload".to_owned()];
    heads.extend(tools.iter().map(|tool| tool.name().to_owned()));
    let mut table = Table::new(title, heads);
    for &workload in &results.workloads {
        let mut cells = vec![workload.to_owned()];
        cells.extend(tools.iter().map(|&tool| cell(results.median_of(workload, tool, what), format)));
        table.row(cells);
    }
    table
}

fn recording_tools(results: &Results) -> Vec<Tool> {
    results.tools.iter().copied().filter(|tool| *tool != Tool::Plain).collect()
}

fn cell<T>(figure: Option<T>, format: impl Fn(T) -> String) -> String {
    figure.map_or_else(|| NOTHING.into(), format)
}

fn spread_of_ratio(ratio: Spread) -> String {
    format!("{:.2} ({:.2} to {:.2})", ratio.median, ratio.min, ratio.max)
}

fn kilobytes(bytes: f64) -> String {
    grouped((bytes / 1e3).ceil() as u64)
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1}", bytes / 1e6)
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
