//! What the screen shows, as text, at several sizes and after several keys.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use memsight_picture::testing::{self, Builder};
use memsight_picture::{States, Trace};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};

use super::app::{App, Below, Flow, Mode};
use super::draw::draw;
use super::moment::{Moment, Tags, Target};

fn named(name: &str) -> Trace {
    testing::traces().into_iter().find(|(other, _)| *other == name).expect("a trace of this name").1
}

fn press(app: &mut App<'_>, keys: &str) {
    for key in keys.split(' ') {
        let code = match key {
            "right" => KeyCode::Right,
            "left" => KeyCode::Left,
            "down" => KeyCode::Down,
            "up" => KeyCode::Up,
            "pgdn" => KeyCode::PageDown,
            "pgup" => KeyCode::PageUp,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "back" => KeyCode::Backspace,
            key => KeyCode::Char(key.chars().next().expect("a key")),
        };
        assert_eq!(app.key(KeyEvent::new(code, KeyModifiers::NONE)), Flow::On, "{key}");
    }
}

fn drawn(app: &mut App<'_>, columns: u16, rows: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a terminal in memory");
    terminal.draw(|frame| draw(frame, app, true)).expect("a screen");
    terminal
}

/// The screen as text, without the blanks at the ends of lines.
fn text(app: &mut App<'_>, columns: u16, rows: u16) -> String {
    let terminal = drawn(app, columns, rows);
    let buffer = terminal.backend().buffer();
    let mut out = String::new();
    for y in 0..rows {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..columns {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = super::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Compares with the file of this name; with MEMSIGHT_WRITE_SCREENS set, writes it.
fn assert_screen(name: &str, screen: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/view_terminal/{name}.txt"));
    if std::env::var_os("MEMSIGHT_WRITE_SCREENS").is_some() {
        std::fs::write(&path, screen).expect("the screen's file");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(screen == expected, "{name} is otherwise than {}:\n{screen}", path.display());
}

#[test]
fn each_width_has_its_layout() {
    for (name, index) in
        [("slice", 2), ("string", 2), ("generator", 4), ("recursion", 6), ("cycle", 4), ("c", 6)]
    {
        let mut trace = named(name);
        // Longer than a line of 80 columns; what is really said is its maker's to test.
        trace.steps[index].say =
            "`tail` names a new 72-byte list of 2 items: the same objects as in `items[2:4]`.".to_owned();
        for (columns, rows) in [(80, 24), (100, 30), (140, 34)] {
            let mut app = App::new(&trace);
            app.index = index;
            assert_screen(&format!("{name}-{columns}"), &text(&mut app, columns, rows));
        }
    }
}

#[test]
fn what_is_open_below_and_the_help_leave_the_rest_in_sight() {
    let trace = named("aliasing");
    let mut app = App::new(&trace);
    press(&mut app, "right right down enter");
    assert_screen("life-100", &text(&mut app, 100, 30));
    press(&mut app, "?");
    assert_screen("help-80", &text(&mut app, 80, 34));
    let trace = named("slice");
    let mut app = App::new(&trace);
    press(&mut app, "end o");
    assert_screen("output-80", &text(&mut app, 80, 24));
    let trace = named("c");
    let mut app = App::new(&trace);
    press(&mut app, "right right right down enter");
    assert_screen("life-c-100", &text(&mut app, 100, 30));
}

#[test]
fn no_line_of_a_column_is_wider_than_the_column() {
    for (name, trace) in testing::traces() {
        let (states, tags) = (States::new(&trace), Tags::new(&trace));
        for index in 0..trace.steps.len() {
            let moment = Moment::new(&trace, &states, index).expect("a step of the trace");
            for columns in [26, 35, 60] {
                let panes = [
                    super::code::pane(&moment, columns),
                    super::stack::pane(&moment, &tags, None, columns),
                    super::heap::pane(&moment, &tags, None, columns),
                ];
                for line in panes.iter().flat_map(|pane| &pane.lines) {
                    assert!(line.width() <= columns, "{name}, step {index}, {columns}: {line:?}");
                }
            }
        }
    }
}

#[test]
fn any_size_can_be_drawn() {
    for (name, trace) in testing::traces().into_iter().filter(|(name, _)| *name != "large") {
        let mut app = App::new(&trace);
        for keys in ["right down", "enter", "end o", "?"] {
            press(&mut app, keys);
            for columns in [1, 7, 30, 31, 55, 56, 57, 95, 96, 97, 250] {
                for rows in [1, 3, 10, 11, 60] {
                    let screen = text(&mut app, columns, rows);
                    let wide = screen.lines().all(|line| super::text::width(line) <= columns.into());
                    assert!(wide, "{name} {columns} × {rows}:\n{screen}");
                }
            }
        }
    }
}

#[test]
fn keys_go_through_the_steps_and_stop_at_both_ends() {
    let trace = named("large");
    let mut app = App::new(&trace);
    let mut at = |keys: &str| {
        press(&mut app, keys);
        app.index
    };
    assert_eq!(at("right l n"), 3);
    assert_eq!(at("left h p"), 0);
    assert_eq!(at("left"), 0);
    assert_eq!(at("pgdn"), 10);
    assert_eq!(at("right pgup"), 1);
    assert_eq!(at("end"), 199);
    assert_eq!(at("pgdn right"), 199);
    assert_eq!(at("home"), 0);
    assert_eq!(app.key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)), Flow::Quit);
    assert_eq!(app.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Flow::Interrupted);
}

#[test]
fn an_arrow_is_followed_and_its_both_ends_are_marked() {
    let trace = named("aliasing");
    let mut app = App::new(&trace);
    press(&mut app, "right right down");
    assert_eq!(app.selected, Some(Target::Name { frame: 0, name: "a".into() }));
    let terminal = drawn(&mut app, 100, 30);
    let with = |modifier: Modifier| {
        let cells = terminal.backend().buffer().content();
        let marked = cells.iter().filter(|cell| cell.modifier.contains(modifier));
        marked.map(|cell| cell.symbol()).collect::<String>()
    };
    assert!(with(Modifier::REVERSED).contains("❯  a → c list of 2"), "{}", with(Modifier::REVERSED));
    assert!(with(Modifier::UNDERLINED).contains("list"), "{}", with(Modifier::UNDERLINED));
    press(&mut app, "tab");
    assert!(matches!(app.selected, Some(Target::Object(_))));
    press(&mut app, "tab");
    assert_eq!(app.selected, Some(Target::Name { frame: 0, name: "a".into() }));
    press(&mut app, "up up down");
    assert_eq!(app.selected, Some(Target::Name { frame: 0, name: "b".into() }));
    press(&mut app, "j");
    assert_eq!((app.index, app.note.as_str()), (5, ""));
    press(&mut app, "j");
    assert_eq!((app.index, app.note.as_str()), (5, "What is selected does not change after this step."));
    press(&mut app, "J");
    assert_eq!(app.index, 2);
    press(&mut app, "esc j");
    assert_eq!(app.note, "Select a name or an object first, with ↑ or ↓.");
}

#[test]
fn a_search_goes_to_a_line_or_a_name_and_says_where_it_found_nothing() {
    let trace = named("aliasing");
    let mut app = App::new(&trace);
    press(&mut app, "/ 9 back 4 enter");
    assert_eq!((app.index, app.mode.clone()), (3, Mode::Steps));
    press(&mut app, "/ b enter");
    assert_eq!(app.index, 5);
    press(&mut app, "/ enter");
    assert_eq!((app.index, app.note.as_str()), (2, "Searched on from the first step."));
    assert_eq!(app.selected, Some(Target::Name { frame: 0, name: "b".into() }));
    press(&mut app, "/ 9 9 enter");
    assert_eq!((app.index, app.note.as_str()), (2, "No step is at line 99."));
    press(&mut app, "/ q esc");
    assert_eq!((app.index, app.mode), (2, Mode::Steps));
}

#[test]
fn a_prediction_is_asked_before_the_step_is_shown() {
    let trace = named("aliasing");
    let mut app = App::new(&trace);
    press(&mut app, "right d right");
    assert_eq!(app.index, 1);
    let screen = text(&mut app, 100, 30);
    assert!(screen.contains("How many references will there be to c, list of 2? Now 1. ▏"), "{screen}");
    press(&mut app, "enter x 2 enter");
    assert_eq!((app.index, app.predicting), (2, Some((1, 1))));
    let screen = text(&mut app, 100, 30);
    assert!(screen.contains("Right: c, list of 2: 1→2."), "{screen}");
    assert!(screen.contains("predict 1 of 1 right"), "{screen}");
    press(&mut app, "right");
    assert_eq!(app.index, 3, "a step that changes no count asks nothing");
    press(&mut app, "right 7 enter");
    assert_eq!((app.note.as_str(), app.predicting), ("Not 7: c, list of 3: 2→1.", Some((1, 2))));
    press(&mut app, "right esc");
    assert_eq!((app.index, app.predicting), (5, Some((1, 2))));
    let trace = named("c");
    let mut app = App::new(&trace);
    press(&mut app, "d");
    assert_eq!(app.predicting, None);
    assert_eq!(app.note, "C counts no references: there is nothing to predict.");
}

#[test]
fn a_life_is_not_told_ahead_to_who_predicts() {
    let trace = named("aliasing");
    let mut app = App::new(&trace);
    press(&mut app, "right right down enter");
    assert!(text(&mut app, 100, 30).contains("2→1"));
    press(&mut app, "d");
    let screen = text(&mut app, 100, 30);
    assert!(!screen.contains("2→1") && screen.contains("b refers to it"), "{screen}");
}

#[test]
fn without_colour_nothing_is_coloured() {
    let trace = named("string");
    let mut app = App::new(&trace);
    press(&mut app, "right right");
    let colored = |app: &mut App<'_>, color| {
        let mut terminal = Terminal::new(TestBackend::new(100, 30)).expect("a terminal in memory");
        terminal.draw(|frame| draw(frame, app, color)).expect("a screen");
        let cells = terminal.backend().buffer().content();
        cells.iter().any(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset))
    };
    assert!(colored(&mut app, true));
    assert!(!colored(&mut app, false));
}

#[test]
fn a_name_without_an_object_has_its_values_told() {
    let trace = named("c");
    let mut app = App::new(&trace);
    press(&mut app, "end left down down enter");
    let screen = text(&mut app, 100, 30);
    assert!(screen.contains("the values of second"), "{screen}");
    for words in ["= uninitialised", "→ b", "= NULL"] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
}

#[test]
fn escape_closes_what_is_open_before_it_unselects() {
    let trace = named("aliasing");
    let mut app = App::new(&trace);
    press(&mut app, "right down enter");
    assert_eq!(app.below, Below::Life);
    press(&mut app, "esc");
    assert_eq!((app.below, app.selected.is_some()), (Below::Nothing, true));
    press(&mut app, "esc");
    assert_eq!(app.selected, None);
}

#[test]
fn nothing_that_a_program_says_reaches_the_terminal_as_a_command() {
    let evil = "\x1b]0;evil\x07\u{9b}2J\u{202e}";
    let mut builder = Builder::python(evil, &format!("x = '{evil}'\n"));
    let list = builder.value(evil, evil, 60);
    builder.name(evil, list);
    builder.print(evil);
    builder.line(1).say = evil.to_owned();
    let mut trace = builder.finish(evil);
    trace.notes.push(evil.to_owned());
    let mut app = App::new(&trace);
    for keys in ["down", "enter", "o", "/ \x1b"] {
        press(&mut app, keys);
        for columns in [80, 140] {
            let screen = text(&mut app, columns, 30);
            let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!screen.contains(bad), "{screen:?}");
            assert!(screen.contains("\\x1b"), "{screen}");
        }
    }
}

/// Not a test of its own: what those below run in a process of its own, which it ends.
#[test]
#[ignore = "other tests run it"]
fn shown_in_a_terminal() {
    let Ok(name) = std::env::var("MEMSIGHT_TRACE") else { return };
    if name == "panic" {
        super::screen::with_terminal(|| panic!("on purpose")).expect("a panic");
    }
    let exit = super::show(&named(&name)).expect("a terminal");
    crate::exit::leave(exit);
}

/// Runs the above under a terminal of its own and does what a script says; its last line is what the
/// terminal is like at the end, `cooked` or `raw`, and how the process ended.
const DRIVER: &str = r#"
import fcntl, os, select, signal, struct, sys, termios, time
keys = [bytes(k, "utf-8").decode("unicode_escape").encode() for k in sys.argv[2].split(",")]
fd, slave = os.openpty()
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for standard in range(3):
        os.dup2(slave, standard)
    os.close(fd)
    os.environ["TERM"] = "xterm-256color"
    os.execv(sys.argv[1], [sys.argv[1], "--ignored", "--exact", "--nocapture",
                           "view::terminal::tests::shown_in_a_terminal"])
out = b""
def read(seconds, until=None):
    global out
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until and until in out:
            return True
        if select.select([fd], [], [], 0.05)[0]:
            try:
                out += os.read(fd, 65536)
            except OSError:
                return False
    return False
assert read(30, b"\x1b[?1049h"), out
if keys != [b""]:
    assert read(30, b"step 1 of"), out
for key in keys:
    if key == b"TERM":
        os.kill(pid, signal.SIGTERM)
    elif key:
        os.write(fd, key)
    read(0.3)
status = None
end = time.monotonic() + 30
while status is None and time.monotonic() < end:
    read(0.1)
    done, found = os.waitpid(pid, os.WNOHANG)
    status = found if done else None
if status is None:
    os.kill(pid, signal.SIGKILL)
    sys.exit("it did not end")
read(0.2)
flags = termios.tcgetattr(slave)[3]
left = out.rstrip().rfind(b"\x1b[?1049l") > out.rfind(b"\x1b[?1049h")
sys.stdout.buffer.write(out)
print()
print("cooked" if flags & termios.ICANON and flags & termios.ECHO else "raw",
      "left" if left else "there",
      "signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else "exit %d" % os.WEXITSTATUS(status))
"#;

/// What a terminal received, and how it all ended.
fn driven(trace: &str, keys: &str) -> (String, String) {
    let output = Command::new("python3")
        .args(["-c", DRIVER])
        .arg(std::env::current_exe().expect("this test's executable"))
        .arg(keys)
        .env("MEMSIGHT_TRACE", trace)
        .stdin(Stdio::null())
        .output()
        .expect("python3");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let last = text.trim_end().lines().last().unwrap_or_default().to_owned();
    (text, last)
}

#[test]
fn a_terminal_is_given_back_however_it_ends() {
    let (text, end) = driven("aliasing", r"l,\x1b[B,\r,q");
    assert!(text.contains("the life of"), "{text}");
    assert_eq!(end, "cooked left exit 0");
    assert_eq!(driven("aliasing", r"l,\x03").1, "cooked left signal 2");
    assert_eq!(driven("aliasing", "l,TERM").1, "cooked left signal 15");
}

#[test]
fn in_a_pipe_the_steps_are_text() {
    let output = Command::new(std::env::current_exe().expect("this test's executable"))
        .args(["--ignored", "--exact", "--nocapture", "view::terminal::tests::shown_in_a_terminal"])
        .env("MEMSIGHT_TRACE", "aliasing")
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .output()
        .expect("this test's executable");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("aliasing.py  CPython 3.12.1  6 steps, exit 0"), "{text}");
    assert!(!text.contains('\x1b'), "{text:?}");
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_speaks() {
    let (text, end) = driven("panic", "");
    assert_eq!(end.split(' ').take(2).collect::<Vec<_>>(), ["cooked", "left"]);
    let given_back = text.rfind("\x1b[?1049l").expect("the screen is left");
    assert!(text[given_back..].contains("on purpose"), "{text}");
}
