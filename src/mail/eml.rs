//! Reads what [`super::files`] has written: enough of RFC 5322, 2045 and 2047 to show it. Foreign mail is read as
//! well as it goes; nothing is ever refused.

use base64::{Engine, engine::general_purpose::STANDARD};

/// A message, or a part of one.
pub(super) struct Eml<'a> {
    /// Names in lower case, values unfolded.
    headers: Vec<(String, String)>,
    body: &'a str,
}

impl<'a> Eml<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        // A part without headers begins with the empty line.
        let (head, body) = match text.strip_prefix("\r\n") {
            Some(body) => ("", body),
            None => text.split_once("\r\n\r\n").unwrap_or((text, "")),
        };
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in head.split("\r\n") {
            if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), headers.last_mut()) {
                value.push_str(line);
            } else if let Some((name, value)) = line.split_once(':') {
                headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        Self { headers, body }
    }

    /// A header as people read it; empty when there is none.
    pub(super) fn header(&self, name: &str) -> String {
        self.raw(name).map(decode_words).unwrap_or_default()
    }

    /// The text version, with plain line ends.
    pub(super) fn text(&self) -> String {
        self.text_part(3).unwrap_or_default().replace("\r\n", "\n")
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The first `text/plain`, at most this many levels down.
    fn text_part(&self, levels: u8) -> Option<String> {
        let kind = self.raw("content-type").unwrap_or("text/plain");
        if let Some(boundary) = boundary(kind) {
            let deeper = levels.checked_sub(1)?;
            return self.parts(&boundary).find_map(|part| part.text_part(deeper));
        }
        kind.to_ascii_lowercase().starts_with("text/plain").then(|| self.decoded())
    }

    fn parts(&self, boundary: &str) -> impl Iterator<Item = Eml<'a>> {
        let delimiter = format!("--{boundary}");
        let pieces: Vec<_> = self.body.split(delimiter.as_str()).collect();
        let parts = pieces.into_iter().skip(1).take_while(|piece| !piece.starts_with("--"));
        // The line end before a delimiter belongs to the delimiter (RFC 2046, 5.1.1).
        parts
            .map(|piece| piece.strip_prefix("\r\n").unwrap_or(piece))
            .map(|piece| Eml::parse(piece.strip_suffix("\r\n").unwrap_or(piece)))
    }

    fn decoded(&self) -> String {
        let encoding = self.raw("content-transfer-encoding").unwrap_or("7bit").to_ascii_lowercase();
        match encoding.as_str() {
            "quoted-printable" => String::from_utf8_lossy(&quoted_printable(self.body.as_bytes())).into_owned(),
            "base64" => String::from_utf8_lossy(&from_base64(self.body)).into_owned(),
            _ => self.body.to_owned(),
        }
    }
}

fn boundary(content_type: &str) -> Option<String> {
    if !content_type.to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let parameter = content_type.split(';').map(str::trim).find_map(|part| part.strip_prefix("boundary="))?;
    Some(parameter.trim_matches('"').to_owned())
}

/// RFC 2047: `=?utf-8?b?…?=`. White space between two encoded words is not part of the text.
fn decode_words(value: &str) -> String {
    let mut text = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some((before, found)) = rest.split_once("=?") {
        let Some((word, behind)) = encoded_word(found) else {
            text.push_str(before);
            text.push_str("=?");
            (rest, after_word) = (found, false);
            continue;
        };
        if !(after_word && before.chars().all(char::is_whitespace)) {
            text.push_str(before);
        }
        text.push_str(&word);
        (rest, after_word) = (behind, true);
    }
    text.push_str(rest);
    text
}

/// The word that begins after `=?`, and what follows it.
fn encoded_word(text: &str) -> Option<(String, &str)> {
    let mut parts = text.splitn(3, '?');
    let (_charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (data, behind) = rest.split_once("?=")?;
    let bytes = match encoding {
        "b" | "B" => from_base64(data),
        "q" | "Q" => quoted_printable(data.replace('_', " ").as_bytes()),
        _ => return None,
    };
    Some((String::from_utf8_lossy(&bytes).into_owned(), behind))
}

fn from_base64(text: &str) -> Vec<u8> {
    let compact: String = text.split_whitespace().collect();
    STANDARD.decode(compact).unwrap_or_default()
}

/// RFC 2045, 6.7. What is not an escape stays.
fn quoted_printable(mut input: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(input.len());
    while let Some((&first, rest)) = input.split_first() {
        input = match rest {
            [b'\r', b'\n', next @ ..] if first == b'=' => next,
            [high, low, next @ ..] if first == b'=' => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => {
                    output.push(high << 4 | low);
                    next
                }
                _ => {
                    output.push(first);
                    rest
                }
            },
            _ => {
                output.push(first);
                rest
            }
        };
    }
    output
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encoded_words_are_read() {
        assert_eq!(decode_words("Hello =?utf-8?b?Wm/Dqw==?= there"), "Hello Zoë there");
        assert_eq!(decode_words("=?utf-8?q?Zo=C3=AB_?= =?utf-8?b?YQ==?="), "Zoë a");
        assert_eq!(decode_words("what=?a question=?"), "what=?a question=?");
    }

    #[test]
    fn a_text_part_is_found_in_every_encoding() {
        let part = |encoding: &str, body: &str| {
            format!(
                "Content-Type: multipart/alternative;\r\n boundary=\"x\"\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>\r\n--x--\r\n"
            )
        };
        assert_eq!(Eml::parse(&part("7bit", "a\r\nb")).text(), "a\nb");
        assert_eq!(Eml::parse(&part("quoted-printable", "Zo=C3=AB =\r\nis=3Dhere=")).text(), "Zoë is=here=");
        assert_eq!(Eml::parse(&part("base64", "Wm/D\r\nqw==")).text(), "Zoë");
    }

    proptest! {
        #[test]
        fn nothing_panics(text: String, inner in "[-x:=?a-z\r\n ;/\"]{0,80}") {
            for text in [text, format!("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n{inner}--x--"), inner] {
                let eml = Eml::parse(&text);
                let _ = (eml.text(), eml.header("subject"));
            }
        }
    }
}
