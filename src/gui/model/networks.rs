//! Networks in Settings: how their relay lists stand, invitations to them, renaming and leaving them.

use std::collections::BTreeMap;

use super::{
    Announced, ClipboardWork, DialogWork, Effect, Focus, ManageAction, Modal, Model, PointerText,
    Screen, SettingsWork, Timer, Tone, Transfer, TransferId, TransferJob, TransferState,
    WindowAction, WindowMessage,
};
use crate::app::relays::ManyGone;
use crate::app::settings::{Change, ServerChoice, ServerEntry};
use crate::app::words::message::UserMessage;
use crate::protocol::address::ServerAddress;
use crate::protocol::pointer::Pointer;

/// What is known of the relay list of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSeen {
    /// Number of relays in it; 0 where none is here.
    pub relays: usize,
    /// Until when it is good, unix seconds; `None` where none is here.
    pub expires: Option<u64>,
    /// It ends within three days, and no newer one came.
    pub ends_soon: bool,
    /// A newer list that waits for the person, since it lacks more than half of the relays.
    pub waiting: Option<ManyGone>,
    /// What is wrong with it, if anything.
    pub trouble: Option<String>,
}

/// The sheet with an invitation, while it is open. Never printed.
pub struct InviteSheet {
    /// Address of the network's server.
    pub server: ServerAddress,
    /// The invitation holds the access word.
    pub with_word: bool,
    /// The invitation, or why there is none; `None` while it is being made.
    pub made: Option<Result<PointerText, UserMessage>>,
    /// Where it was saved, or why it was not.
    pub saved: Option<Result<String, UserMessage>>,
    /// It is on the clipboard.
    pub copied: bool,
}

/// The field for the name of a network, while it is open.
pub struct NameField {
    /// Address of the network's server.
    pub server: ServerAddress,
    /// Text of the field.
    pub text: String,
}

/// What an invitation is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteFor {
    /// To be copied together with the pointer of this row.
    Row(TransferId),
    /// For the sheet, with the access word or without.
    Sheet {
        /// The invitation holds the access word.
        with_word: bool,
    },
}

impl InviteFor {
    /// Whether the invitation holds the access word.
    #[must_use]
    pub const fn with_word(self) -> bool {
        matches!(self, Self::Sheet { with_word: true })
    }
}

/// What a person did with a network that was joined.
#[derive(Clone)]
pub enum NetworkAction {
    /// Close the field for a name.
    CloseName,
    /// Put the invitation of the open sheet on the clipboard.
    CopyInvitation,
    /// Open the sheet with an invitation to it.
    Invite(ServerAddress),
    /// Have the invitation hold the access word, or not.
    InviteWithWord(bool),
    /// Leave it; asks first where something is still there or under way.
    Leave(ServerAddress),
    /// Answer to [`Modal::Leave`]: have what is still there deleted, and leave.
    DeleteAndLeave,
    /// Answer to [`Modal::Leave`].
    LeaveAnyway,
    /// The field for its name was edited.
    NameEdited(String),
    /// Open the menu of its row.
    OpenMenu(ServerAddress),
    /// Open the field for its name.
    OpenName(ServerAddress),
    /// Give it the name that was typed.
    Rename,
    /// Save the invitation of the open sheet in a file.
    SaveInvitation,
    /// Show the newer list that waits in the network of this server, since something there failed.
    SeeNewerList(ServerAddress),
    /// Use the newest list, which waits since it lacks many relays.
    UseNewList(ServerAddress),
}

/// What leaving a network would lose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StillThere {
    /// Shared files that can be deleted from its server.
    pub deletable: usize,
    /// Transfers that are under way to it or from it.
    pub under_way: usize,
}

impl Model {
    pub(super) fn on_network(&mut self, action: NetworkAction) -> Vec<Effect> {
        match action {
            NetworkAction::CloseName => self.close_name(),
            NetworkAction::CopyInvitation => return self.copy_invitation(),
            NetworkAction::DeleteAndLeave => return self.delete_and_leave(),
            NetworkAction::Invite(server) => return self.open_invite(server),
            NetworkAction::InviteWithWord(on) => return self.invite_with_word(on),
            NetworkAction::Leave(server) => return self.leave(server),
            NetworkAction::LeaveAnyway => return self.leave_anyway(),
            NetworkAction::NameEdited(text) => {
                if let Some(field) = &mut self.settings_screen.name {
                    field.text = text;
                }
            }
            NetworkAction::OpenMenu(server) => self.settings_screen.network_menu = Some(server),
            NetworkAction::OpenName(server) => self.open_name(server),
            NetworkAction::Rename => return self.rename(),
            NetworkAction::SaveInvitation => return self.save_invitation(),
            NetworkAction::SeeNewerList(server) => return self.see_newer_list(&server),
            NetworkAction::UseNewList(server) => {
                self.close_network_menu();
                let settings = self.settings_now();
                return vec![Effect::from(SettingsWork::UseNewList(server, settings))];
            }
        }
        Vec::new()
    }

    /// Whether the menu of a row is open.
    #[must_use]
    pub(crate) fn has_menu(&self) -> bool {
        self.menu.is_some() || self.settings_screen.network_menu.is_some()
    }

    /// Closes the menu of a network; whether one was open.
    pub(super) fn close_network_menu(&mut self) -> bool {
        let Some(server) = self.settings_screen.network_menu.take() else {
            return false;
        };
        self.focus = self.place_of_server(&server).map(Focus::NetworkMenu);
        true
    }

    fn open_invite(&mut self, server: ServerAddress) -> Vec<Effect> {
        let word = self.settings.access_word(&server);
        // A friend is to be able to send as well.
        let with_word = word.is_some();
        self.settings_screen.invite = Some(InviteSheet {
            server: server.clone(),
            with_word,
            made: None,
            saved: None,
            copied: false,
        });
        self.open(Modal::Invite(server));
        self.make_invitation().into_iter().collect()
    }

    fn invite_with_word(&mut self, on: bool) -> Vec<Effect> {
        if let Some(sheet) = &mut self.settings_screen.invite {
            sheet.with_word = on;
            sheet.made = None;
            sheet.saved = None;
            sheet.copied = false;
        }
        self.make_invitation().into_iter().collect()
    }

    fn make_invitation(&self) -> Option<Effect> {
        let sheet = self.settings_screen.invite.as_ref()?;
        let with_word = sheet.with_word;
        Some(Effect::from(SettingsWork::Invite(
            InviteFor::Sheet { with_word },
            sheet.server.clone(),
            self.settings_now(),
        )))
    }

    /// Takes in an invitation, or why there is none.
    pub(super) fn on_invited(
        &mut self,
        what: InviteFor,
        server: &ServerAddress,
        made: Result<PointerText, UserMessage>,
    ) -> Vec<Effect> {
        match what {
            InviteFor::Row(id) => match made {
                Ok(invitation) => self.copy_with(id, &invitation),
                Err(message) => {
                    self.say(Tone::Danger, message);
                    Vec::new()
                }
            },
            InviteFor::Sheet { with_word } => {
                let sheet = self.settings_screen.invite.as_mut();
                let sheet =
                    sheet.filter(|sheet| sheet.server == *server && sheet.with_word == with_word);
                if let Some(sheet) = sheet {
                    let trouble = made.as_ref().err().cloned();
                    sheet.made = Some(made);
                    if let Some(message) = trouble {
                        self.announce(true, Announced::Worded(message));
                    }
                }
                Vec::new()
            }
        }
    }

    fn made_invitation(&self) -> Option<PointerText> {
        let sheet = self.settings_screen.invite.as_ref()?;
        sheet.made.as_ref()?.as_ref().ok().cloned()
    }

    fn copy_invitation(&mut self) -> Vec<Effect> {
        let Some(invitation) = self.made_invitation() else {
            return Vec::new();
        };
        self.last_copied = Some(invitation.clone());
        vec![Effect::from(ClipboardWork::CopyInvitation(invitation))]
    }

    /// The invitation is on the clipboard, or not.
    pub(super) fn invitation_copied(&mut self, taken: Result<(), UserMessage>) -> Vec<Effect> {
        if let Err(message) = taken {
            self.announce(true, Announced::Worded(message.clone()));
            if let Some(sheet) = &mut self.settings_screen.invite {
                sheet.saved = Some(Err(message));
            }
            return Vec::new();
        }
        self.copies += 1;
        if let Some(sheet) = &mut self.settings_screen.invite {
            sheet.copied = true;
        }
        self.announce(false, Announced::InvitationCopied);
        let mut effects = vec![Effect::from(Timer::Copied(self.copies))];
        if self.settings.clear_clipboard {
            effects.push(Effect::from(Timer::Clipboard(self.copies)));
        }
        effects
    }

    fn save_invitation(&mut self) -> Vec<Effect> {
        let (Some(invitation), Some(sheet)) =
            (self.made_invitation(), &self.settings_screen.invite)
        else {
            return Vec::new();
        };
        let entry = self.settings.entry(&sheet.server);
        let name = entry.map_or_else(String::new, |entry| entry.shown_name().to_owned());
        vec![Effect::from(DialogWork::SaveInvitation(name, invitation))]
    }

    /// The invitation is in this file, or not.
    pub(super) fn invitation_saved(&mut self, saved: Result<String, UserMessage>) {
        match &saved {
            Ok(name) => self.announce(false, Announced::InvitationSaved(name.clone())),
            Err(message) => self.announce(true, Announced::Worded(message.clone())),
        }
        if let Some(sheet) = &mut self.settings_screen.invite {
            sheet.saved = Some(saved);
        }
    }

    /// The network that a shared file went to, if it was joined.
    #[must_use]
    pub(crate) fn joined_network_of(&self, transfer: &Transfer) -> Option<&ServerEntry> {
        let pointer = Pointer::find(transfer.pointer()?.as_str()).ok()?;
        let entry = self.settings.entry(&pointer.server)?;
        entry.network().is_some().then_some(entry)
    }

    /// The server that a row's file goes to or comes from; `None` for the one inside the program.
    #[must_use]
    pub(crate) fn server_of(&self, id: TransferId) -> Option<ServerAddress> {
        let row = self.transfer(id)?;
        match (&row.goes_to, &row.job) {
            (Some(ServerChoice::Server(server)), _) => Some(server.clone()),
            (_, TransferJob::Receive { pointer, .. }) => {
                Some(Pointer::find(pointer.as_str()).ok()?.server)
            }
            // A row of an earlier start knows its pointer alone.
            (None, TransferJob::Share(_)) => {
                let pointer = Pointer::find(row.pointer()?.as_str()).ok()?;
                Some(pointer.server)
            }
            _ => None,
        }
    }

    /// Where the network of this server stands among the networks, if it was joined.
    pub(super) fn place_of_joined(&self, server: &ServerAddress) -> Option<usize> {
        self.settings.entry(server)?.network()?;
        self.place_of_server(server)
    }

    /// Has an invitation made that is copied together with the pointer of a row.
    pub(super) fn copy_with_invitation(&mut self, id: TransferId) -> Vec<Effect> {
        self.close_menu();
        let row = self.transfer(id);
        let Some(network) = row.and_then(|row| self.joined_network_of(row)) else {
            return Vec::new();
        };
        let server = network.address.clone();
        vec![Effect::from(SettingsWork::Invite(
            InviteFor::Row(id),
            server,
            self.settings_now(),
        ))]
    }

    /// Copies an invitation and the pointer of this row as one text.
    fn copy_with(&mut self, id: TransferId, invitation: &PointerText) -> Vec<Effect> {
        let Some(pointer) = self.transfer(id).and_then(Transfer::pointer) else {
            return Vec::new();
        };
        let both = format!("{}\n{}", invitation.as_str(), pointer.as_str());
        let both = PointerText::new(both);
        self.last_copied = Some(both.clone());
        vec![Effect::from(ClipboardWork::Copy(id, both))]
    }

    fn open_name(&mut self, server: ServerAddress) {
        self.close_network_menu();
        let (Some(at), Some(entry)) = (self.place_of_server(&server), self.settings.entry(&server))
        else {
            return;
        };
        self.settings_screen.name = Some(NameField {
            text: entry.shown_name().to_owned(),
            server,
        });
        self.focus = Some(Focus::NetworkName(at));
    }

    fn close_name(&mut self) {
        if let Some(field) = self.settings_screen.name.take() {
            self.focus = self.place_of_server(&field.server).map(Focus::NetworkMenu);
        }
    }

    /// Names are unique here: another network of that name gives it a number.
    fn rename(&mut self) -> Vec<Effect> {
        let Some(field) = &self.settings_screen.name else {
            return Vec::new();
        };
        let typed = field.text.trim();
        if typed.is_empty() {
            return Vec::new();
        }
        let server = field.server.clone();
        let name = self.settings.free_name(typed, &server);
        self.close_name();
        self.announce(false, Announced::Renamed(name.clone()));
        self.change(Change::ServerName(server, name))
    }

    fn leave(&mut self, server: ServerAddress) -> Vec<Effect> {
        self.close_network_menu();
        if self.still_there(&server) == StillThere::default() {
            self.focus = Some(Focus::ServerAddress);
            return self.remove_server(&server);
        }
        self.open(Modal::Leave(server));
        Vec::new()
    }

    /// Has everything deleted that was shared there, and leaves: what cannot be deleted now can be later, as its row says.
    fn delete_and_leave(&mut self) -> Vec<Effect> {
        let Some(Modal::Leave(server)) = self.modal.clone() else {
            return Vec::new();
        };
        let there: Vec<_> = self
            .transfers
            .iter()
            .filter(|row| is_deletable(row, &server))
            .map(|row| row.id)
            .collect();
        let mut effects = Vec::new();
        for id in there {
            effects.extend(self.manage(id, ManageAction::Delete));
        }
        self.beneath = None;
        self.focus = Some(Focus::ServerAddress);
        effects.extend(self.remove_server(&server));
        effects
    }

    /// Goes to the newer list that waits in the network of this server; to the networks where it has none any more.
    pub(super) fn see_newer_list(&mut self, server: &ServerAddress) -> Vec<Effect> {
        let effects = self.on_action(WindowAction::Go(Screen::Settings));
        self.focus = self.place_of_joined(server).map(Focus::NewerList);
        effects
    }

    /// Takes in how the relay lists of networks stand, and says once of each that it ends soon. Where a list does not wait
    /// any more, what failed since it waited is tried again.
    pub(super) fn on_networks_seen(
        &mut self,
        seen: BTreeMap<ServerAddress, NetworkSeen>,
    ) -> Vec<Effect> {
        let waits = |seen: &NetworkSeen| seen.waiting.is_some();
        let before = self.settings_screen.networks.iter();
        let before = before.filter(|(_, seen)| waits(seen));
        let accepted: Vec<_> = before
            .map(|(server, _)| server.clone())
            .filter(|server| seen.get(server).is_some_and(|seen| !waits(seen)))
            .collect();
        let soon = |(server, seen): (&ServerAddress, &NetworkSeen)| {
            let expires = seen.expires.filter(|_| seen.ends_soon)?;
            Some((server.clone(), expires))
        };
        let ends: Vec<_> = seen.iter().filter_map(soon).collect();
        self.settings_screen.networks = seen;
        for (server, expires) in ends {
            let is_new = self.settings_screen.told_to_end.insert(server.clone());
            if let Some(entry) = self.settings.entry(&server).filter(|_| is_new) {
                let name = self.settings.name_in_list(entry).to_owned();
                self.say(Tone::Warning, WindowMessage::ListEndsSoon(name, expires));
            }
        }
        self.return_where_newer_list_helps(&accepted)
    }

    fn leave_anyway(&mut self) -> Vec<Effect> {
        let Some(Modal::Leave(server)) = self.modal.take() else {
            return Vec::new();
        };
        self.beneath = None;
        self.focus = Some(Focus::ServerAddress);
        self.remove_server(&server)
    }

    /// What of this person's is still at a server, or on its way.
    #[must_use]
    pub(crate) fn still_there(&self, server: &ServerAddress) -> StillThere {
        let leads_there = |text: &PointerText| leads_to(text, server);
        let goes_there = ServerChoice::Server(server.clone());
        let mut still = StillThere::default();
        for row in &self.transfers {
            match (&row.state, &row.job) {
                (TransferState::Shared(_), _) => {
                    still.deletable += usize::from(is_deletable(row, server));
                }
                (_, TransferJob::Share(_)) if row.is_unfinished() || row.can_resume() => {
                    let chosen = row.goes_to.as_ref().unwrap_or(&self.settings.chosen);
                    still.under_way += usize::from(*chosen == goes_there);
                }
                (_, TransferJob::Receive { pointer, .. })
                    if row.is_unfinished() || row.can_resume() =>
                {
                    still.under_way += usize::from(leads_there(pointer));
                }
                _ => {}
            }
        }
        still
    }
}

fn leads_to(text: &PointerText, server: &ServerAddress) -> bool {
    Pointer::find(text.as_str()).is_ok_and(|found| found.server == *server)
}

/// Whether a row is of a shared file that can be deleted from this server.
fn is_deletable(row: &Transfer, server: &ServerAddress) -> bool {
    matches!(&row.state, TransferState::Shared(shared)
        if shared.manageable && !shared.gone && leads_to(&shared.pointer, server))
}
