//! Damaged modules.

use super::*;

/// A small generator of numbers; the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).unwrap()).unwrap()
    }
}

fn mutate(text: &mut Vec<u8>, dice: &mut Dice) {
    if text.is_empty() {
        return;
    }
    let (a, b) = (dice.roll(text.len()), dice.roll(text.len()));
    let (from, to) = (a.min(b), a.max(b));
    match dice.roll(6) {
        0 => text.truncate(a),
        1 => {
            let copy = text[from..to].to_vec();
            text.splice(from..from, copy);
        }
        2 => text.swap(a, b),
        3 => {
            text.drain(from..to.min(from + 20));
        }
        4 => {
            let tokens = [
                "${",
                "}",
                "\"",
                "%{ if ",
                "<<EOT\n",
                "[",
                "(",
                "{",
                "for x in ",
                "null",
                "...",
                "*",
                "-1",
                "\u{fffd}",
                "\\u",
                "99999999999999999999999999999",
            ];
            let token = tokens[dice.roll(tokens.len())].as_bytes();
            text.splice(a..a, token.iter().copied());
        }
        _ => text[a] = u8::try_from(dice.roll(256)).unwrap(),
    }
}

#[test]
fn mutated_modules_do_no_harm() {
    let Some(root) = corpus() else { return };
    let rounds: usize = std::env::var("PORTCULLIS_FUZZ_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(3);
    let mut dice = Dice(0x5eed_cafe_f00d_0001);
    for case in Disk(root.clone())
        .list("")
        .unwrap()
        .into_iter()
        .filter(|entry| entry.is_dir)
    {
        let original = Memory::copy_of(&root.join(&case.name));
        for _ in 0..rounds {
            let mut files = original.clone();
            for text in files.0.values_mut() {
                for _ in 0..=dice.roll(4) {
                    mutate(text, &mut dice);
                }
            }
            let start = Instant::now();
            let evaluation = files.evaluate(&Options::default());
            assert!(start.elapsed() < Duration::from_secs(20), "{}", case.name);
            for problem in &evaluation.problems {
                assert!(!problem.cause.is_empty());
            }
        }
    }
}
