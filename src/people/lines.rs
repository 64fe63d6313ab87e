//! A file cut into its lines, a piece at a time.
//!
//! A line is a line, in CSV too: none of what is imported has line breaks, and so a quotation mark that is never closed
//! spoils the one line that it is in and none of those after it. No line, however long, takes more memory than the longest
//! that is read.

/// The longest line in bytes. An address, a name, a hash and a hundred teams have room in it.
pub const LONGEST: usize = 16 * 1024;

/// Where the reading of a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// How many bytes are done with.
    pub byte: i64,
    /// How many lines have begun to be.
    pub line: i64,
    /// Whether it is inside of a line that is too long, which counts already.
    pub skipping: bool,
}

/// A line with its number, from 1 on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub number: i64,
    /// Its bytes without the line break; `None` when it is too long.
    pub bytes: Option<Vec<u8>>,
}

/// Whether more comes after a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// More comes.
    Coming,
    /// The file ends with it.
    Ended,
}

impl Place {
    /// Cuts at most so many lines out of what begins at this place, and goes to the end of the last one. Nothing comes, and
    /// it goes nowhere, when the piece is shorter than its first line and more is coming.
    pub fn cut(&mut self, piece: &[u8], more: More, most: usize) -> Vec<Line> {
        let (mut lines, mut rest) = (Vec::new(), piece);
        while lines.len() < most && !rest.is_empty() {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                self.end(rest, more, &mut lines);
                break;
            };
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            self.byte += signed(end + 1);
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            self.line += 1;
            lines.push(Line { number: self.line, bytes: bounded(line) });
        }
        lines
    }

    /// What is left without a line break.
    fn end(&mut self, rest: &[u8], more: More, lines: &mut Vec<Line>) {
        if more == More::Coming && rest.len() <= LONGEST && !self.skipping {
            return;
        }
        self.byte += signed(rest.len());
        if !self.skipping {
            self.line += 1;
            lines.push(Line { number: self.line, bytes: bounded(rest) });
        }
        self.skipping = more == More::Coming;
    }
}

fn bounded(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (line.len() <= LONGEST).then(|| line.to_vec())
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All lines, read in pieces of this length from wherever the reading is.
    fn read(file: &[u8], piece: usize, most: usize) -> Vec<Line> {
        let (mut place, mut lines) = (Place::default(), Vec::new());
        let mut length = piece;
        while usize::try_from(place.byte).unwrap() < file.len() {
            let from = usize::try_from(place.byte).unwrap();
            let end = (from + length).min(file.len());
            let more = if end == file.len() { More::Ended } else { More::Coming };
            let before = place;
            lines.extend(place.cut(&file[from..end], more, most));
            // Too short for a line: with more of the file.
            length = if place == before { length + piece } else { piece };
            assert!(length <= LONGEST + 2 * piece, "a line is waited for that is too long");
        }
        lines
    }

    proptest! {
        #[test]
        fn lines_are_the_same_whatever_the_pieces(
            lines in prop::collection::vec(prop::collection::vec(prop_oneof![Just(b'"'), Just(b'x'), Just(0), Just(0xff)], 0..50), 0..40),
            piece in 1usize..80, most in 1usize..10, last in any::<bool>(),
        ) {
            let mut file = lines.join(&b'\n');
            if last { file.push(b'\n'); }
            let mut expected: Vec<_> = lines.clone();
            // An empty line at the end is none.
            if !last && expected.last().is_some_and(Vec::is_empty) { expected.pop(); }
            if lines.is_empty() && last { expected = vec![Vec::new()]; }
            let read: Vec<_> = read(&file, piece, most).into_iter().map(|line| line.bytes.unwrap()).collect();
            prop_assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line_and_takes_no_other_with_it() {
        let long = "x".repeat(LONGEST + 1);
        for piece in [100, 1000, 100_000] {
            let file = format!("one\r\n{long}\ntwo\n{long}{long}\nthree");
            let lines = read(file.as_bytes(), piece, 3);
            let texts: Vec<_> = lines.iter().map(|line| line.bytes.as_deref()).collect();
            assert_eq!(texts, [Some(&b"one"[..]), None, Some(b"two"), None, Some(b"three")], "{piece}");
            assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        }
        // Exactly the longest, with either line break.
        let file = format!("{0}\n{0}\r\n", "x".repeat(LONGEST));
        assert!(read(file.as_bytes(), 100_000, 5).iter().all(|line| line.bytes.is_some()));
    }
}
