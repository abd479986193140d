//! The tokens of a text, comments included. The text has been parsed before, so that everything in it is a
//! token of the language.

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or a keyword.
    Word,
    /// `"text"`.
    Text,
    /// A number with its unit.
    Number,
    /// `// …`, without the line end.
    Comment,
    /// An operator, a bracket, a comma.
    Sign,
}

/// A token, with the white space before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub kind: TokenKind,
    /// The text. A comment is without spaces at its end.
    pub text: &'t str,
    /// The offset of the first byte.
    pub start: usize,
    /// The number of line ends between the previous token and this one.
    pub lines: usize,
    /// For a bracket, the index of its partner. For any other token, its own index.
    pub partner: usize,
}

impl Token<'_> {
    pub(super) fn is(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Returns `true` for a comment that documents the next statement: `///` on a line of its own.
    pub(super) fn is_doc(&self) -> bool {
        self.kind == TokenKind::Comment
            && self.lines > 0
            && self.text.starts_with("///")
            && !self.text.starts_with("////")
    }
}

/// Signs, longer ones before their prefixes.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "..", "<", ">", "=", "+", "-", "*", "/", ":", ",", ".", "(", ")", "[", "]", "{",
    "}",
];

/// Splits a text into tokens. Returns `None` if it contains anything else, or a bracket without a partner.
pub(super) fn read(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut open = Vec::new();
    // A byte order mark at the start of a file is dropped.
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    // The first token is at the start of a line.
    let mut lines = 1;
    while let Some(&byte) = text.as_bytes().get(at) {
        if byte.is_ascii_whitespace() {
            lines += usize::from(byte == b'\n');
            at += 1;
            continue;
        }
        let (kind, length) = one(text.get(at..)?)?;
        let token = text.get(at..at + length)?;
        let index = tokens.len();
        let partner = match token {
            "(" | "[" | "{" => {
                open.push(index);
                index
            }
            ")" | "]" | "}" => {
                let partner = open.pop()?;
                tokens.get_mut(partner)?.partner = index;
                partner
            }
            _ => index,
        };
        let shown = if kind == TokenKind::Comment { token.trim_end() } else { token };
        tokens.push(Token { kind, text: shown, start: at, lines, partner });
        at += length;
        lines = 0;
    }
    open.is_empty().then_some(tokens)
}

/// Returns the kind and length of the token at the start of a text.
fn one(text: &str) -> Option<(TokenKind, usize)> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'"' => quoted(bytes).map(|length| (TokenKind::Text, length)),
        b'/' if bytes.get(1) == Some(&b'/') => {
            Some((TokenKind::Comment, text.find('\n').unwrap_or(text.len())))
        }
        b'0'..=b'9' => Some((TokenKind::Number, number(bytes))),
        first if first.is_ascii_alphabetic() => Some((TokenKind::Word, word(bytes))),
        _ => SIGNS.iter().find(|sign| text.starts_with(**sign)).map(|sign| (TokenKind::Sign, sign.len())),
    }
}

fn quoted(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Returns `true` if a word continues at a position. A hyphen is part of a word only inside.
fn goes_on(bytes: &[u8], at: usize) -> bool {
    let part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    part(bytes.get(at)) || (bytes.get(at) == Some(&b'-') && part(bytes.get(at + 1)))
}

fn word(bytes: &[u8]) -> usize {
    let mut at = 1;
    while goes_on(bytes, at) {
        at += 1;
    }
    at
}

fn number(bytes: &[u8]) -> usize {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 1;
    while digit(at) || bytes.get(at) == Some(&b'_') || (bytes.get(at) == Some(&b'.') && digit(at + 1)) {
        at += 1;
    }
    loop {
        if bytes.get(at..at + 3) == Some(b"B/s") && !goes_on(bytes, at + 3) {
            at += 3;
        } else if bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            at += 1;
        } else {
            break;
        }
    }
    at + usize::from(bytes.get(at) == Some(&b'%'))
}
