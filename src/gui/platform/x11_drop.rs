//! Drops on X11 (XDND, versions 3 to 5), taken by a window of our own.
//!
//! winit gives a whole drop up when it cannot use one of its entries, and replaces links by what they point to. So the
//! application's window names ours in `XdndProxy`, and sources send their messages there. Where this cannot be set up,
//! winit's own drops remain.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use winit::raw_window_handle::{HasWindowHandle, RawWindowHandle};
use x11rb::connection::Connection as _;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux,
    ConnectionExt as _, CreateWindowAux, EventMask, PropMode, Property, PropertyNotifyEvent,
    SelectionNotifyEvent, StackMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_FROM_PARENT, CURRENT_TIME, NONE};

use super::uri_list::{DropNews, UriList, this_host};
use crate::gui::text;

/// Takes drops for one window, until it is let go.
pub(crate) struct Drops {
    connection: Arc<RustConnection>,
    proxy: Window,
    news: Receiver<DropNews>,
}

x11rb::atom_manager! {
    /// The names of the protocol.
    Atoms: AtomsCookie {
        INCR,
        UTF8_STRING,
        XdndActionCopy,
        XdndAware,
        XdndDrop,
        XdndEnter,
        XdndFinished,
        XdndLeave,
        XdndPosition,
        XdndProxy,
        XdndSelection,
        XdndStatus,
        XdndTypeList,
        _NET_WM_NAME,
        UriList: b"text/uri-list",
    }
}

/// The version of the protocol that is spoken; unchanged since 2002.
const VERSION: u32 = 5;
/// Versions below this one have no time stamps where they are needed here.
const OLDEST: u32 = 3;
/// A list longer than this is not taken: some hundred thousand files.
const MAX_LEN: usize = 64 << 20;

impl Drops {
    /// Takes drops for `window` from now on, and calls `wake` when there is news. None without X11, or when the display
    /// does not take part.
    pub(crate) fn take_over(
        window: &impl HasWindowHandle,
        wake: impl Fn() + Send + 'static,
    ) -> Option<Self> {
        let target = match window.window_handle().ok()?.as_raw() {
            RawWindowHandle::Xlib(handle) => u32::try_from(handle.window).ok()?,
            RawWindowHandle::Xcb(handle) => handle.window.get(),
            _ => return None,
        };
        let (connection, _) = x11rb::connect(None).ok()?;
        Self::of(connection, target, wake)
            .inspect_err(|error| tracing::debug!(%error, "drops are left to winit"))
            .ok()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "sources are answered while the window's thread draws or waits"
    )]
    fn of(
        connection: RustConnection,
        target: Window,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, ReplyOrIdError> {
        let connection = Arc::new(connection);
        let atoms = Atoms::new(&*connection)?.reply()?;
        let root = connection.get_geometry(target)?.reply()?.root;
        let proxy = connection.generate_id()?;
        let looks = CreateWindowAux::new()
            .override_redirect(1)
            .event_mask(EventMask::PROPERTY_CHANGE | EventMask::STRUCTURE_NOTIFY);
        let class = WindowClass::INPUT_ONLY;
        connection.create_window(
            0,
            proxy,
            root,
            0,
            0,
            1,
            1,
            0,
            class,
            COPY_FROM_PARENT,
            &looks,
        )?;
        let window = u32::from(AtomEnum::WINDOW);
        let replace = PropMode::REPLACE;
        connection.change_property32(replace, proxy, atoms.XdndProxy, window, &[proxy])?;
        let atom = u32::from(AtomEnum::ATOM);
        connection.change_property32(replace, proxy, atoms.XdndAware, atom, &[VERSION])?;
        // Programs that look a window up by its name and know no proxies find this one, below all others.
        let (name, utf8) = (text::NAME.as_bytes(), atoms.UTF8_STRING);
        connection.change_property8(replace, proxy, atoms._NET_WM_NAME, utf8, name)?;
        let below = ConfigureWindowAux::new().stack_mode(StackMode::BELOW);
        connection.configure_window(proxy, &below)?;
        connection.map_window(proxy)?;
        connection
            .change_property32(replace, target, atoms.XdndProxy, window, &[proxy])?
            .check()?;
        let (tell, news) = mpsc::channel();
        let mut taker = Taker {
            connection: Arc::clone(&connection),
            atoms,
            proxy,
            host: this_host(),
            drag: None,
            tell: Box::new(move |said| {
                let listens = Sender::send(&tell, said).is_ok();
                wake();
                listens
            }),
        };
        std::thread::Builder::new()
            .name("drops".to_owned())
            .spawn(move || taker.run())
            .map_err(|error| ReplyOrIdError::ConnectionError(error.into()))?;
        Ok(Self {
            connection,
            proxy,
            news,
        })
    }

    /// What has happened since it was asked last.
    pub(crate) fn news(&self) -> impl Iterator<Item = DropNews> + '_ {
        self.news.try_iter()
    }
}

impl Drop for Drops {
    /// Ends the thread: it sees its window go.
    fn drop(&mut self) {
        if self.connection.destroy_window(self.proxy).is_ok() {
            self.connection.flush().ok();
        }
    }
}

/// What hangs over the window.
struct Drag {
    source: Window,
    /// The window that the source means: ours, or the application's.
    target: Window,
    version: u32,
    has_files: bool,
    /// The list was asked for.
    asked: bool,
    list: Arriving,
    /// It was dropped; the list is waited for.
    dropped: bool,
}

/// A list that a source sends.
enum Arriving {
    /// Nothing has come yet.
    Nothing,
    /// It comes in pieces (ICCCM, section 2.7.2).
    Pieces(Vec<u8>),
    /// The answer is here.
    Whole(UriList),
    /// It will not come.
    Refused,
}

struct Taker {
    connection: Arc<RustConnection>,
    atoms: Atoms,
    proxy: Window,
    host: Vec<u8>,
    drag: Option<Drag>,
    tell: Box<dyn Fn(DropNews) -> bool + Send>,
}

impl Taker {
    /// Answers sources until the window or the display goes.
    fn run(&mut self) {
        while let Ok(event) = self.connection.wait_for_event() {
            let done = match event {
                Event::ClientMessage(message) => self.on_message(&message),
                Event::SelectionNotify(notice) => self.on_selection(&notice),
                Event::PropertyNotify(notice) => self.on_property(&notice),
                Event::DestroyNotify(notice) if notice.window == self.proxy => return,
                Event::DestroyNotify(notice) => self.on_source_gone(notice.window),
                // A source that has just died does not take an answer.
                _ => Ok(()),
            };
            if done.and_then(|()| Ok(self.connection.flush()?)).is_err() {
                return;
            }
        }
    }

    fn on_message(&mut self, message: &ClientMessageEvent) -> Result<(), ReplyOrIdError> {
        if message.format != 32 {
            return Ok(());
        }
        let data = message.data.as_data32();
        let [source, _, third, fourth, _] = data;
        let kind = message.type_;
        if kind == self.atoms.XdndEnter {
            return self.on_enter(message.window, data);
        }
        let Some(drag) = self.drag.as_mut().filter(|drag| drag.source == source) else {
            return Ok(());
        };
        if kind == self.atoms.XdndPosition {
            if drag.has_files && !drag.asked {
                self.ask(fourth)?;
            }
            self.send_status()?;
        } else if kind == self.atoms.XdndDrop {
            drag.dropped = true;
            if drag.has_files && !drag.asked {
                self.ask(third)?;
            }
            self.finish_if_complete()?;
        } else if kind == self.atoms.XdndLeave {
            self.leave();
        }
        Ok(())
    }

    fn on_enter(&mut self, target: Window, data: [u32; 5]) -> Result<(), ReplyOrIdError> {
        self.leave();
        let [source, flags, types @ ..] = data;
        let version = flags >> 24;
        if version < OLDEST {
            return Ok(());
        }
        let has_files = if flags & 1 == 0 {
            types.contains(&self.atoms.UriList)
        } else {
            let atom = u32::from(AtomEnum::ATOM);
            let asked = self.connection.get_property(
                false,
                source,
                self.atoms.XdndTypeList,
                atom,
                0,
                4096,
            )?;
            // A source can be gone already.
            let listed = asked.reply().ok();
            listed
                .as_ref()
                .and_then(|list| list.value32())
                .is_some_and(|mut list| list.any(|kind| kind == self.atoms.UriList))
        };
        // Its end is seen, so that nothing hangs over the window for good.
        let watch = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        if source != self.proxy {
            self.connection.change_window_attributes(source, &watch)?;
        }
        self.drag = Some(Drag {
            source,
            target,
            version: version.min(VERSION),
            has_files,
            asked: false,
            list: Arriving::Nothing,
            dropped: false,
        });
        Ok(())
    }

    /// Asks the source for its list.
    fn ask(&mut self, time: u32) -> Result<(), ReplyOrIdError> {
        if let Some(drag) = &mut self.drag {
            drag.asked = true;
            let Atoms {
                XdndSelection: selection,
                UriList: kind,
                ..
            } = self.atoms;
            let time = if time == 0 { CURRENT_TIME } else { time };
            self.connection.delete_property(self.proxy, selection)?;
            self.connection
                .convert_selection(self.proxy, selection, kind, selection, time)?;
        }
        Ok(())
    }

    fn on_selection(&mut self, notice: &SelectionNotifyEvent) -> Result<(), ReplyOrIdError> {
        if notice.selection != self.atoms.XdndSelection {
            return Ok(());
        }
        if notice.property == NONE {
            self.arrived(Arriving::Refused);
        } else {
            let (kind, value) = self.read_property()?;
            if kind == self.atoms.INCR {
                self.arrived(Arriving::Pieces(Vec::new()));
            } else {
                self.arrived(Arriving::Whole(UriList::read(&value, &self.host)));
            }
        }
        self.finish_if_complete()
    }

    /// The next piece of a list that comes in pieces; an empty one is its end.
    fn on_property(&mut self, notice: &PropertyNotifyEvent) -> Result<(), ReplyOrIdError> {
        let waits = self
            .drag
            .as_ref()
            .is_some_and(|drag| matches!(drag.list, Arriving::Pieces(_)));
        if notice.atom != self.atoms.XdndSelection || notice.state != Property::NEW_VALUE || !waits
        {
            return Ok(());
        }
        let (_, piece) = self.read_property()?;
        let Some(Drag {
            list: Arriving::Pieces(pieces),
            ..
        }) = &mut self.drag
        else {
            return Ok(());
        };
        if piece.is_empty() {
            let list = UriList::read(pieces, &self.host);
            self.arrived(Arriving::Whole(list));
            return self.finish_if_complete();
        }
        pieces.extend(piece);
        if pieces.len() > MAX_LEN {
            self.arrived(Arriving::Refused);
            return self.finish_if_complete();
        }
        Ok(())
    }

    /// Takes what the source wrote.
    fn read_property(&self) -> Result<(u32, Vec<u8>), ReplyOrIdError> {
        let (at, any) = (self.atoms.XdndSelection, u32::from(AtomEnum::ANY));
        let most = u32::try_from(MAX_LEN / 4).unwrap_or(u32::MAX);
        let read = self
            .connection
            .get_property(true, self.proxy, at, any, 0, most)?;
        let read = read.reply()?;
        Ok((read.type_, read.value))
    }

    fn arrived(&mut self, list: Arriving) {
        if let Some(drag) = &mut self.drag {
            let list = match list {
                Arriving::Whole(list) if list.is_empty() => Arriving::Refused,
                list => list,
            };
            if let Arriving::Whole(list) = &list
                && !drag.dropped
            {
                (self.tell)(DropNews::Hovering(list.clone()));
            }
            drag.list = list;
        }
    }

    /// Says what came of a drop, once that is known.
    fn finish_if_complete(&mut self) -> Result<(), ReplyOrIdError> {
        let Some(drag) = self.drag.take_if(|drag| {
            drag.dropped
                && (!drag.has_files || matches!(drag.list, Arriving::Whole(_) | Arriving::Refused))
        }) else {
            return Ok(());
        };
        let taken = match drag.list {
            Arriving::Whole(list) => (self.tell)(DropNews::Dropped(list)),
            Arriving::Nothing | Arriving::Pieces(_) | Arriving::Refused => {
                (self.tell)(DropNews::Lost);
                false
            }
        };
        // Before version 5 the last two fields do not exist and are empty.
        let result = if taken && drag.version >= 5 {
            [1, self.atoms.XdndActionCopy]
        } else {
            [0, NONE]
        };
        let [accepted, action] = result;
        let data = [drag.target, accepted, action, 0, 0];
        self.send(drag.source, self.atoms.XdndFinished, data)
    }

    /// Says whether a drop would be taken, anywhere in the window.
    fn send_status(&self) -> Result<(), ReplyOrIdError> {
        let Some(drag) = &self.drag else {
            return Ok(());
        };
        let would = drag.has_files && !matches!(drag.list, Arriving::Refused);
        let (accepted, action) = if would {
            (1, self.atoms.XdndActionCopy)
        } else {
            (0, NONE)
        };
        let data = [drag.target, accepted, 0, 0, action];
        self.send(drag.source, self.atoms.XdndStatus, data)
    }

    fn send(&self, to: Window, kind: u32, data: [u32; 5]) -> Result<(), ReplyOrIdError> {
        let message = ClientMessageEvent::new(32, to, kind, data);
        self.connection
            .send_event(false, to, EventMask::NO_EVENT, message)?;
        Ok(())
    }

    fn leave(&mut self) {
        if self.drag.take().is_some() {
            (self.tell)(DropNews::Left);
        }
    }

    fn on_source_gone(&mut self, window: Window) -> Result<(), ReplyOrIdError> {
        match &self.drag {
            Some(drag) if drag.source == window && drag.dropped => {
                self.drag = None;
                (self.tell)(DropNews::Lost);
            }
            Some(drag) if drag.source == window => self.leave(),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a display without a screen is started for the test"
)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::path::PathBuf;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    use x11rb::protocol::xproto::{SELECTION_NOTIFY_EVENT, SelectionRequestEvent};

    use super::*;

    /// A display that nobody sees.
    struct Display {
        server: Child,
        name: String,
    }

    impl Display {
        /// None where Xvfb is not installed, unless `CLOAKROOM_TEST_XVFB=must`.
        fn start() -> Option<Self> {
            let started = Command::new("Xvfb")
                .args(["-displayfd", "1", "-nolisten", "tcp"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn();
            let Ok(mut server) = started else {
                assert!(
                    std::env::var("CLOAKROOM_TEST_XVFB").as_deref() != Ok("must"),
                    "Xvfb is missing, and CLOAKROOM_TEST_XVFB says that it must be here"
                );
                eprintln!("skipped: Xvfb is not installed");
                return None;
            };
            let mut number = String::new();
            let said = server.stdout.take().expect("its output");
            BufReader::new(said)
                .read_line(&mut number)
                .expect("the number of the display");
            Some(Self {
                server,
                name: format!(":{}", number.trim()),
            })
        }

        fn connect(&self) -> (RustConnection, Window) {
            let (connection, screen) = x11rb::connect(Some(&self.name)).expect("a connection");
            let root = connection.setup().roots[screen].root;
            (connection, root)
        }
    }

    impl Drop for Display {
        fn drop(&mut self) {
            self.server.kill().ok();
            self.server.wait().ok();
        }
    }

    fn window(connection: &RustConnection, root: Window) -> Window {
        let id = connection.generate_id().expect("an id");
        let looks = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let class = WindowClass::INPUT_OUTPUT;
        connection
            .create_window(0, id, root, 0, 0, 9, 9, 0, class, COPY_FROM_PARENT, &looks)
            .expect("sent")
            .check()
            .expect("a window");
        id
    }

    /// A program that files are dragged out of.
    struct Source {
        connection: RustConnection,
        atoms: Atoms,
        own: Window,
        target: Window,
        proxy: Window,
    }

    impl Source {
        fn of(display: &Display, target: Window) -> Self {
            let (connection, root) = display.connect();
            let atoms = Atoms::new(&connection)
                .expect("sent")
                .reply()
                .expect("atoms");
            let own = window(&connection, root);
            let named = |window| {
                let any = u32::from(AtomEnum::WINDOW);
                let asked = connection.get_property(false, window, atoms.XdndProxy, any, 0, 1);
                let reply = asked.expect("sent").reply().expect("a property");
                reply.value32().and_then(|mut value| value.next())
            };
            let proxy = named(target).expect("the target names a proxy");
            assert_eq!(named(proxy), Some(proxy), "the proxy names itself");
            let now = CURRENT_TIME;
            connection
                .set_selection_owner(own, atoms.XdndSelection, now)
                .expect("sent");
            Self {
                connection,
                atoms,
                own,
                target,
                proxy,
            }
        }

        fn send(&self, kind: u32, rest: [u32; 4]) {
            let [a, b, c, d] = rest;
            let message = ClientMessageEvent::new(32, self.target, kind, [self.own, a, b, c, d]);
            self.connection
                .send_event(false, self.proxy, EventMask::NO_EVENT, message)
                .expect("sent");
            self.connection.flush().expect("sent");
        }

        fn enter(&self) {
            let kind = self.atoms.UriList;
            self.send(self.atoms.XdndEnter, [VERSION << 24, kind, 0, 0]);
        }

        fn position(&self) {
            let action = self.atoms.XdndActionCopy;
            self.send(self.atoms.XdndPosition, [0, 0, CURRENT_TIME, action]);
        }

        /// The answer of this kind, past everything else.
        fn answer(&self, kind: u32) -> [u32; 5] {
            loop {
                if let Event::ClientMessage(message) =
                    self.connection.wait_for_event().expect("an event")
                    && message.type_ == kind
                {
                    return message.data.as_data32();
                }
            }
        }

        /// The request for the list.
        fn request(&self) -> SelectionRequestEvent {
            loop {
                if let Event::SelectionRequest(request) =
                    self.connection.wait_for_event().expect("an event")
                {
                    return request;
                }
            }
        }

        fn give(&self, request: &SelectionRequestEvent, property: u32) {
            let notice = SelectionNotifyEvent {
                response_type: SELECTION_NOTIFY_EVENT,
                sequence: 0,
                time: request.time,
                requestor: request.requestor,
                selection: request.selection,
                target: request.target,
                property,
            };
            self.connection
                .send_event(false, request.requestor, EventMask::NO_EVENT, notice)
                .expect("sent");
            self.connection.flush().expect("sent");
        }

        fn write(&self, request: &SelectionRequestEvent, bytes: &[u8]) {
            let (to, at) = (request.requestor, request.property);
            self.connection
                .change_property8(PropMode::REPLACE, to, at, self.atoms.UriList, bytes)
                .expect("sent");
            self.connection.flush().expect("sent");
        }
    }

    /// A display with a window that takes drops, and a source.
    fn place() -> Option<(Display, RustConnection, Drops, Source)> {
        let display = Display::start()?;
        let (owner, root) = display.connect();
        let target = window(&owner, root);
        let (connection, _) = display.connect();
        let drops = Drops::of(connection, target, || ()).expect("drops are taken");
        let source = Source::of(&display, target);
        Some((display, owner, drops, source))
    }

    fn next(drops: &Drops) -> DropNews {
        drops
            .news
            .recv_timeout(Duration::from_secs(20))
            .expect("news")
    }

    const LIST: &[u8] =
        b"file:///a\r\nhttps://example.org/x\r\nfile:///bad%FF\r\nfile://localhost/b\r\n";

    fn list() -> UriList {
        UriList::read(LIST, b"")
    }

    #[test]
    fn a_drop_with_odd_entries_arrives_whole_and_is_confirmed_to_its_source() {
        let Some((_display, _owner, drops, source)) = place() else {
            return;
        };
        source.enter();
        source.position();
        // The list is asked for before the answer is given.
        let request = source.request();
        let status = source.answer(source.atoms.XdndStatus);
        assert_eq!(status[..2], [source.target, 1]);
        source.write(&request, LIST);
        source.give(&request, request.property);
        assert_eq!(next(&drops), DropNews::Hovering(list()));
        source.send(source.atoms.XdndDrop, [0, CURRENT_TIME, 0, 0]);
        let finished = source.answer(source.atoms.XdndFinished);
        assert_eq!(
            finished[..3],
            [source.target, 1, source.atoms.XdndActionCopy]
        );
        assert_eq!(next(&drops), DropNews::Dropped(list()));
        assert_eq!(list().files.len(), 3);
    }

    #[test]
    fn a_list_may_come_in_pieces_and_after_the_drop_and_its_type_behind_others() {
        let Some((_display, _owner, drops, source)) = place() else {
            return;
        };
        let types = [
            source.atoms.UTF8_STRING,
            source.atoms.INCR,
            source.atoms.XdndStatus,
            source.atoms.UriList,
        ];
        let (atom, at) = (u32::from(AtomEnum::ATOM), source.atoms.XdndTypeList);
        source
            .connection
            .change_property32(PropMode::REPLACE, source.own, at, atom, &types)
            .expect("sent");
        source.send(source.atoms.XdndEnter, [4 << 24 | 1, 0, 0, 0]);
        source.position();
        source.send(source.atoms.XdndDrop, [0, CURRENT_TIME, 0, 0]);
        let request = source.request();
        let (to, at) = (request.requestor, request.property);
        let watch = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        source
            .connection
            .change_window_attributes(to, &watch)
            .expect("sent");
        source
            .connection
            .change_property32(PropMode::REPLACE, to, at, source.atoms.INCR, &[9])
            .expect("sent");
        source.give(&request, at);
        for piece in [&LIST[..20], &LIST[20..], &[]] {
            // The one before was taken.
            loop {
                if let Event::PropertyNotify(notice) =
                    source.connection.wait_for_event().expect("an event")
                    && notice.window == to
                    && notice.state == Property::DELETE
                {
                    break;
                }
            }
            source.write(&request, piece);
        }
        assert_eq!(next(&drops), DropNews::Dropped(list()));
    }

    #[test]
    fn what_brings_no_files_is_refused_and_a_refused_list_is_said() {
        let Some((_display, _owner, drops, source)) = place() else {
            return;
        };
        let text = source.atoms.UTF8_STRING;
        source.send(source.atoms.XdndEnter, [VERSION << 24, text, 0, 0]);
        source.position();
        assert_eq!(source.answer(source.atoms.XdndStatus)[1], 0);
        source.send(source.atoms.XdndLeave, [0; 4]);
        assert_eq!(next(&drops), DropNews::Left);
        source.enter();
        source.position();
        let request = source.request();
        source.send(source.atoms.XdndDrop, [0, CURRENT_TIME, 0, 0]);
        source.give(&request, NONE);
        assert_eq!(source.answer(source.atoms.XdndFinished)[1], 0);
        assert_eq!(next(&drops), DropNews::Lost);
    }

    #[test]
    fn nothing_hangs_over_the_window_once_its_source_has_died() {
        let Some((_display, _owner, drops, source)) = place() else {
            return;
        };
        source.enter();
        source.position();
        let request = source.request();
        source.write(&request, b"file:///a\r\n");
        source.give(&request, request.property);
        assert!(
            matches!(next(&drops), DropNews::Hovering(list) if list.files == [PathBuf::from("/a")])
        );
        drop(source);
        assert_eq!(next(&drops), DropNews::Left);
    }
}
