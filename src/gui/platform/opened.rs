//! Links and files that macOS opens with this program. They reach the program that runs as Apple events, also what it was
//! started for; on the other systems they are the arguments of another start.
//!
//! winit keeps the application's delegate for itself, so they are asked of the system's manager of such events, at the one
//! moment for that: before an application is about to finish launching the system puts handlers of its own in their place,
//! and after that the event that it was started with is gone.
#![expect(
    unsafe_code,
    reason = "the system calls an object by names that the compiler cannot check"
)]

use std::path::PathBuf;

use objc2::rc::Retained;
use objc2::{
    DefinedClass as _, MainThreadMarker, MainThreadOnly, define_class, msg_send, runtime::NSObject,
    sel,
};
use objc2_app_kit::NSApplicationWillFinishLaunchingNotification;
use objc2_foundation::{
    NSAppleEventDescriptor, NSAppleEventManager, NSNotification, NSNotificationCenter,
};

use crate::gui::arguments::OpenedBySystem;

/// Receives what the system opens, until it is dropped.
pub(in crate::gui) struct OpenedReceiver(Retained<Receiver>);

impl OpenedReceiver {
    /// Has `open` called, on the main thread, with whatever the system opens. To be called before the event loop begins;
    /// none on another thread than the main one.
    pub(in crate::gui) fn start(open: impl Fn(OpenedBySystem) + 'static) -> Option<Self> {
        let receiver = Receiver::alloc(MainThreadMarker::new()?).set_ivars(Box::new(open));
        // SAFETY: NSObject's `init` has this form.
        let receiver: Retained<Receiver> = unsafe { msg_send![super(receiver), init] };
        // SAFETY: the receiver has a method of this name with one notification as its argument, and is removed from the
        // center before it goes.
        unsafe {
            NSNotificationCenter::defaultCenter().addObserver_selector_name_object(
                &receiver,
                sel!(applicationWillFinishLaunching:),
                Some(NSApplicationWillFinishLaunchingNotification),
                None,
            );
        }
        Some(Self(receiver))
    }
}

impl Drop for OpenedReceiver {
    fn drop(&mut self) {
        let manager = NSAppleEventManager::sharedAppleEventManager();
        for (class, id) in [GET_URL, OPEN_DOCUMENTS] {
            manager.removeEventHandlerForEventClass_andEventID(class, id);
        }
        // SAFETY: an object can always be removed.
        unsafe { NSNotificationCenter::defaultCenter().removeObserver(&self.0) };
    }
}

define_class!(
    // SAFETY: NSObject asks nothing of those that inherit from it, and `Receiver` has no `Drop`.
    #[unsafe(super(NSObject))]
    #[thread_kind = MainThreadOnly]
    #[name = "CloakroomOpenedReceiver"]
    #[ivars = Box<dyn Fn(OpenedBySystem)>]
    struct Receiver;

    // SAFETY: the arguments are those that the system passes to an observer and to a handler of Apple events.
    impl Receiver {
        #[unsafe(method(applicationWillFinishLaunching:))]
        fn will_finish_launching(&self, _: &NSNotification) {
            let manager = NSAppleEventManager::sharedAppleEventManager();
            for (selector, (class, id)) in [
                (sel!(openLink:replyTo:), GET_URL),
                (sel!(openFiles:replyTo:), OPEN_DOCUMENTS),
            ] {
                // SAFETY: the receiver has both methods below, and takes its handlers back before it goes.
                unsafe {
                    manager.setEventHandler_andSelector_forEventClass_andEventID(
                        self, selector, class, id,
                    );
                }
            }
        }

        #[unsafe(method(openLink:replyTo:))]
        fn open_link(&self, event: &NSAppleEventDescriptor, _: &NSAppleEventDescriptor) {
            let link = event.paramDescriptorForKeyword(DIRECT_OBJECT);
            if let Some(link) = link.and_then(|link| link.stringValue()) {
                self.ivars()(OpenedBySystem::Link(link.to_string()));
            }
        }

        #[unsafe(method(openFiles:replyTo:))]
        fn open_files(&self, event: &NSAppleEventDescriptor, _: &NSAppleEventDescriptor) {
            if let Some(list) = event.paramDescriptorForKeyword(DIRECT_OBJECT) {
                self.ivars()(OpenedBySystem::Files(files_of(&list)));
            }
        }
    }
);

/// The files that a list names; one that names none, or something else than a file, brings nothing.
fn files_of(list: &NSAppleEventDescriptor) -> Vec<PathBuf> {
    // Items are counted from 1.
    let items = (1..=list.numberOfItems()).filter_map(|at| list.descriptorAtIndex(at));
    items
        .filter_map(|item| item.fileURLValue()?.to_file_path())
        .collect()
}

/// Class and id of the event that opens a link: `kInternetEventClass`, `kAEGetURL`.
const GET_URL: (u32, u32) = (code(*b"GURL"), code(*b"GURL"));
/// Class and id of the event that opens files: `kCoreEventClass`, `kAEOpenDocuments`.
const OPEN_DOCUMENTS: (u32, u32) = (code(*b"aevt"), code(*b"odoc"));
/// What an event is about: `keyDirectObject`.
const DIRECT_OBJECT: u32 = code(*b"----");

/// A code of four letters, as Apple's headers write it.
const fn code(letters: [u8; 4]) -> u32 {
    u32::from_be_bytes(letters)
}
