//! Finds the variables of a text. What is left of it, with a mark for each variable, names its template.

use super::{DIGITS_MAX, GUID_CHARACTERS, HEX_DIGITS_MAX, VARIABLES_MAX, kind};

/// Bytes that stand for a variable in the name of a template: no text has them. The kind is added.
const MARK: u8 = 0xf8;
/// Hexadecimal ids have at least so many digits; shorter ones are words and numbers.
const HEX_DIGITS_MIN: usize = 4;

const DIGIT: u8 = 1;
/// Lower-case letters that are hexadecimal digits.
const HEX_LETTER: u8 = 2;
const LETTER: u8 = 4;
const OUTSIDE: u8 = 8;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' => HEX_LETTER,
            b'g'..=b'z' | b'A'..=b'Z' => LETTER,
            MARK..=0xff => OUTSIDE,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// The variables of one text at a time.
#[derive(Default)]
pub(super) struct Split {
    /// The text with marks in the place of its variables.
    pub name: Vec<u8>,
    /// Kind and place of each variable.
    pub variables: Vec<(u8, usize, usize)>,
}

impl Split {
    /// Splits a text; `false` where it cannot have a template.
    pub fn split(&mut self, text: &[u8]) -> bool {
        self.name.clear();
        self.variables.clear();
        let class = |at: usize| text.get(at).map_or(0, |byte| CLASSES[*byte as usize]);
        let mut at = 0;
        // What is not copied yet.
        let mut literal = 0;
        while at < text.len() {
            let first = class(at);
            if first & (DIGIT | HEX_LETTER | LETTER) == 0 {
                if first == OUTSIDE {
                    return false;
                }
                at += 1;
                continue;
            }
            let start = at;
            let mut seen = 0;
            while class(at) & (DIGIT | HEX_LETTER | LETTER) != 0 {
                seen |= class(at);
                at += 1;
            }
            if at - start == 8
                && seen & LETTER == 0
                && text.get(start..start + GUID_CHARACTERS).is_some_and(is_guid)
                && class(start + GUID_CHARACTERS) & (DIGIT | HEX_LETTER | LETTER) == 0
            {
                at = start + GUID_CHARACTERS;
                self.variable(text, &mut literal, kind::GUID, start, at);
            } else if seen & DIGIT == 0 {
                // A word.
            } else if seen & LETTER == 0 && seen & HEX_LETTER != 0 && at - start >= HEX_DIGITS_MIN {
                if at - start > HEX_DIGITS_MAX {
                    return false;
                }
                self.variable(text, &mut literal, kind::HEX, start, at);
            } else {
                let mut inside = start;
                while inside < at {
                    if class(inside) != DIGIT {
                        inside += 1;
                        continue;
                    }
                    let begin = inside;
                    while class(inside) == DIGIT {
                        inside += 1;
                    }
                    let kind = match inside - begin {
                        ..=DIGITS_MAX => kind::DIGITS,
                        count if count <= HEX_DIGITS_MAX => kind::HEX,
                        _ => return false,
                    };
                    self.variable(text, &mut literal, kind, begin, inside);
                }
            }
        }
        self.name.extend_from_slice(&text[literal..]);
        self.variables.len() <= VARIABLES_MAX
    }

    fn variable(&mut self, text: &[u8], literal: &mut usize, kind: u8, start: usize, end: usize) {
        self.name.extend_from_slice(&text[*literal..start]);
        self.name.push(MARK + kind);
        self.variables.push((kind, start, end));
        *literal = end;
    }
}

/// The kind of variable that a byte of a name marks.
fn marked(byte: u8) -> Option<u8> {
    byte.checked_sub(MARK)
}

/// The kinds of the variables in a name, and what stands around them.
pub(super) fn parts(name: &[u8]) -> (Vec<u8>, Vec<&[u8]>) {
    let kinds = name.iter().filter_map(|byte| marked(*byte)).collect();
    (kinds, name.split(|byte| marked(*byte).is_some()).collect())
}

fn is_guid(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => CLASSES[*byte as usize] & (DIGIT | HEX_LETTER) != 0,
    })
}
