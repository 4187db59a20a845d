//! What a person can do, sorted by who owns the state that it changes.

use super::arrivals::Arrival;
use super::focus::FocusAction;
use super::joining::JoinAction;
use super::listed::ListAction;
use super::modal::ModalAction;
use super::networks::NetworkAction;
use super::nodes::NodesAction;
use super::receive::ReceiveAction;
use super::relays::RelayAction;
use super::rows::RowAction;
use super::servers::ServerAction;
use super::settings::SettingsAction;
use super::share::ShareAction;
use super::transfer::TransferId;
use super::window::WindowAction;
use crate::app::settings::Change;

/// What a person did. Never printed: it can hold a pointer.
pub enum Action {
    /// Something came from outside the window.
    Arrived(Arrival),
    /// The keyboard moved.
    Focus(FocusAction),
    /// Something was done with an invitation to a network.
    Join(JoinAction),
    /// Something was done with the list of transfers.
    List(ListAction),
    /// Something was done with the open modal or menu.
    Modal(ModalAction),
    /// Something was done with a network that was joined.
    Network(NetworkAction),
    /// Something was done with the card of a network of service nodes.
    Nodes(NodesAction),
    /// Something was done on the Receive screen.
    Receive(ReceiveAction),
    /// Something was done with relays, or with the proxy on the way to them.
    Relays(RelayAction),
    /// Something was done with this row.
    Row(TransferId, RowAction),
    /// Something was done with a file server.
    Server(ServerAction),
    /// Something else was done in Settings.
    Settings(SettingsAction),
    /// Something was done on the Share screen.
    Share(ShareAction),
    /// Something was done with the window.
    Window(WindowAction),
}

/// Implements `From` for the nested types of actions, so that one can be passed without naming the part of the window
/// that owns it.
macro_rules! owned_by {
    ($($part:ident => $owner:ident;)+) => {$(
        impl From<$part> for Action {
            fn from(action: $part) -> Self {
                Self::$owner(action)
            }
        }

        impl From<$part> for super::Input {
            fn from(action: $part) -> Self {
                Self::Action(action.into())
            }
        }
    )+};
}

owned_by! {
    Arrival => Arrived;
    FocusAction => Focus;
    JoinAction => Join;
    ListAction => List;
    ModalAction => Modal;
    NetworkAction => Network;
    NodesAction => Nodes;
    ReceiveAction => Receive;
    RelayAction => Relays;
    ServerAction => Server;
    SettingsAction => Settings;
    ShareAction => Share;
    WindowAction => Window;
}

impl From<Change> for Action {
    fn from(change: Change) -> Self {
        Self::Settings(SettingsAction::Change(Box::new(change)))
    }
}

impl From<Change> for super::Input {
    fn from(change: Change) -> Self {
        Self::Action(change.into())
    }
}
