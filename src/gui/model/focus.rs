//! Where the keyboard focus goes next, so that it is never lost.

use super::{Model, Reading, Screen, TransferId};

/// A widget that can be given the keyboard focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The access word of the server at this place: its field where that is open, else the button that opens it.
    AccessWord(usize),
    /// The widget that had the focus before a modal opened; the window remembers it.
    Before,
    /// The main button of the card below the pointer's field: Download, Join.
    Download,
    /// The button that uses the file that is asked about.
    KnownFile,
    /// The button with three dots of this row.
    Menu(TransferId),
    /// The button with three dots of the network whose server is at this place.
    NetworkMenu(usize),
    /// The button that uses the newer list which waits in the network whose server is at this place.
    NewerList(usize),
    /// The field for the name of the network whose server is at this place.
    NetworkName(usize),
    /// The main button of the card of a network that a file describes, else the button that chooses such a file.
    NodesFile,
    /// The button that puts the notice away; a reader says the notice there.
    Notice,
    /// The field of the pointer.
    Pointer,
    /// The field for the line of a relay list.
    RelayLine,
    /// The row of this transfer.
    Row(TransferId),
    /// The field of a new server's address.
    ServerAddress,
    /// The main button of the card of Session's network.
    Session,
    /// The gear button that opens Settings.
    Settings,
    /// The button that closes the card of the first start.
    Start,
    /// The switch between Share and Receive.
    Switch,
    /// The button that shares things that came together as one.
    Together,
    /// The zone that files are dropped on.
    Zone,
}

/// A region of the window, in the order of F6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The bar at the top.
    Bar,
    /// The main content of the screen.
    Main,
    /// The list of transfers.
    Rows,
}

/// How the person moved the keyboard focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FocusAction {
    /// To the row beside this one: below or above.
    Beside(TransferId, Beside),
    /// Lost: the widget that had it has gone.
    Lost,
    /// To a region of the window.
    Region(Region),
}

/// Direction from a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// The row above.
    Above,
    /// The row below.
    Below,
}

impl Model {
    pub(super) fn on_focus(&mut self, action: FocusAction) {
        match action {
            FocusAction::Beside(id, beside) => self.focus_beside(id, beside),
            FocusAction::Lost => self.focus = Some(self.home()),
            FocusAction::Region(region) => self.focus_region(region),
        }
    }

    /// The widget that has the focus on this screen by default.
    #[must_use]
    pub(crate) fn home(&self) -> Focus {
        match self.screen {
            Screen::Share if self.first_start => Focus::Start,
            Screen::Share => Focus::Zone,
            Screen::Receive
                if matches!(
                    self.receive.reading,
                    Reading::Known(_) | Reading::Invited(_)
                ) =>
            {
                Focus::Download
            }
            Screen::Receive => Focus::Pointer,
            Screen::Settings => Focus::Settings,
            #[cfg(feature = "testing")]
            Screen::Gallery => Focus::Settings,
        }
    }

    fn focus_region(&mut self, region: Region) {
        let first = self.listed().next().map(|transfer| transfer.id);
        self.focus = Some(match (region, first, self.screen) {
            (Region::Bar, ..) => Focus::Switch,
            (Region::Rows, Some(first), Screen::Share | Screen::Receive) => Focus::Row(first),
            (Region::Main, _, Screen::Settings) => Focus::ServerAddress,
            (Region::Main, ..) => self.home(),
            (Region::Rows, ..) => Focus::Switch,
        });
    }

    fn focus_beside(&mut self, id: TransferId, beside: Beside) {
        let Some(at) = self.place_of(id) else {
            return;
        };
        let next = match beside {
            Beside::Above => at.checked_sub(1),
            Beside::Below => Some(at + 1),
        };
        let next = next.and_then(|at| self.listed().nth(at));
        self.focus = match next {
            Some(row) => Some(Focus::Row(row.id)),
            None if beside == Beside::Above => Some(self.home()),
            None => Some(Focus::Row(id)),
        };
    }

    /// The widget that takes the focus over from a row that is removed: the next row, the one before, or the main
    /// content.
    pub(super) fn focus_after(&mut self, id: TransferId) {
        let at = self.place_of(id);
        let neighbour = at.and_then(|at| {
            let before = at.checked_sub(1).and_then(|at| self.listed().nth(at));
            self.listed().nth(at + 1).or(before)
        });
        let neighbour = neighbour.map(|row| Focus::Row(row.id));
        self.focus = Some(neighbour.unwrap_or_else(|| self.home()));
    }

    fn place_of(&self, id: TransferId) -> Option<usize> {
        self.listed().position(|row| row.id == id)
    }
}
