//! How the worker carries out each kind of work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Inner, Worker, to_its_end};
use crate::app::error::AppError;
use crate::app::kept::history::{History, What};
use crate::app::relays::{RelaySourceError, ServiceNodeNetwork};
use crate::app::transfer::call::CallContext;
use crate::app::transfer::get::Choice;
use crate::app::transfer::known_file;
use crate::app::words::harmless::shown_name;
use crate::app::words::message::UserMessage;
use crate::disk::private;
use crate::gui::model::{
    ClipboardWork, DialogWork, Event, FileWork, FoundKind, FoundPath, HistoryWork, KeptTransfer,
    LookPurpose, PointerText, RequestWork, SettingsWork, TransferOutcome, Work,
};
use crate::gui::platform::Revealed;
use crate::gui::text;

impl Worker {
    /// Carries work out. Never blocks. Call it on the main thread.
    pub(crate) fn run(&mut self, work: Work) {
        let inner = Arc::clone(&self.shared);
        match work {
            Work::Clipboard(work) => self.clipboard(move || with_clipboard(&inner, work)),
            Work::Dialog(work) => self.with_dialog(work),
            Work::File(work) => self.blocking(move || with_file(&inner, work)),
            Work::History(work) => self.with_history(work),
            Work::Later(timer) => self.spawn(async move {
                tokio::time::sleep(Duration::from_millis(timer.millis())).await;
                inner.report(Event::Elapsed(timer));
            }),
            Work::Notify(notice) => {
                // In the language of the window, which this thread speaks.
                let notification = text::notification(&notice);
                self.blocking(move || inner.platform.notify(&notification));
            }
            Work::Request(work) => self.with_network(work),
            Work::Settings(work) => self.with_settings(work),
        }
    }

    fn with_dialog(&self, work: DialogWork) {
        let inner = Arc::clone(&self.shared);
        // Dialogs begin on this thread, the main one; some systems allow them nowhere else.
        match work {
            DialogWork::ExportHistory => self.export_history(),
            DialogWork::SaveInvitation(name, invitation) => self.save_invitation(&name, invitation),
            DialogWork::PickFiles => {
                let picked = inner.platform.pick_files();
                self.spawn(async move { share_picked(&inner, picked.await).await });
            }
            DialogWork::PickFolderToShare => {
                let picked = inner.platform.pick_folder_to_share();
                self.spawn(async move {
                    let folder = picked.await.map(|folder| vec![folder]);
                    share_picked(&inner, folder).await;
                });
            }
            DialogWork::PickFolder(at) => {
                let picked = inner.platform.pick_folder(Some(at));
                self.spawn(async move {
                    let folder = picked.await;
                    if folder.is_none() && !dialogs(&inner).await {
                        inner.report(Event::NoFolderDialog(text::no_dialog_for_folder()));
                        return;
                    }
                    inner.report(Event::FolderChosen(folder));
                });
            }
            DialogWork::PickServiceNodes => {
                let picked = inner.platform.pick_file();
                self.spawn(async move {
                    let Some(path) = picked.await else {
                        inner.report(Event::NodesFileRead(None));
                        report_missing_dialogs(&inner).await;
                        return;
                    };
                    let read = tokio::task::spawn_blocking(move || read_service_nodes(&path));
                    inner.report(Event::NodesFileRead(read.await.ok()));
                });
            }
            DialogWork::PickRelayList => {
                let picked = inner.platform.pick_file();
                self.spawn(async move {
                    let Some(path) = picked.await else {
                        inner.report(if dialogs(&inner).await {
                            Event::RelayListDismissed
                        } else {
                            Event::RelayListRead(Err(text::no_dialog_for_list()))
                        });
                        return;
                    };
                    let reader = Arc::clone(&inner);
                    let read =
                        tokio::task::spawn_blocking(move || reader.backend.read_relay_list(path))
                            .await;
                    inner.report(read.map_or(Event::RelayListDismissed, Event::RelayListRead));
                });
            }
        }
    }

    /// Has the person choose a file, and writes an invitation there that only they can read.
    fn save_invitation(&self, name: &str, invitation: PointerText) {
        let inner = Arc::clone(&self.shared);
        let picked = inner.platform.pick_new_file(&text::invitation_file(name));
        self.spawn(async move {
            let Some(path) = picked.await else {
                report_missing_dialogs(&inner).await;
                return;
            };
            let write = move || {
                let line = Zeroizing::new(format!("{}\n", invitation.as_str()));
                let saved = private::replace(&path, line.as_bytes());
                saved.map(|()| shown_name(&path))
            };
            if let Ok(saved) = tokio::task::spawn_blocking(write).await {
                let saved = saved.map_err(|_io| text::invitation_not_saved());
                inner.report(Event::InvitationSaved(saved));
            }
        });
    }

    fn export_history(&self) {
        let inner = Arc::clone(&self.shared);
        let Some(export) = self.history.as_ref().map(History::exporter) else {
            return;
        };
        let picked = inner.platform.pick_new_file(text::EXPORT_FILE);
        self.spawn(async move {
            match picked.await {
                Some(path) => export(path),
                None => report_missing_dialogs(&inner).await,
            }
        });
    }

    fn with_history(&self, work: HistoryWork) {
        let Some(history) = &self.history else {
            return;
        };
        match work {
            HistoryWork::Expires(entry, at) => history.expires(entry, at),
            HistoryWork::Forget(entry) => history.forget(entry),
            HistoryWork::Remember(id, kept) => {
                let name = text::shown_name(&kept.name);
                let entry = history.remember(kept.entry, name, kept.len, what(&kept));
                self.shared.report(Event::Remembered(id, entry));
            }
            HistoryWork::Set(true) => history.turn_on(),
            HistoryWork::Set(false) => history.turn_off(),
            HistoryWork::Wipe => history.wipe(),
        }
    }

    fn with_network(&mut self, work: RequestWork) {
        let inner = Arc::clone(&self.shared);
        // A transfer has a run, by which its row cancels it; everything else ends only with the window.
        match work {
            RequestWork::Cancel(run) => {
                if let Some((_, cancel)) = self.runs.remove(&run) {
                    cancel.cancel();
                }
            }
            RequestWork::Discard(id, wanted, settings) => {
                let context = CallContext::new(&self.all.child_token());
                self.spawn(async move {
                    let ended = inner.backend.discard(wanted, &settings, &context).await;
                    inner.report(Event::Discarded(id, ended));
                });
            }
            RequestWork::FindLeft => self.blocking(move || {
                inner.report(Event::Left(inner.backend.left()));
            }),
            RequestWork::Fetch(run, wanted, settings) => {
                let context = self.enter(run);
                self.spawn(async move {
                    let fetch = inner.backend.fetch(wanted, &settings, &context);
                    if let Some(ended) = to_its_end(fetch, &context, &inner.closed).await {
                        inner.report(Event::Fetched(run, ended));
                    }
                });
            }
            RequestWork::Join(run, wanted, choice, settings) => {
                let context = self.enter(run);
                self.spawn(async move {
                    let join = inner.backend.join(wanted, choice, &settings, &context);
                    if let Some(ended) = to_its_end(join, &context, &inner.closed).await {
                        inner.report(Event::Joined(run, ended));
                    }
                });
            }
            RequestWork::List(run, pointer, settings) => {
                let context = self.enter(run);
                self.spawn(async move {
                    let list = inner.backend.list(pointer, &settings, &context);
                    if let Some(ended) = to_its_end(list, &context, &inner.closed).await {
                        inner.report(Event::Listed(run, ended));
                    }
                });
            }
            RequestWork::Manage(id, what, pointer, settings) => {
                let context = CallContext::new(&self.all.child_token());
                self.spawn(async move {
                    let managing = inner.backend.manage(what, pointer, &settings, &context);
                    let ended = managing.await;
                    inner.report(Event::Managed(id, ended));
                });
            }
            RequestWork::Relays(wish, network, settings) => {
                let context = CallContext::new(&self.all.child_token());
                self.spawn(async move {
                    let asking = inner
                        .backend
                        .relays(wish, network.as_ref(), &settings, &context);
                    let result = asking.await;
                    inner.report(Event::Relays(network, result.map(Box::new)));
                });
            }
            RequestWork::Share(run, wanted, settings) => {
                let context = self.enter(run);
                self.spawn(async move {
                    let share = inner.backend.share(wanted, &settings, &context);
                    if let Some(ended) = to_its_end(share, &context, &inner.closed).await {
                        inner.report(Event::Shared(run, ended));
                    }
                });
            }
            RequestWork::Test(settings) => {
                let context = CallContext::new(&self.all.child_token());
                self.spawn(async move {
                    let testing = inner.backend.test_server(&settings, &context);
                    let ended = testing.await;
                    inner.report(Event::Tested(settings.chosen.clone(), ended));
                });
            }
        }
    }

    fn with_settings(&self, work: SettingsWork) {
        let inner = Arc::clone(&self.shared);
        match work {
            SettingsWork::Describe(text, settings) => {
                // Numbered here, in the order of typing: threads of the pool may swap two texts.
                let number = inner.newest_text.fetch_add(1, Ordering::SeqCst) + 1;
                self.blocking(move || inner.describe(number, &text, &settings));
            }
            SettingsWork::Diagnose => self.spawn(async move {
                let found = inner.backend.diagnostics().await;
                inner.report(Event::Diagnosed(found));
            }),
            SettingsWork::Invite(what, server, settings) => self.blocking(move || {
                let backend = &inner.backend;
                let made = backend.invite(&server, what.with_word(), &settings);
                inner.report(Event::Invited(what, server, made));
            }),
            SettingsWork::LookAtNetworks(settings) => self.blocking(move || {
                inner.report(Event::NetworksSeen(inner.backend.networks(&settings)));
            }),
            SettingsWork::OpenLinks(on) => self.blocking(move || {
                if !inner.platform.open_links(on) {
                    inner.report(Event::Failed(text::links_refused()));
                }
                inner.look_at_links();
            }),
            SettingsWork::ReadKeptList(settings) => self.blocking(move || {
                if let Some(read) = inner.backend.kept_list(&settings) {
                    inner.report(Event::KeptListRead(read));
                }
            }),
            SettingsWork::Save(changes, settings) => {
                // Put in order here: threads of the pool may swap two changes.
                let mut unsaved = inner.unsaved.lock();
                unsaved.changes.extend(changes);
                unsaved.settings = settings;
                drop(unsaved);
                self.blocking(move || inner.save());
            }
            SettingsWork::Terms(server) => self.blocking(move || {
                let terms = inner.backend.terms(&server);
                inner.report(Event::Terms(server, terms));
            }),
            SettingsWork::UseNewList(server, settings) => self.blocking(move || {
                if let Err(message) = inner.backend.use_new_list(&server, &settings) {
                    inner.report(Event::Failed(message));
                }
                inner.report(Event::NetworksSeen(inner.backend.networks(&settings)));
            }),
            SettingsWork::UseDefaults => self.blocking(move || {
                if let Some(in_use) = inner.backend.use_default_settings().transpose() {
                    inner.report(Event::SettingsInUse(in_use));
                }
            }),
        }
    }
}

/// Does clipboard work, which may wait for the program that owns the clipboard.
fn with_clipboard(inner: &Inner, work: ClipboardWork) {
    match work {
        ClipboardWork::Clear(text) => inner.platform.clear_secret(&text),
        ClipboardWork::Copy(id, text) => inner.copy(id, &text),
        ClipboardWork::CopyInvitation(text) => {
            let taken = inner.platform.copy_secret(&text);
            let taken = taken.then_some(()).ok_or_else(text::clipboard_refused);
            inner.report(Event::InvitationCopied(taken));
        }
        ClipboardWork::CopyDiagnostics(found) => {
            let taken = inner.platform.copy_secret(&PointerText::new(found));
            inner.report(Event::DiagnosticsCopied(taken));
        }
        ClipboardWork::PasteFiles => inner.paste_files(),
    }
}

/// Does file work, which may wait for a disk.
fn with_file(inner: &Inner, work: FileWork) {
    match work {
        FileWork::Examine(id, path, why) => {
            let found = inner.platform.examine(&path);
            inner.report(Event::Examined(id, why, found));
        }
        FileWork::Look(why, paths) => {
            let look = |path: &PathBuf| {
                let found = inner.platform.look(path);
                match (why, found.kind) {
                    (LookPurpose::Share, FoundKind::Folder { .. }) => FoundPath {
                        kind: FoundKind::Folder {
                            len: Some(inner.platform.folder_len(path)),
                        },
                        ..found
                    },
                    _ => found,
                }
            };
            let found = paths.iter().map(look).collect();
            inner.report(Event::Looked(why, found));
        }
        FileWork::Open(path) => {
            if !inner.platform.open(&path) {
                inner.report(Event::Failed(text::opener_failed()));
            }
        }
        FileWork::ReadPointer(path) => {
            let read = known_file::read_pointer(&path)
                .map(|text| PointerText::of(Arc::new(text)))
                .map_err(|error| UserMessage::from(&error));
            inner.report(Event::PointerFileRead(read));
        }
        FileWork::ReadRelayList(path) => {
            let read = inner.backend.read_relay_list(at_home(path));
            inner.report(Event::RelayListRead(read));
        }
        FileWork::ReadServiceNodes(path) => {
            inner.report(Event::NodesFileRead(Some(read_service_nodes(&path))));
        }
        FileWork::Reveal(path) => {
            let trouble = match inner.platform.reveal(&path) {
                Revealed::Gone => text::saved_file_gone(),
                Revealed::NoProgram => text::opener_failed(),
                Revealed::Shown => return,
            };
            inner.report(Event::Failed(trouble));
        }
    }
}

/// Reads a file that is said to describe a network of service nodes.
fn read_service_nodes(path: &Path) -> Result<Box<ServiceNodeNetwork>, UserMessage> {
    match ServiceNodeNetwork::read(path) {
        Ok(network) => Ok(Box::new(network)),
        Err(why) => {
            let error = AppError::from(RelaySourceError::from(why));
            Err(UserMessage::from(&error))
        }
    }
}

/// Has what came out of a dialog shared.
async fn share_picked(inner: &Arc<Inner>, picked: Option<Vec<PathBuf>>) {
    let dismissed = picked.is_none();
    inner.report(Event::FilesChosen(picked.unwrap_or_default()));
    // Last: whoever reads why there was no dialog can open the next one.
    if dismissed {
        report_missing_dialogs(inner).await;
    }
}

/// Reports that the system has no dialogs for files, if that is why one was closed without any.
async fn report_missing_dialogs(inner: &Arc<Inner>) {
    if !dialogs(inner).await {
        inner.report(Event::Failed(text::no_dialogs()));
    }
}

/// Whether the system has dialogs for files.
async fn dialogs(inner: &Arc<Inner>) -> bool {
    let inner = Arc::clone(inner);
    let asked = tokio::task::spawn_blocking(move || inner.platform.has_dialogs());
    asked.await.unwrap_or(true)
}

/// A path that begins with `~`, as shells write the home folder.
fn at_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), directories::UserDirs::new()) {
        (Ok(rest), Some(folders)) => folders.home_dir().join(rest),
        _ => path,
    }
}

/// Maps a transfer to the entry that the history keeps.
fn what(kept: &KeptTransfer) -> What {
    match &kept.outcome {
        TransferOutcome::Sharing(paths) => What::Sharing {
            paths: paths.clone(),
        },
        TransferOutcome::Receiving {
            pointer,
            tell_sender,
            choice,
            server,
        } => What::Receiving {
            pointer: pointer.shared(),
            tell_sender: *tell_sender,
            only: match choice {
                Choice::All => Vec::new(),
                Choice::Only(paths) => paths.clone(),
            },
            server: text::server_label(server).to_owned(),
        },
        TransferOutcome::Shared(shared) => What::Shared {
            pointer: shared.pointer.shared(),
            blob_len: shared.blob_len,
            server: shared.server.clone(),
            expires: shared.expires,
            builtin: shared.builtin,
        },
        TransferOutcome::Received(saved) => What::Received {
            path: saved.path.clone(),
        },
    }
}
