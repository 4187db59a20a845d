//! Who saw what: the path of one try, drawn as stations between two people, and under each what it learned and what
//! not. Across where there is room, else from top to bottom.

use egui::{Align, Id, Layout, Pos2, Rect, Role, Sense, Stroke, Ui, WidgetInfo, vec2};

use super::Drawn;
use crate::app::words::who_saw_what::{self, Asked, MOST_ONE_BY_ONE, RequestShown, WhoSawWhat};
use crate::gui::fonts::Icon;
use crate::gui::kit;
use crate::gui::model::{ModalAction, Tone, Transfer, TransferJob};
use crate::gui::text;
use crate::gui::tokens::{Type, measure, palette, space};
use crate::protocol::disclosure::{
    self, AttemptShown, Fact, Note, PartyShown, Saw, ShownOutcome, ShownTotals,
};

/// Diameter of a party's disc, in points.
const DISC: f32 = 40.0;
/// Least width of a column of facts, in points.
const COLUMN: f32 = 118.0;
/// Width of the column of each of the two people, in points.
const PERSON: f32 = 72.0;

/// What was shown in a transfer; its other end is another person.
pub(super) fn of_transfer(ui: &mut Ui, transfer: &Transfer, at: usize, drawn: &mut Drawn) {
    let other = match transfer.job {
        TransferJob::Share(_) => Person::Recipient,
        TransferJob::Receive { .. } => Person::Sender,
    };
    show(ui, &transfer.shown, Some(other), at, drawn);
}

/// What was shown in a test of a server, or in joining a network: nobody else gets a file.
pub(super) fn without_file(ui: &mut Ui, shown: &WhoSawWhat, at: usize, drawn: &mut Drawn) {
    show(ui, shown, None, at, drawn);
}

/// Every try that is kept: what was asked, the number of the try, and what it showed.
fn tries(shown: &WhoSawWhat) -> Vec<(&RequestShown, usize, &AttemptShown)> {
    let all = shown.requests().iter().flat_map(|request| {
        let tries = request.attempts.iter().enumerate();
        tries.map(move |(number, attempt)| (request, number + 1, attempt))
    });
    all.collect()
}

/// What came of a try where that is not said above, and how far the sheet can be trusted.
pub(super) fn foot(shown: &WhoSawWhat, at: usize) -> String {
    let tries = tries(shown);
    let at = at.min(tries.len().saturating_sub(1));
    tries.get(at).map_or_else(String::new, |(_, _, attempt)| {
        if shown.tries() > MOST_ONE_BY_ONE || failed(&attempt.outcome) {
            text::shown_about().to_owned()
        } else {
            text::shown_outcome(&attempt.outcome)
        }
    })
}

/// Whether a try failed, which is said above the path.
const fn failed(outcome: &ShownOutcome) -> bool {
    matches!(
        outcome,
        ShownOutcome::Failed(_) | ShownOutcome::NoList | ShownOutcome::NoProxy
    )
}

fn show(ui: &mut Ui, shown: &WhoSawWhat, other: Option<Person>, at: usize, drawn: &mut Drawn) {
    let palette = palette(ui);
    if shown.tries() > MOST_ONE_BY_ONE {
        together(ui, shown.totals());
        return;
    }
    let tries = tries(shown);
    let at = at.min(tries.len().saturating_sub(1));
    let Some((request, _, attempt)) = tries.get(at) else {
        kit::label(ui, text::nothing_sent(), Type::Body, palette.muted);
        return;
    };
    if tries.len() > 1 {
        let names = tries
            .iter()
            .enumerate()
            .map(|(at, (request, number, _))| (at, text::one_try(request.asked, *number)));
        let names: Vec<(usize, String)> = names.collect();
        if let Some(chosen) = kit::chips(ui, text::tries(), &names, at) {
            drawn.act(ModalAction::ChooseTry(chosen));
        }
        ui.add_space(space::S);
    }
    let here = on_this_computer(attempt);
    if here {
        note(ui, Tone::Info, text::note_this_computer());
    }
    for about in attempt.notes() {
        // Rules about whom to trust mean nothing where nobody else is.
        if !here || !matches!(about, Note::Relaxed(_)) {
            note(ui, Tone::Warning, text::note(about));
        }
    }
    if failed(&attempt.outcome) {
        note(ui, Tone::Warning, &text::outcome(&attempt.outcome));
    }
    let path = Path {
        parties: &attempt.parties(),
        other,
        towards_you: request.asked == Asked::Download,
    };
    let list = Id::unique("who saw what");
    kit::part(ui, list, Role::List, text::who_saw_what(), |ui| {
        stations(ui, &path);
    });
    ui.add_space(space::S);
    if tries.len() > 1 {
        together(ui, shown.totals());
    }
}

/// Draws all parties of the path: side by side where there is room, else below each other.
fn stations(ui: &mut Ui, path: &Path<'_>) {
    let columns: f32 = path.parties.iter().map(|_| COLUMN + space::S).sum();
    if ui.available_width() >= columns + 2.0 * PERSON {
        across(ui, path);
    } else {
        downwards(ui, path);
    }
}

/// Accessible description of a party, as one text.
fn said_of(party: &PartyShown) -> String {
    let mut said = vec![format!("{}, {}", text::role(party.role), party.name)];
    said.extend(who_saw_what::saw(party));
    said.join(". ")
}

/// All relays and the file server are on this computer.
fn on_this_computer(attempt: &AttemptShown) -> bool {
    let relays = attempt.path.as_ref().is_some_and(|path| {
        let relays = [&path.guard, &path.middle, &path.last];
        relays.iter().all(|relay| relay.host.is_loopback())
    });
    relays && attempt.server.is_loopback()
}

/// One try of a request, laid out for drawing.
struct Path<'a> {
    parties: &'a [PartyShown],
    /// The person at the other end, if there is one.
    other: Option<Person>,
    /// The file came from the server, and did not go there.
    towards_you: bool,
}

impl Path<'_> {
    /// Whether an arrow points at this computer; the last one is the other person's.
    fn points_back(&self, leg: usize) -> bool {
        if leg == self.parties.len() {
            self.other == Some(Person::Sender)
        } else {
            self.towards_you
        }
    }
}

/// What each party could learn from all tries together.
fn together(ui: &mut Ui, totals: &ShownTotals) {
    let palette = palette(ui);
    kit::divider(ui);
    ui.add_space(space::XS);
    kit::label(
        ui,
        text::all_tries(totals.tries()),
        Type::Label,
        palette.text,
    );
    for party in totals.parties() {
        let ink = if party.links_both_ends() {
            palette.warning
        } else {
            palette.muted
        };
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = space::S;
            let sign = party.roles.first().copied().map_or(Icon::Relay, sign_of);
            kit::icon(ui, sign, measure::ICON, palette.accent);
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let total = format!("{}  ·  {}", text::total(party), text::amount(party));
                kit::selectable(ui, total, Type::Caption, palette.text);
                kit::selectable(ui, text::links(party.links()), Type::Caption, ink);
            });
        });
    }
    ui.add_space(space::S);
}

fn note(ui: &mut Ui, tone: Tone, words: &str) {
    let palette = palette(ui);
    let (ink, _, sign) = kit::tone_colors(palette, tone);
    ui.horizontal_top(|ui| {
        kit::icon(ui, sign, measure::ICON, ink);
        kit::selectable(ui, words, Type::Body, palette.text);
    });
    ui.add_space(space::XS);
}

/// Who is at an end of the path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Person {
    You,
    Recipient,
    Sender,
}

impl Person {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::You => (text::you(), text::you_know()),
            Self::Recipient => (text::recipient(), text::recipient_learns()),
            Self::Sender => (text::sender(), text::sender_learns()),
        }
    }
}

const fn sign_of(role: disclosure::Role) -> Icon {
    match role {
        disclosure::Role::Guard => Icon::ShieldCheck,
        disclosure::Role::Middle | disclosure::Role::Last => Icon::Relay,
        disclosure::Role::Proxy => Icon::Globe,
        disclosure::Role::Server | disclosure::Role::ListHost | disclosure::Role::Seed => {
            Icon::Server
        }
    }
}

fn disc(ui: &Ui, middle: Pos2, sign: Icon, person: bool) {
    let palette = palette(ui);
    let (fill, ink) = if person {
        (palette.accent_fill, palette.on_fill)
    } else {
        (palette.accent_tint, palette.accent)
    };
    ui.painter().circle_filled(middle, DISC / 2.0, fill);
    if palette.is_high() {
        let stroke = Stroke::new(1.0, palette.border);
        ui.painter().circle_stroke(middle, DISC / 2.0, stroke);
    }
    kit::paint_icon(ui.painter(), middle, sign, measure::ICON_L, ink);
}

/// Draws the path from left to right.
fn across(ui: &mut Ui, path: &Path<'_>) {
    let Path { parties, other, .. } = *path;
    let palette = palette(ui);
    let whole = ui.available_width();
    let stations: f32 = parties.iter().map(|_| 1.0).sum();
    let people = if other.is_some() { 2.0 } else { 1.0 };
    let column = ((whole - people * PERSON) / stations).floor();
    let top = ui.cursor().min;
    let middle = top.y + DISC / 2.0 + 2.0;
    let mut places = vec![(top.x, PERSON)];
    for _ in parties {
        let after = places.last().map_or(top.x, |(left, width)| left + width);
        places.push((after, column));
    }
    if other.is_some() {
        places.push((top.x + whole - PERSON, PERSON));
    }
    // The path itself, behind its stations. The last leg is another day, and another person's.
    for (at, pair) in places.windows(2).enumerate() {
        let [from, to] = pair else { continue };
        let from = Pos2::new(from.0 + from.1 / 2.0 + DISC / 2.0 + 6.0, middle);
        let to = Pos2::new(to.0 + to.1 / 2.0 - DISC / 2.0 - 6.0, middle);
        let (from, to) = if path.points_back(at) {
            (to, from)
        } else {
            (from, to)
        };
        leg(ui, from, to, at == parties.len());
    }
    let mut bottom = top.y;
    let mut facts_top = top.y;
    let you = (0, Person::You);
    let other = other.map(|person| (parties.len() + 1, person));
    for (at, person) in core::iter::once(you).chain(other) {
        let Some((left, width)) = places.get(at).copied() else {
            continue;
        };
        disc(
            ui,
            Pos2::new(left + width / 2.0, middle),
            Icon::Person,
            true,
        );
        let place = Rect::from_min_size(
            Pos2::new(left, top.y + DISC + space::S),
            vec2(width, f32::INFINITY),
        );
        let id = if at == 0 { "you" } else { "other" };
        let centred = Layout::top_down(Align::Center);
        let used = kit::inside(ui, id, place, centred, |ui| {
            let (name, learns) = person.words();
            ui.spacing_mut().item_spacing.y = 2.0;
            kit::label(ui, name, Type::Label, palette.text);
            kit::label(ui, learns, Type::Caption, palette.muted);
            ui.min_rect().bottom()
        });
        bottom = bottom.max(used);
    }
    for (party, (left, width)) in parties.iter().zip(places.iter().skip(1)) {
        let center = Pos2::new(left + width / 2.0, middle);
        disc(ui, center, sign_of(party.role), false);
        let place = Rect::from_min_size(
            Pos2::new(left + space::XS, top.y + DISC + space::S),
            vec2(width - space::S, f32::INFINITY),
        );
        let id = format!("{:?}", party.role);
        let centred = Layout::top_down(Align::Center);
        let used = kit::inside(ui, &id, place, centred, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            kit::selectable(ui, text::role(party.role), Type::Label, palette.text);
            kit::selectable(ui, &party.name, Type::Caption, palette.muted);
            ui.min_rect().bottom()
        });
        facts_top = facts_top.max(used + space::M);
    }
    for (party, (left, width)) in parties.iter().zip(places.iter().skip(1)) {
        let place = Rect::from_min_size(
            Pos2::new(left + space::XS, facts_top),
            vec2(width - space::S, f32::INFINITY),
        );
        let id = format!("facts of {:?}", party.role);
        let left_down = Layout::top_down(Align::Min);
        let used = kit::inside(ui, &id, place, left_down, |ui| {
            // Whoever hears it hears whose it is.
            let item = Id::unique(("facts", id.as_str()));
            kit::part(ui, item, Role::ListItem, &said_of(party), |ui| {
                facts(ui, party);
            });
            ui.min_rect().bottom()
        });
        bottom = bottom.max(used);
    }
    ui.allocate_space(vec2(whole, bottom - top.y));
}

/// Draws the line between two parties, with an arrow.
fn leg(ui: &Ui, from: Pos2, to: Pos2, later: bool) {
    let palette = palette(ui);
    let stroke = Stroke::new(1.5, palette.control_border);
    if later {
        let dashes = egui::Shape::dashed_line(&[from, to], stroke, 4.0, 4.0);
        ui.painter().extend(dashes);
    } else {
        ui.painter().line_segment([from, to], stroke);
    }
    let along = (to - from).normalized();
    let side = along.rot90() * 4.0;
    for wing in [side, -side] {
        let back = to - along * 5.0 + wing;
        ui.painter().line_segment([back, to], stroke);
    }
}

/// Draws the path from top to bottom: discs on a line at the left, text at the right.
fn downwards(ui: &mut Ui, path: &Path<'_>) {
    let Path { parties, other, .. } = *path;
    let next = |at: usize| Next {
        up: path.points_back(at),
        later: at == parties.len(),
    };
    person_row(ui, Person::You, Some(next(0)));
    for (at, party) in parties.iter().enumerate() {
        let palette = palette(ui);
        let last = other.is_none() && at + 1 == parties.len();
        let next = (!last).then(|| next(at + 1));
        stop(ui, sign_of(party.role), false, next, |ui| {
            let item = Id::unique(("facts", at));
            kit::part(ui, item, Role::ListItem, &said_of(party), |ui| {
                kit::selectable(ui, text::role(party.role), Type::Label, palette.text);
                kit::selectable(ui, &party.name, Type::Caption, palette.muted);
                ui.add_space(space::XS);
                facts(ui, party);
            });
        });
    }
    if let Some(other) = other {
        person_row(ui, other, None);
    }
}

/// The arrow to the next below.
#[derive(Clone, Copy)]
struct Next {
    /// Whether it points up.
    up: bool,
    /// Whether this leg happens at another time or by another person, so that it is drawn dashed.
    later: bool,
}

fn person_row(ui: &mut Ui, person: Person, next: Option<Next>) {
    let palette = palette(ui);
    stop(ui, Icon::Person, true, next, |ui| {
        let (name, learns) = person.words();
        kit::label(ui, name, Type::Label, palette.text);
        kit::label(ui, learns, Type::Caption, palette.muted);
    });
}

fn stop(ui: &mut Ui, sign: Icon, person: bool, next: Option<Next>, add: impl FnOnce(&mut Ui)) {
    let top = ui.cursor().min;
    let place = Rect::from_min_max(
        top + vec2(DISC + space::M, 2.0),
        Pos2::new(ui.max_rect().right(), f32::INFINITY),
    );
    let id = format!("stop {}", top.y);
    let used = kit::inside(ui, &id, place, Layout::top_down(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        add(ui);
        ui.min_rect().bottom()
    });
    let height = (used - top.y).max(DISC) + space::L;
    let center = top + vec2(DISC / 2.0, DISC / 2.0);
    disc(ui, center, sign, person);
    if let Some(Next { up, later }) = next {
        let from = center + vec2(0.0, DISC / 2.0 + 4.0);
        let to = Pos2::new(center.x, top.y + height - 4.0);
        if to.y > from.y + 4.0 {
            let (from, to) = if up { (to, from) } else { (from, to) };
            leg(ui, from, to, later);
        }
    }
    ui.allocate_space(vec2(ui.available_width(), height));
}

/// What a party learned and what it did not: two lists, told apart by words and icons, not by colour alone.
fn facts(ui: &mut Ui, party: &PartyShown) {
    let palette = palette(ui);
    let (saw, shown): (&str, &[Fact]) = match party.saw {
        Saw::Certainly => (text::saw(), &party.shown),
        Saw::Perhaps => (text::perhaps_saw(), &party.shown),
        Saw::Nothing => {
            heading(ui, Icon::EyeOff, text::saw_nothing(), palette.muted);
            kit::selectable(ui, text::ended_before(), Type::Caption, palette.muted);
            return;
        }
    };
    let lists: [(&str, Icon, &[Fact], egui::Color32); 2] = [
        (saw, Icon::Eye, shown, palette.text),
        (
            text::did_not_see(),
            Icon::EyeOff,
            &party.hidden,
            palette.muted,
        ),
    ];
    ui.spacing_mut().item_spacing.y = 2.0;
    for (title, sign, facts, ink) in lists {
        if facts.is_empty() {
            continue;
        }
        let tone = if sign == Icon::Eye {
            palette.accent
        } else {
            palette.muted
        };
        heading(ui, sign, title, tone);
        ui.spacing_mut().item_spacing.y = space::XS;
        for fact in facts {
            kit::selectable(ui, text::fact(fact).join("\n"), Type::Caption, ink);
        }
        ui.add_space(space::S);
    }
}

fn heading(ui: &mut Ui, sign: Icon, title: &str, ink: egui::Color32) {
    let size = vec2(ui.available_width(), 18.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, title));
    let middle = rect.center().y;
    kit::paint_icon(
        ui.painter(),
        Pos2::new(rect.left() + 7.0, middle),
        sign,
        14.0,
        ink,
    );
    let font = Type::Caption.font();
    let galley = ui.painter().layout_no_wrap(title.to_owned(), font, ink);
    let at = Pos2::new(rect.left() + 20.0, middle - galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_where_the_file_goes() {
        let back = |other, towards_you| {
            let path = Path {
                parties: &[],
                other,
                towards_you,
            };
            // Without parties the only leg is the other person's.
            path.points_back(0)
        };
        assert!(back(Some(Person::Sender), true), "the sender left it there");
        assert!(!back(Some(Person::Recipient), false));
        let party = AttemptShown {
            at: 0,
            path: None,
            proxy: None,
            end: disclosure::End::Server,
            relaxed: Vec::new(),
            same_bytes_back: false,
            server: "http://files.example".parse().expect("an address"),
            names_file: true,
            sent: vec![1],
            answered: vec![1],
            outcome: ShownOutcome::Answered(200),
        };
        let parties = party.parties();
        for towards_you in [true, false] {
            let path = Path {
                parties: &parties,
                other: None,
                towards_you,
            };
            assert_eq!(path.points_back(0), towards_you);
        }
    }
}
