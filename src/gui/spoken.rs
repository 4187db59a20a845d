//! What screen readers are given, once a frame is drawn: thin and unbreakable spaces, which several readers name instead
//! of pausing, become plain ones.

use egui::accesskit::{Node, Role};
use egui::{Context, FullOutput, Plugin};

/// Mends every text of the accessibility tree; what is drawn stays as it is.
pub(super) struct PlainSpaces;

impl Plugin for PlainSpaces {
    fn debug_name(&self) -> &'static str {
        "plain spaces for screen readers"
    }

    fn output_hook(&mut self, _ctx: &Context, output: &mut FullOutput) {
        let Some(update) = &mut output.platform_output.accesskit_update else {
            return;
        };
        for (_, node) in &mut update.nodes {
            mend(node);
        }
    }
}

fn mend(node: &mut Node) {
    if let Some(label) = node.label().and_then(plain) {
        node.set_label(label);
    }
    if let Some(description) = node.description().and_then(plain) {
        node.set_description(description);
    }
    let Some(value) = node.value().and_then(plain) else {
        return;
    };
    // A run of text says how many bytes each of its characters has.
    if node.role() == Role::TextRun {
        let lengths: Vec<u8> = plain_lengths(node.value().unwrap_or_default(), node);
        node.set_character_lengths(lengths);
    }
    node.set_value(value);
}

/// How many bytes each character of a run has, once its spaces are plain.
fn plain_lengths(value: &str, run: &Node) -> Vec<u8> {
    let mut at = 0;
    let lengths = run.character_lengths().iter().map(|length| {
        let from = at;
        at += usize::from(*length);
        let character = value.get(from..at).unwrap_or_default();
        let mended = plain(character).map(|mended| mended.len());
        mended
            .and_then(|mended| u8::try_from(mended).ok())
            .unwrap_or(*length)
    });
    lengths.collect()
}

/// `text` with plain spaces in place of thin and unbreakable ones; none where there are none.
fn plain(text: &str) -> Option<String> {
    const OTHER_SPACES: [char; 4] = ['\u{a0}', '\u{2009}', '\u{200a}', '\u{202f}'];
    text.contains(OTHER_SPACES)
        .then(|| text.replace(OTHER_SPACES, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_a_node_gets_plain_spaces() {
        let mut node = Node::new(Role::Button);
        node.set_label("Prêt\u{a0}!");
        node.set_description("3\u{202f}672\u{202f}576 B");
        node.set_value("as it is");
        mend(&mut node);
        assert_eq!(node.label(), Some("Prêt !"));
        assert_eq!(node.description(), Some("3 672 576 B"));
        assert_eq!(node.value(), Some("as it is"));
    }

    #[test]
    fn a_run_of_text_still_says_how_long_its_characters_are() {
        let mut run = Node::new(Role::TextRun);
        run.set_value("é\u{202f}1");
        run.set_character_lengths([2, 3, 1]);
        mend(&mut run);
        assert_eq!(run.value(), Some("é 1"));
        assert_eq!(run.character_lengths(), [2, 1, 1]);
    }
}
