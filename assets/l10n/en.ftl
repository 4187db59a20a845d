# Cloakroom in English: the language that the others are translated from.
#
# Ids are those of the tables in src/app/words/texts.rs and src/gui/text/texts.rs. `.what`, `.why` and `.next` are the three
# sentences of a message: what happened, why, what to do next. Share, Receive and Seal are the words for what a person does;
# relay, guard, pointer and file server are terms and keep one translation each.

## The window

share = Share
receive = Receive
settings = Settings
screen = Screen
drop_here = Drop files or folders anywhere in this window
choose_or_paste = Choose files or folders, or paste them
sealed_here = Each one is padded and sealed on this computer before it leaves.
choose_files = Choose files
drop_more = Drop or choose more
choose_more = Choose more
built_in = Built-in network
built_in_stays = Stays on this computer
pointer = Pointer
receive_title = Paste the pointer you were given
receive_empty = A pointer or an invitation: you see what it is before anything is fetched. Text around it does no harm.
download = Download
clear = Clear
unnamed_file = Unnamed file
transfers = Transfers
cancel = Cancel
copy_pointer = Copy pointer
copy_local = Copy (works only on this computer)
copied = Copied
choose_server = Choose a server
retry = Retry
remove = Remove
more = More about
remove_from_list = Remove from list
show_original = Show original
who_saw_what = Who saw what
qr = QR code
pointer_masked = Pointer, hidden while another window is in front
pointer_text = Pointer text
pointer_copied = Pointer copied
open = Open
show_in_folder = Show in folder
verified = Verified
waiting = Waiting for its turn
cancelled = Cancelled
interrupted = Interrupted: not finished when Cloakroom closed
failed = Failed
file_servers = File servers
file_servers_about = Where your files are left. A server sees padded, sealed blobs and never who sent them.
built_in_about = Inside this program. Nothing leaves this computer.
add_server = Add a server
add = Add
test = Test
testing = Testing upload and download…
in_use = In use
use_it = Use
relays_title = Relays
relays_about = Every request crosses three of them. They hide who you are only if different people run them.
no_relay_list = Built-in relays
no_relay_list_about = On this computer, for the built-in network only.
relays_of = Relays of { $name }
from_its_server = kept by its server
choose_list = Choose a list
forget_list = Forget this list
downloads = Downloads
downloads_about = Received files are saved here; none is ever overwritten.
change = Change
appearance = Appearance
theme = Theme
system = System
light = Light
dark = Dark
contrast = Contrast
language = Language
motion = Motion
reduced = Reduced
text_size = Size
larger = Larger
smaller = Smaller
privacy = Privacy
about_and_licences = About and licences
keys = Keyboard shortcuts
normal = Normal
high = High
about = About
about_text = Private file sharing. Licensed MIT or Apache-2.0. Not audited.
welcome = Leave a file, take a ticket
start = Start
keep_running = Keep running
stop_and_quit = Stop and quit
closing_body = If you quit now, what is running stops. Large files and folders can go on from there at the next start; of everything else nothing half-done is left behind.
dismiss = Dismiss
no_display = cloakroom: there is no display to open a window on; the command line `cloak` does the same without one.
name_in_pointer = File name in the pointer
name_in_pointer_about = Whoever reads the pointer sees the name before the download. The sealed file keeps it either way.
copy_when_done = Copy the pointer as soon as it is there
copy_when_done_about = It takes the place of what is on the clipboard.
clear_clipboard = Clear the clipboard after a minute
clear_clipboard_about = If the pointer is still on it. Closing the window clears it too.
mask_pointers = Hide pointers while another window is in front
mask_pointers_about = They are shown as dots until you come back.

## Options of a share, managing, relays

keep_longer = Keep longer
downloads_so_far = Downloads so far
delete_from_server = Delete from server
keep_it = Keep it
delete_body = Nobody can fetch it with this pointer afterwards.
copies_stay = Copies that were fetched before stay with whoever fetched them.
asking_server = Asking the server
gone = Deleted from the server
options = Options
hide_options = Hide options
keep_for = Keep for
options_about = These options apply to the files you share next.
count_downloads = Count downloads
count_no = No
count_yes = Yes
count_about = A count is a courtesy: a recipient may fetch without telling.
use_senders_list = Use the sender's list
add_relay_list = Add relay list
proxy = SOCKS5 proxy
proxy_about = The first relay then sees the proxy's address instead of this computer's. For Tor, or where the network lets nothing else out.
use_proxy = Use proxy
forget_proxy = Stop using the proxy
relay_line = Add a relay list
relay_line_about = The line that its maker gave you, or the path of a file on this computer.
list_maker_chooses = Whoever makes the list chooses your relays.
session_network = Session's service nodes
session_about = Other people's computers, run for the Session messenger. Large files may time out.
service_nodes = Service nodes
service_nodes_about = Other people's computers, run for another network. Large files may time out.
new_guard = New first relay
show_relays = Show relays
hide_relays = Hide relays
asking_relays = Asking…
list_ended = The list has expired, and no newer one came.
list_missing = The list was not fetched yet.
list_problem_many_gone = A list came that lacks more than half of the relays; it waits until you look at it.
list_problem_no_answer = A newer list was asked for, and no answer came.
list_problem_no_list = A newer list was asked for, and the answer held none.
list_problem_other = A newer list was asked for and did not come.
list_problem_refused = A list came and was refused: it is older, has expired or is not signed by its maker.
list_in_pointer = Name the list in pointers
list_in_pointer_about = Recipients without relays can then take it. Whoever reads the pointer sees which list you use.
tell_sender = The sender is told when you have the file
tell_sender_about = They asked for it. They learn that it was fetched, not by whom.
direct_switch = Without relays
direct_switch_about = This server sees this computer's address with every transfer.

## History, opening files, notifications

history_title = Keep a history
export_history = Export, with keys
wipe_history = Wipe history
notify = Say when a transfer ends
notify_about = By the desktop, while this window is behind others.
notify_names = File name in the notification
notify_names_about = Others may see the screen, and the desktop may keep what it said.
wipe_title = Wipe the history?
wipe_body = The history's file and its key are removed, and the kept transfers leave the list. Pointers that you have nowhere else are lost; your files stay where they are.
keep_history = Keep it
open_program_title = This file could run a program
open_program_why = Files of this kind can run what is in them.
open_anyway = Open anyway
do_not_open = Do not open

## Sheets: who saw what, QR code, keys, licences

close = Close
you = You
recipient = Recipient
sender = Sender
recipient_learns = opens the file; not your address
sender_learns = sealed the file; not your address
you_know = the file, the pointer, the path
saw = Saw
did_not_see = Did not see
tries = Requests and tries
shown_about = Taken from what this program really sent. Whoever watches both ends can still compare times.
shown_outcome = { $outcome }. { $about }
perhaps_saw = Perhaps saw
saw_nothing = Saw nothing
ended_before = the try ended before it
nothing_sent = Nothing was sent.
qr_about = The whole pointer, in capitals. Whoever photographs it can fetch and open the file.
qr_masked = Hidden while another window is in front.
qr_too_long = This pointer is too long for a QR code. Copy it instead.
shortcuts = Keyboard shortcuts
anywhere = Anywhere
on_a_transfer = On a transfer
close_window = Close the window
copy_of_row = Copy the pointer of a transfer
escape = Close what is on top, clear the field
next_region = To the next part of the window
paste = Paste a pointer or files
paste_pointer = Paste a pointer into Receive
retry_failed = Try everything again that failed
reset_zoom = Usual size
show_keys = Show this sheet
licences = Licences
licence_of_program = Cloakroom is licensed under MIT or Apache-2.0, at your option.
fonts = Fonts and icons
fonts_about = Inter, JetBrains Mono and Noto Sans under the SIL Open Font License 1.1, icons by Lucide under the ISC licence.
crates = Libraries
crates_about = The Rust crates that are compiled in, by licence.
welcome_drop = Drop a file, get a pointer.
welcome_drop_about = The file is padded and sealed on this computer before it is sent.
welcome_pointer = Whoever holds the pointer gets the file.
welcome_pointer_about = Give it only to the person it is for.
welcome_built_in = For now everything stays on this computer.
welcome_built_in_about = To reach others, paste an invitation under Receive. Or add a file server and relays in Settings.
no_renderer = cloakroom: this computer's graphics cannot draw a window ({ $error }). On Debian and Ubuntu install mesa-vulkan-drivers or libgl1-mesa-dri; or use the command line `cloak`.
no_window = cloakroom: the window could not be opened: { $error }. The command line `cloak` needs none.
no_window_library = cloakroom: the window could not be opened: the library { $library } is missing. On Debian and Ubuntu install libegl1, libfontconfig1, libwayland-client0, libx11-6, libx11-xcb1, libxcursor1, libxi6, libxkbcommon-x11-0 and libxrandr2. The command line `cloak` needs none.
closing_title =
    { $count ->
        [one] A transfer is still running
       *[other] { $count } transfers are still running
    }

## A running transfer: names of its steps under the bar, and what it is doing

milestone_pad = Pad
milestone_seal = Seal
milestone_find_path = Find path
milestone_upload = Upload
milestone_stored = Stored
milestone_download = Download
milestone_verify = Verify
milestone_open = Open
milestone_save = Save
stage_pad = Padding
stage_seal = Sealing
stage_find_path = Finding a path
stage_find_path_slow = Finding a path. Waiting for { $server } to answer
stage_find_relays_slow = Finding a path. Waiting for the relay list
stage_connect_relay = Connecting to the first relay
stage_connect_relay_slow = Waiting for the first relay to answer
stage_connect_server = Connecting to { $server }
stage_connect_server_slow = Waiting for { $server } to answer
stage_upload = Uploading, { $done }
stage_upload_slow = Uploading, { $done }. Waiting for the first relay to take more
stage_upload_slow_direct = Uploading, { $done }. Waiting for { $server } to take more
stage_crossing = Sent. Waiting for { $server } to confirm
stage_crossing_slow = Still waiting for { $server } to confirm
stage_asked = Waiting for { $server } to answer
stage_asked_slow = Still waiting for { $server } to answer
stage_download = Downloading, { $done }
stage_download_slow = Downloading, { $done }. Waiting for { $server }
stage_parts_sent = Uploading, { $done } of { $total } confirmed
stage_parts_sent_slow = Uploading, { $done } of { $total } confirmed. Waiting for the next part
stage_parts_fetched = Downloading, { $done } of { $total }
stage_parts_fetched_slow = Downloading, { $done } of { $total }. Waiting for the next part
stage_waiting =
    { $secs ->
        [one] Nothing gets through to { $server }. Next try in a second
       *[other] Nothing gets through to { $server }. Next try in { $secs } seconds
    }
stage_verify = Verifying
stage_open = Opening the seal
stage_save = Saving

## Rows and cards

kept_until = kept until { $day }
about_file = { $verb } { $name }
progress_of = Progress of { $name }
goes_now = File server: { $server }
goes_to = To { $host } through three relays
comes_from = from { $server }
will_be_saved_in = Will be saved in { $folder }
home_folder = your home folder
saved_in = saved in { $folder }
is_shared = { $name } is waiting to be picked up
is_received = { $name } is verified and saved
has_failed = { $name }: { $what }
test_passed = Upload ({ $upload } ms) and download ({ $download } ms) work.
relays =
    { $count ->
        [one] 1 relay
       *[other] { $count } relays
    }
hover_title = Drop to share
hover_title_one = Drop to share { $name }
hover_title_many = Drop to share { $count } items

## Sizes, days, shares of a whole

percent = { $number }%
decimal = { $whole }.{ $tenth }
thousands = ,
list_comma = {", "}
newer_list_waits = A newer relay list of “{ $network }” waits for you. It lacks { $gone } of the { $before } relays in use, and those that stayed may pass nothing on to them.
see_newer_list = Look at the newer list. Ask whoever runs the network, then use it and try again.
titled = { $title }: { $text }
two_sentences = { $first } { $second }
size_empty = empty
size_bytes =
    { $count ->
        [one] 1 byte
       *[other] { $count } bytes
    }
size_kilo = { $number } kB
size_mega = { $number } MB
size_giga = { $number } GB
exact_size = { $number } B
size_sent = { $size }, sent as { $sent }
sent_as = sent as { $sent }
date = { $day } { $month } { $year }
day_and_time = { $day }, { $hour }:{ $minute } UTC
month_1 = Jan
month_2 = Feb
month_3 = Mar
month_4 = Apr
month_5 = May
month_6 = Jun
month_7 = Jul
month_8 = Aug
month_9 = Sep
month_10 = Oct
month_11 = Nov
month_12 = Dec
in_minutes =
    { $count ->
        [one] in 1 minute
       *[other] in { $count } minutes
    }
in_hours =
    { $count ->
        [one] in 1 hour
       *[other] in { $count } hours
    }
in_days =
    { $count ->
        [one] in 1 day
       *[other] in { $count } days
    }
minutes_ago =
    { $count ->
        [one] 1 minute ago
       *[other] { $count } minutes ago
    }
hours_ago =
    { $count ->
        [one] 1 hour ago
       *[other] { $count } hours ago
    }
days_ago =
    { $count ->
        [one] 1 day ago
       *[other] { $count } days ago
    }

## Managing a shared file

delete_title = Delete { $name } from the server?
managed_deleted = The server's copy is gone.
managed_gone_already = The server had no copy any more.
managed_deleted_but =
    { $parts ->
        [one] The file can no longer be fetched. One of its parts could not be deleted; it is gone when the file would have expired.
       *[other] The file can no longer be fetched. { $parts } of its parts could not be deleted; they are gone when the file would have expired.
    }
managed_extended = The server keeps it until { $day }.
managed_not_extended = The server keeps it until { $day }, no longer than before.
downloads_of = Recipients reported { $told } of { $allowed } downloads.
downloads_told =
    { $told ->
        [one] Recipients reported 1 download.
       *[other] Recipients reported { $told } downloads.
    }
downloads_not_counted = Its downloads are not counted.
kept_for = kept { $time }

## Relays in Settings

list_fetched = fetched { $when }
list_ends = ends { $when }
list_has_ended = ended { $when }
standing_former_guard = was your first relay; at rest, { $when }
standing_guard = your first relay since { $day }
standing_guard_waiting = a first relay of yours since { $day }, waiting
standing_kept_back = kept back as a later first relay
standing_not_reached = set aside, back { $when }: another relay could not reach it
standing_strikes = set aside, back { $when }: it failed three times
standing_usable = usable
standing_worked = worked { $when }
new_guard_refused =
    .what = The first relay stays.
    .why = It was changed three times within 24 hours; a new one is drawn when the oldest of the three is a day old.
    .next = Try again tomorrow: each new first relay is one more that sees your address.
new_guard_nobody_left =
    .what = The first relay stays.
    .why = Every other relay was in the middle or at the end of a path lately, or failed: as your first one it could learn both who you are and which server you use.
    .next = Use a list with more relays, or try again in some days.

## The history

history_off = Off. What was kept before stays until you wipe it.
history_waiting = Waiting for this system's keyring.
history_kept = On this computer only, sealed under a key in this system's keyring.
history_session = Only until you quit. { $why }
list_session = This list is kept only until you quit. { $why }
keyring_missing = This system has no keyring.
keyring_refused = This system's keyring is locked or refused.
keyring_silent = This system's keyring did not answer.
history_file_fails = Its file cannot be read or written. { $why }
history_file_newer = A newer version of Cloakroom wrote its file, which stays as it is.
file_is_damaged = it is damaged
file_is_newer = it was written by a newer version
history_damaged =
    .what = The history of earlier transfers could not be read.
    .why = The file cannot be used: { $why }.
    .next = A new one was begun; the old file is { $path }.
history_damaged_left =
    .what = The history of earlier transfers could not be read.
    .why = The file cannot be used: { $why }.
    .next = It was left as it is, and nothing is kept until you wipe it.
history_no_key =
    .what = The history of earlier transfers could not be read.
    .why = This system's keyring does not have its key any more.
    .next = A new one was begun; the old file is { $path }.
history_no_key_left =
    .what = The history of earlier transfers could not be read.
    .why = This system's keyring does not have its key any more.
    .next = It was left as it is, and nothing is kept until you wipe it.
history_wiped =
    .what = The history was wiped.
    .why = Its file and its key are gone.
    .next = Received files and what servers keep are as they were.
history_key_not_wiped =
    .what = The history was not wiped whole.
    .why = Its file is gone, but its key may still be in the keyring. { $why }
    .next = Try again; or remove history.sealed from the data folder yourself.
history_file_not_wiped =
    .what = The history was not wiped whole.
    .why = Its file may still be there. { $why }
    .next = Try again; or remove history.sealed from the data folder yourself.
history_exported =
    .what =
        { $count ->
            [one] 1 transfer was written to the file.
           *[other] { $count } transfers were written to the file.
        }
    .why = It holds keys: whoever reads it can fetch and read your shared files.
    .next = Keep it as you would keep the files, and remove it when you are done.
history_not_exported =
    .what = The history was not exported.
    .why = The file could not be written, or nothing is kept.
    .next = Choose another place.
saved_file_gone =
    .what = The file could not be opened.
    .why = It is not where it was saved any more, or cannot be read.
    .next = Look where it was moved to, or ask for it again.
open_program = { $name }: { $why } Open it only if you know the sender and expected it.

## What the desktop says when nobody looks at the window

file_is_shared = A file is waiting to be picked up
has_arrived = { $name } has arrived
file_has_arrived = A file has arrived
did_not_arrive = { $name } did not get through
file_did_not_arrive = A file did not get through
notify_shared = Its pointer is waiting in Cloakroom.
notify_received = It was verified and saved.
notify_failed = Cloakroom says why.

## Notices

drop_while_modal =
    .what = The dropped files were not shared.
    .why = A question was open.
    .next = Answer it, then drop them again.
pointer_opened =
    .what = Another pointer was opened.
    .why = A link or a program opened it while this one stands here.
    .next = Choose which of them you want to see.
clipboard_empty =
    .what = Nothing was pasted.
    .why = The clipboard holds no pointer and no file.
    .next = Copy a pointer or a file first.
picture_not_taken =
    .what = The picture was not shared.
    .why = A picture on the clipboard is not a file yet.
    .next = Save it as a file first, then drop or choose that.
clipboard_refused =
    .what = The pointer was not copied.
    .why = The system's clipboard did not take it.
    .next = Try again; if another program holds the clipboard, close it.
opener_failed =
    .what = The file could not be shown.
    .why = No program of this system took it.
    .next = Find it in your download folder.
defect =
    .what = The transfer stopped.
    .why = This program has made a mistake.
    .next = Try again; if it stops again, report it.
no_network_for_list =
    .what = The relay list was not used.
    .why = Files that you share stay on this computer, so there is no network for its relays to lead to.
    .next = Add a file server in Settings first, or join a network by an invitation.
relays_missing =
    .what = This server cannot be reached yet.
    .why = No relays lead to its network yet.
    .next = Choose a relay list that you trust.
file_missing =
    .what = { $name } could not be found, so it was not shared.
    .why = It may have been moved, or this program may not read it.
    .next = Choose it again from where it is now.
files_missing =
    .what = { $count } files could not be found and were not shared.
    .why = They may have been moved, or this program may not read them.
    .next = Choose them again from where they are now.
entry_elsewhere =
    .what = { $name } is not a file on this computer, so it was not shared.
    .why = It is a link, or it lies in a place this program can't read from.
    .next = Save it to a folder first, then drop it from there.
entries_elsewhere =
    .what = { $count } things are not files on this computer and were not shared.
    .why = They are links, or lie in places this program can't read from.
    .next = Save them to a folder first, then drop them from there.

## Who saw what

role_guard = First relay
role_middle = Middle relay
role_last = Last relay
role_server = File server
asked_delete = Deleted the file
asked_download = Fetched the file
asked_extend = Asked to keep it longer
asked_file_info = Asked about the file
asked_receipt = Told the sender
asked_relay_list = Fetched the relay list
asked_server_info = Asked what the server takes
asked_status = Asked for the downloads
asked_upload = Stored the file
asked_again = { $what }, try { $number }
answered = Answered
answered_with = Answered with { $code }
no_answer = No answer: { $why }
note_direct = Without relays: the file server saw your address.
note_same_bytes_back = The answer looked the same on every link: these relays do not seal what they send back.
relaxed_guard_is_last = The last relay was your first relay within ten days: the list has too few relays.
relaxed_guard_is_middle = The middle relay was your first relay within ten days: the list has too few relays.
relaxed_guard_is_new = The first relay is new to your selection from this list: the list has nobody else.
relaxed_guard_returned = A first relay that was dropped is back: the list has nobody else.
relaxed_guard_stood_elsewhere = The first relay stood elsewhere on your paths within ten days: the list has too few relays.
relaxed_kept_back = A relay kept back as a later first relay was used elsewhere: the list has too few relays.
relaxed_same_network = Relays of this path are in one network: the list is too small.
relaxed_same_operator = Relays of this path have one operator: the list is too small.
relaxed_set_aside = A relay that failed before was used: the list has nobody else.
fact_client_address = your IP address
fact_content = name, type, exact size, content
fact_file_id = which file
fact_next = next relay: { $name }
fact_before = relay before: { $name }
fact_server = server { $name }
fact_up = { $bytes } up
fact_back = { $bytes } back
fact_when = when: { $time }

## Keys on a transfer

row_key_arrows = To the transfer above or below
row_key_enter = Copy the pointer, open the file, or try again
row_key_delete = Cancel, or remove from the list
row_key_menu = Everything else that can be done
row_key_tab = To the buttons of the transfer

## Errors: the person's own files and settings

was_cancelled =
    .what = Cancelled.
    .why = You stopped it.
    .next = Start it again whenever you like.
built_in_busy =
    .what = The built-in network did not start.
    .why = { $why }
    .next = Close other windows of Cloakroom and try again.
built_in_no_locks =
    .what = The built-in network did not start.
    .why = { $why }
    .next = Choose a file server in Settings, or set CLOAKROOM_HOME to a folder on a disk of this computer.
built_in_fails =
    .what = The built-in network did not start.
    .why = { $why }
    .next = Check that the data folder can be written, then try again; or choose a file server in Settings.
folder_of_another =
    .what = The folder { $folder } belongs to another user.
    .why = Whoever owns this folder could read your pointers and choose your relays.
    .next = Start Cloakroom as the user that owns it, without sudo, or set CLOAKROOM_HOME to a folder of your own.
folder_open_to_others =
    .what = Other users can change what is in the folder { $folder }.
    .why = They could read your pointers and choose your relays.
    .next = Check that nothing in it is foreign and run: chmod go-w "{ $folder }". Or set CLOAKROOM_HOME to a folder of your own.
settings_not_kept =
    .what = The settings could not be kept.
    .why = { $why }
    .next = { $next }
no_home =
    .what = Cloakroom has no folder for its settings.
    .why = This account has no home folder.
    .next = Set CLOAKROOM_HOME to a folder of your own.
settings_not_read =
    .what = Your settings cannot be read, so nothing is sent.
    .why = { $why } They are in { $file }.
    .next = { $next }
relay_memory_not_read =
    .what = Your first relays are not known, so nothing is sent over relays.
    .why = { $why } It is in { $file }.
    .next = Put that right, or move the file away: new first relays are then chosen, and they see your address.
built_in_key_fails =
    .what = The built-in network did not start.
    .why = { $why }
    .next = Then try again; or choose a file server in Settings.
default_settings_used =
    .what = The default settings are in use now.
    .why = { $why }
    .next = Choose your server, relays and proxy again, or mend the old file.
settings_read_again =
    .what = Your settings can be read again and are in use.
    .why = Their file was mended meanwhile.
    .next = Try again what failed before.
own_record_fails =
    .what = The record of your shares cannot be used.
    .why = { $why }
    .next = { $next }
not_owner =
    .what = Only whoever shared this file can do that.
    .why = This computer has no record of sharing it: it was shared from elsewhere, by somebody else, or at a server without owners.
    .next = Do it on the computer, and in the account, that shared the file.
file_changed =
    .what = The file was not shared.
    .why = It changed while it was being read.
    .next = Wait until it is no longer written to, then share it again.
file_is_none =
    .what = This cannot be shared.
    .why = It is not an ordinary file.
    .next = Choose a file.
file_not_read =
    .what = The file could not be read.
    .why = { $why }
    .next = { $next }
file_of_wrong_size =
    .what = The file was not shared.
    .why = The system says that it has { $said } bytes, and { $read } could be read.
    .next = Copy it to a folder of your own, and share the copy.
file_too_large =
    .what = The file is too large to share.
    .why = It has { $length } bytes; up to { $limit } can be sent to this server.
    .next = Share a part of it.
names_too_long =
    .what = The folder is too large to share.
    .why = The names of its files are too long together.
    .next = Share a part of it.
nothing_to_share =
    .what = There is nothing to share.
    .why = Nothing was chosen, or the folder holds no file that can be shared.
    .next = Choose a file, or a folder with files in it.
one_of_several =
    .what = What you chose was not shared.
    .why = This is about { $path }. { $why }
    .next = { $next }
too_many_entries =
    .what = The folder is too large to share.
    .why = It holds more than { $limit } files and empty folders.
    .next = Share a part of it, or pack it into one file.
no_place =
    .what = Nothing can be saved there, so nothing was fetched.
    .why = { $why }
    .next = Choose another folder.
not_saved =
    .what = The file arrived whole, but could not be saved.
    .why = { $why }
    .next = Choose another folder, or make room, and fetch it again.

## Errors: pointers and what they describe

pointer_changed =
    .what = This pointer was changed on its way.
    .why = Its checksum is wrong: characters were replaced, lost or added.
    .next = Ask the sender to send it again, as one line of text.
pointer_cut_off =
    .what = This pointer is cut off.
    .why =
        { $missing ->
            [one] At least 1 more character is missing at its end.
           *[other] At least { $missing } more characters are missing at its end.
        }
    .next = Copy it again, to its very end.
pointer_newer =
    .what = This pointer was made by a newer version.
    .why = It has entries this version does not know.
    .next = Use a newer version of Cloakroom.
pointer_not_found =
    .what = There is no pointer in this text.
    .why = A pointer is one word that starts with cloak1.
    .next = Copy the whole pointer and paste it here.
pointer_text_too_long =
    .what = This text is too long.
    .why = Pointers are looked for in up to 64 KiB of text.
    .next = Paste the pointer alone.
pointer_invalid =
    .what = This pointer cannot be used.
    .why = It arrived whole, but what it says does not make a pointer.
    .next = Ask the sender to share the file again.
foreign_built_in =
    .what = This file cannot be fetched from here.
    .why = The pointer was made on another computer's built-in network, which never leaves that computer.
    .next = Ask the sender to choose a file server and to share the file again. If that server runs on this computer, add its relay list instead.
needs_newer =
    .what = This version cannot fetch what the pointer describes.
    .why = { $why }
    .next = Use a newer version of Cloakroom.
why_newer_words = It is protected by words.
other_digest =
    .what = The downloaded file does not match its pointer. Nothing was saved.
    .why = Its SHA-256 is another one: the file was changed at the server or on its way.
    .next = Fetch it once more; if it happens again, ask the sender to share it again.
other_description =
    .what = The downloaded file does not match its pointer. Nothing was saved.
    .why = The pointer does not describe this file: name, kind or length differ from the sealed ones.
    .next = Do not trust this pointer; ask the sender for a new one.
other_key =
    .what = The downloaded file does not match its pointer. Nothing was saved.
    .why = The pointer's key does not belong to this file.
    .next = Ask the sender for the pointer again.
newer_seal =
    .what = This file was sealed by a newer version. Nothing was saved.
    .why = Its header has entries this version does not know.
    .next = Use a newer version of Cloakroom.
broken_seal =
    .what = The downloaded file does not match its pointer. Nothing was saved.
    .why = The seal is broken, or what is inside is not a sealed file.
    .next = Fetch it once more; if it happens again, ask the sender to share it again.
other_folder =
    .what = The downloaded folder is not valid. Nothing was saved.
    .why = Its list of files breaks the rules that keep other files on this computer safe.
    .next = Do not trust this pointer; ask the sender for a new one.
other_parts =
    .what = The downloaded file does not match its pointer.
    .why = The list of its parts, or one of the parts, is not what it should be.
    .next = Do not trust this pointer; ask the sender for a new one.
broken_part =
    .what = A part of the file does not match the list of parts.
    .why = Its SHA-256 is another one: the part was changed at the server or on its way.
    .next = Fetch it once more; if it happens again, ask the sender to share it again.
no_such_entry =
    .what = Nothing was fetched.
    .why = There is nothing at { $path } in the folder.
    .next = Look at the list of what it holds, and write the path as it stands there.
unfinished_damaged =
    .what = This transfer cannot go on.
    .why = The record of how far it came is damaged.
    .next = Discard it, and start the transfer again.
unfinished_newer =
    .what = This transfer cannot go on.
    .why = A newer version of Cloakroom began it.
    .next = Use that version, or discard the transfer.
unfinished_other_key =
    .what = This transfer cannot go on.
    .why = The key that opens the record of how far it came is gone.
    .next = Discard it, and start the transfer again.
unfinished_unknown =
    .what = There is no such unfinished transfer.
    .why = It is finished, or was discarded.
    .next = Look at the list of unfinished transfers.
unfinished_under_way =
    .what = This transfer is under way already.
    .why = Another window or command of Cloakroom goes on with it.
    .next = Wait until that one ends.
unfinished_not_read =
    .what = This transfer cannot go on.
    .why = The record of how far it came cannot be read: { $why }
    .next = { $next }
unfinished_not_written =
    .what = The transfer was stopped.
    .why = How far it came cannot be written down: { $why }
    .next = { $next }
misleading_name =
    .what = This file is not what its name says.
    .why = By its name it is { $name }, by its content { $content }.
    .next = Open it only if you know why the sender named it so.
an_archive = an archive
a_document = a document
a_medium = sound or video
a_picture = a picture
a_program = a program
a_script = a script
a_text = text
a_web_page = a web page
a_java_program = a program for Java or Android
a_linux_program = a program for Linux
a_mac_program = a program for macOS
a_shortcut = a shortcut that starts something else
a_windows_program = a program for Windows

## Errors: addresses, proxies and relay lists

no_server_address =
    .what = This is not a file server's address.
    .why = { $why }
    .next = Paste it as its operator gave it: http://host:port#p= and 64 letters and digits.
no_proxy_address =
    .what = This is not a proxy's address.
    .why = { $why }
    .next = Write it as socks5://host:port; Tor's is socks5://127.0.0.1:9050.
no_relay_line =
    .what = This is not the line of a relay list.
    .why = { $why }
    .next = Paste it as its maker gave it: https://host/relays.json#k= and 64 letters and digits.
proxy_no_socks =
    .what = The proxy could not be used; nothing was sent.
    .why = What answers at { $proxy } does not speak SOCKS5.
    .next = Correct the proxy's address, or go without one.
proxy_refused =
    .what = The proxy refused; nothing was sent.
    .why = { $proxy } does not take this user name and password, or asks for one.
    .next = Correct them: socks5://user:password@host:port.
proxy_unreachable =
    .what = The proxy could not be reached; nothing was sent.
    .why = Nothing answers at { $proxy }.
    .next = Start it, or correct its address, or go without one.
no_relays =
    .what = No relay of yours serves this server.
    .why = Nothing was sent: without relays the server would see your IP address.
    .next = Ask the sender for an invitation to their network or add a relay list; or go there directly, if the server may know your address.
relays_offered =
    .what = No relay of yours serves this server, but the pointer names a relay list.
    .why = Fetching the list shows { $host } this computer's address, once; whoever signs it chooses your relays.
    .next = Accept the list for this server, or add relays of your own.
relay_file_fails =
    .what = The relay list could not be read.
    .why = { $why }
    .next = { $next }
relay_list_refused =
    .what = The relay list was not taken.
    .why = { $why }
    .next = Ask whoever made it for a new one.
newer_relay_list_refused =
    .what = The relay list was not taken.
    .why = { $why }
    .next = Check the line, or ask whoever signs the list for a new one; one that is here goes on serving.
relay_list_ended =
    .what = There are no relays to use.
    .why = The relay list has expired, and no server handed on a newer one.
    .next = Add its line again, which fetches it from its host, or choose other relays.
relay_list_not_fetched =
    .what = The relay list could not be fetched.
    .why = The host { $host } was asked. { $why }
    .next = Check the network and the line, then try again.
relay_list_not_here =
    .what = There are no relays to use.
    .why = The settings name a relay list that was never fetched on this computer.
    .next = Add its line again, which fetches it from its host.
many_relays_gone =
    .what = Nothing is sent in this network until you look at its newest relay list.
    .why = It lacks { $gone } of the { $before } relays of the one before. That can be right after a long time; or somebody else took the server over.
    .next = Ask whoever runs the network, then accept the list.
relay_lists_not_read =
    .what = Your relay lists cannot be read, so nothing is sent over their relays.
    .why = { $why } It is in { $file }.
    .next = Put that right, or move the file away and add your lists again.
relay_list_not_stored =
    .what = The relay list could not be kept.
    .why = { $why }
    .next = { $next }
service_node_file_wrong =
    .what = The file describes no network of service nodes.
    .why = { $why }
    .next = Ask whoever made the file for a whole one.
seeds_fail =
    .what = The service nodes of the network could not be asked for.
    .why = The last of its seeds was asked. { $why }
    .next = Check the network and try again later, or choose other relays.

## Errors: invitations and networks

invitation_changed =
    .what = This invitation was changed on its way.
    .why = Its checksum is wrong: characters were replaced, lost or added.
    .next = Ask for it again, as one line of text or as a file.
invitation_cut_off =
    .what = This invitation is cut off.
    .why = At least { $missing } of its characters are missing at the end.
    .next = Copy it again, to its end.
invitation_expired =
    .what = This invitation has expired.
    .why = Nobody joins by it any more. Whoever has joined stays a member.
    .next = Ask for a new one.
invitation_invalid =
    .what = This invitation cannot be used.
    .why = Its parts do not fit together.
    .next = Ask whoever runs the network for a new one.
invitation_malformed =
    .what = This invitation cannot be used.
    .why = It is whole, but not in the form that invitations have.
    .next = Ask whoever runs the network for a new one.
invitation_newer =
    .what = This invitation was made by a newer version.
    .why = It has entries this version does not know.
    .next = Use a newer version of Cloakroom.
invitation_not_found =
    .what = There is no invitation in this text.
    .why = An invitation begins with cloakin1.
    .next = Copy the whole message, or choose the file.
invitation_text_too_long =
    .what = This text is too long to look for an invitation in it.
    .why = It is longer than 64 KiB.
    .next = Copy only the part with the invitation.
invite_list_ended =
    .what = There is no invitation now.
    .why = The relay list of the network has ended.
    .next = Share or fetch something in this network first: that brings the newer list.
invite_none_serves =
    .what = There is no invitation yet.
    .why = No relay of the network serves its server; one has to be the last of a path.
    .next = Wait until such a relay has joined.
invite_not_made =
    .what = There is no invitation.
    .why = Its server's address and its name are too long together.
    .next = Give the network a shorter name.
invite_too_few =
    .what = There is no invitation yet.
    .why = Only { $relays } of 3 relays are known.
    .next = Wait until the network has three relays, then try again.
invite_without_path =
    .what = There is no invitation yet.
    .why = No three relays of the network make a path: none may share its operator, or its part of the internet, with another.
    .next = Wait until other relays have joined.
join_for_relays =
    .what = The network was not joined.
    .why = This invitation is for adding a relay, and names too few relays to use the network with.
    .next = Ask for an invitation for people.
join_other_relays =
    .what = The network was not joined.
    .why = You use its server already, as “{ $name }”, through other relays.
    .next = Keep yours, or replace them if you trust whoever chose the others.
join_private_relays =
    .what = The network was not joined.
    .why = Fewer than three of its relays have addresses on the internet.
    .next = Ask whoever runs the network for a new invitation.
join_without_path =
    .what = The network was not joined.
    .why = Its relays make no path that hides you. { $why }
    .next = Ask for an invitation with other relays, or let the rules yield for this network.
join_wrong_access_word =
    .what = The network was not joined.
    .why = Its server refused the access word of the invitation.
    .next = Ask for a new invitation.
no_invitation =
    .what = There is no invitation.
    .why = The relays of this server are from a file or from Session's network, so nobody else could check the list.
    .next = Use a relay list by URL, or join a network that keeps its own list.

## Errors: what the server says

access_word_wanted =
    .what = The file was not stored.
    .why = The server stores files only for those who know its access word.
    .next = Ask its operator for the word, and enter it.
access_word_wrong =
    .what = The file was not stored.
    .why = The access word is not the one that the server asks for.
    .next = Check the word, and ask the server's operator whether it was changed.
server_asks_differently =
    .what = The file was not sent.
    .why = The server asked for one thing at one time and for another the next time. A server that asks everybody for something else could tell people apart.
    .next = If its operator has just changed its settings, try again; if it stays so, choose another server.
server_full =
    .what = The file was not stored.
    .why = The server is full.
    .next = Try again later, or choose another server.
server_too_full =
    .what = Nothing was sent.
    .why = It takes up { $needed } at the server, which has { $free } left.
    .next = Choose another server, or share a part of it.
server_without_owners =
    .what = This server does not let a file be managed.
    .why = It does not know who shared a file; it forgets each when its time is over.
    .next = Share through a Cloakroom server next time.
file_not_extendable =
    .what = This server does not keep this file for longer.
    .why = It gives files like this one a fixed time and nobody can change it.
    .next = If it is needed for longer, share it again before its time is over.
server_without_receipts =
    .what = The file was not shared.
    .why = This server cannot count or limit downloads.
    .next = Share without a count or limit, or choose another server.
file_not_there =
    .what = The server does not have this file.
    .why = It may have expired, been deleted, or reached its number of downloads.
    .next = Ask the sender to share it again.
server_nonsense =
    .what = The server's answer does not fit the request.
    .why = It confirmed other bytes than were sent, or sent something that cannot be read.
    .next = Try again; if it stays so, choose another server.
server_busy =
    .what = The server is busy or in trouble.
    .why = It answered { $code } each time it was asked.
    .next = Try again later.
server_refused =
    .what = The server refused.
    .why = It answered { $code }.
    .next = Choose another server, or ask its operator.
file_still_there =
    .what = The server does not delete what it says it deletes.
    .why = The test file was still given out after the server had confirmed its deletion.
    .next = Tell the server's operator, or choose another server.
too_large_for_server =
    .what = The file is too large for this server.
    .why = It did not say how much it takes.
    .next = Choose another server, or a smaller file.
too_large_for_server_of =
    .what = The file is too large for this server.
    .why = It takes up to { $limit } bytes, counted after padding.
    .next = Choose another server, or a smaller file.
time_refused =
    .what = The server does not keep files for that time.
    .why = It keeps them for 1 to { $hours } hours.
    .next = Ask for a time between those.
time_maybe_refused =
    .what = The server refused.
    .why = It answered 400 and does not say why. It may not keep files for { $time }.
    .next = Ask for a shorter time, or for the server's usual time.
unknown_work =
    .what = The file was not stored.
    .why = The server asks for work in a way that this version does not know: it is of another version, such as 0.1.
    .next = Ask its operator to update it, update Cloakroom, or choose another server.
work_refused =
    .what = The file was not stored.
    .why = The server did not take the work that it had asked for.
    .next = Try again; if it stays so, choose another server.

## Errors: on the way. `tried` stands inside sentences as { $tried }.

tried =
    { $count ->
        [one] once
       *[other] { $count } times
    }
network_blocks =
    .what = The network here blocks the relays.
    .why = None of your first relays answered, nor did the three that may be tried in their place within a day.
    .next = Check that this computer is online, or try from another network.
connection_broke =
    .what = The connection broke before the transfer was done.
    .why = It was tried { $tried }.
    .next = Check the network and try again.
request_not_built =
    .what = The request could not be built.
    .why = The server's name or key does not fit an onion request.
    .next = Choose another server.
direct_unreachable =
    .what = The file server could not be reached.
    .why = It was tried { $tried }: the server is off, its name leads nowhere, or the network here blocks it.
    .next = Check the network and the server's address, then try again.
direct_foreign_answer =
    .what = Something else answered in the file server's place.
    .why = What it sent was not sealed by the server; it was tried { $tried }. Networks of hotels and trains answer with a login page.
    .next = Open a browser and log in to the network, then try again.
first_unreachable =
    .what = The first relay could not be reached.
    .why = It was tried { $tried }: the relay is off, holds another key than its list says, or the network here blocks it.
    .next = Check the network and the relay list, then try again.
answer_malformed =
    .what = The server's answer cannot be read.
    .why = It may not be a file server, or be a newer one.
    .next = Check the server's address.
answer_plain =
    .what = No answer of the server came back.
    .why = Somebody on the path answered { $status }, { $tried }; nobody vouches for that answer.
    .next = Try again later, or use another relay list.
relay_failed =
    .what = A relay on the path failed.
    .why = It answered { $status }; it was tried { $tried } over different relays where there are any.
    .next = Try again later, or use another relay list.
relay_unreachable =
    .what = A relay on the path could not be reached.
    .why = The relay before it said so; it was tried { $tried }.
    .next = Try again later, or use another relay list.
server_plain =
    .what = Something else answered in the file server's place.
    .why = It answered { $status } without opening the request; it was tried { $tried }.
    .next = Try again later, or ask the server's operator.
server_not_served =
    .what = The last relay does not serve this server.
    .why = Its operator allows other servers, or none.
    .next = Use a relay list whose relays serve this server.
server_unreachable =
    .what = The file server could not be reached.
    .why = The last relay said so; it was tried { $tried }.
    .next = Try again later, or ask the server's operator.
server_wrong_key =
    .what = The file server does not hold the key of its address.
    .why = Its address is wrong, its key was changed, or something else answers in its place.
    .next = Ask its operator for the address.
answer_tampered =
    .what = An answer was changed on its way and was refused.
    .why = A relay on the path is broken or hostile; it was tried { $tried }.
    .next = Try again; if it stays so, use another relay list.
timed_out =
    .what = The transfer took too long and was ended.
    .why = No answer came for too long; it was tried { $tried }. The server may be stuck, or the way to it slow.
    .next = Try again later. If other servers work, ask this one's operator.
no_path_guard =
    .what = There is no path to this server.
    .why = No relay was left for the first place: { $reasons }.
    .next = Use a relay list with more relays, at least one of which serves this server; or allow weaker paths for this short list.
no_path_middle =
    .what = There is no path to this server.
    .why = No relay was left for the middle place: { $reasons }.
    .next = Use a relay list with more relays, at least one of which serves this server; or allow weaker paths for this short list.
no_path_last =
    .what = There is no path to this server.
    .why = No relay was left for the last place: { $reasons }.
    .next = Use a relay list with more relays, at least one of which serves this server; or allow weaker paths for this short list.
rejected_not_serving = { $count } not serving this server
rejected_on_this_path = { $count } on the path already
rejected_is_guard = { $count } your first relay, now or lately
rejected_dropped = { $count } a first relay that was dropped
rejected_kept_back = { $count } kept back as a first relay
rejected_not_a_guard = { $count } not a first relay of yours
rejected_same_network = { $count } in the network of another
rejected_same_operator = { $count } of the operator of another
rejected_set_aside = { $count } set aside after failures
rejected_stood_elsewhere = { $count } in the middle or at the end lately
rejected_too_many_new = { $count } not asked, as three new first relays were today
rejected_too_new = { $count } too new for a first relay
rejected_failed = { $count } failed just now

## Errors: the reason under another error, each a whole sentence

why_built_in_busy = Another process holds the built-in network and does not answer.
why_built_in_no_locks = The disk of its folder has no locks, so that two windows could run it at once and damage it.
why_built_in_folder = The folder of the built-in network cannot be used.
why_settings_invalid = The settings cannot be understood: { $reason }.
why_settings_line_invalid = Line { $line } of the settings cannot be understood: { $reason }.
why_settings_misplaced = Line { $line } of the settings: “{ $key }” has no effect in that place.
why_settings_misspelled = Line { $line } of the settings: there is no setting called “{ $key }”; “{ $meant }” was probably meant.
why_settings_newer = The settings were written by a newer version.
why_no_home = There is no home folder.
why_settings_unreadable = The settings cannot be read.
why_settings_unwritable = The settings cannot be written.
why_record_damaged = The record of your shares is damaged.
why_record_newer = The record of your shares was written by a newer version.
why_record_unreadable = The record of your shares cannot be read.
why_record_unwritable = The record of your shares cannot be written.
why_relays_damaged = The record of your relays is damaged.
why_relays_newer = The record of your relays was written by a newer version.
why_relays_unreadable = The record of your relays cannot be read.
why_fetch_broken = The connection broke.
why_fetch_cancelled = It was cancelled.
why_fetch_redirected = It points to another address, which is not followed.
why_fetch_status = It answered { $status }.
why_fetch_timed_out = It took too long.
why_fetch_too_large = What it answered is too large.
why_fetch_unreachable = It cannot be reached, or does not prove that it is what it should be.
why_nodes_malformed = Its answer cannot be read.
why_nodes_too_few = It named { $count } nodes that can be used; a path needs three.
why_list_backwards = The list expires before it is issued.
why_list_duplicate = Two entries have the same key.
why_list_entry = Entry { $index } is not a relay: { $what }.
why_list_expired = The list has expired.
why_list_malformed = This is not a relay list: { $what }.
why_list_newer = The list was made by a newer version.
why_list_not_yet = The list is dated in the future; if it is not, the clock of this computer is wrong.
why_list_older = The list is older than the one that is held.
why_list_same_date = The list is not the one that is held, though both are dated the same; its maker has to date it anew.
why_list_too_few =
    { $count ->
        [0] The list has no relays; a path needs three.
        [one] The list has 1 relay; a path needs three.
       *[other] The list has { $count } relays; a path needs three.
    }
why_list_too_large = The list is larger than file servers can hand on.
why_list_too_long = The list is larger than a list can be.
why_list_unsigned = The list is not signed.
why_list_wrongly_signed = The list is not signed by the key it was added with.
why_proxy_behind = Nothing may stand behind the port.
why_proxy_host = There is no host.
why_proxy_login = User name and password must each have 1 to 255 bytes.
why_proxy_port = There is no port; Tor listens on port 9050.
why_proxy_scheme = Only SOCKS5 proxies can be used.
why_save_altered = What had arrived was changed or removed meanwhile.
why_save_create = No file can be made in the folder.
why_save_folder = The folder cannot be used.
why_save_names = All names like this one are taken.
why_save_no_room = It needs { $needed }, and { $free } is free.
why_save_no_regular_file = There is a pipe, a device or a socket of that name.
why_save_rename = The file cannot be given its name.
why_save_too_long = A file of { $size } is too large for the file system of this disk, as for FAT32 from 4 GB on.
why_save_write = The file cannot be written.
why_url_host = The host or the port cannot be used.
why_url_id = A file id is 1 to 64 letters, digits, underscores and hyphens.
why_url_key = A key has 64 characters, 0 to 9 and a to f. This one has not, or cannot be used: copy the whole line.
why_url_no_file = The URL must name one file and nothing behind it.
why_url_no_list_key = The list's key (#k=…) is missing.
why_url_no_server_key = The server's key (#p=…) is missing.
why_url_none = This is not a URL.
why_url_not_canonical = The URL is not in its one canonical form.
why_url_path = The URL has a path, a query or a fragment that does not belong to it.
why_url_scheme = The URL must start with http:// or https://.
why_url_user = The URL holds a user name or a password.
why_line_too_long = The line is longer than such a line can be.
next_newer = Use the newer version of Cloakroom that wrote it.
next_settings_invalid = Correct that and start again, or go on with the default settings: the old file is kept.
next_record_damaged = Put a backup of owned.json in its place, or move it away: files shared before can then no longer be deleted from here.
next_not_found = Check the name and that the disk is connected.
next_permission_denied = Give yourself the permission, or choose another place.
next_storage_full = Make room on that disk.
next_read_only = Choose a place that can be written to.
next_too_many_files = Close some windows or programs, then try again.
next_other = Try again. If it happens again, check the disk and its cable or connection.
io_already_exists = There is something of that name already.
io_not_a_folder = A part of the path is no folder.
io_not_found = There is no such file or folder.
io_other = The system says: { $detail }.
io_permission_denied = The system does not permit it.
io_read_only = What it lies on can only be read.
io_storage_full = No space is left.

## Who saw what: a proxy, and whoever gives relay lists

role_proxy = Proxy
role_list_host = Host of the list
role_seed = Seed
asked_list_host = Fetched a relay list from its host
asked_session_nodes = Asked a seed for service nodes
no_list_came = No list came
proxy_not_usable = The proxy could not be used
note_direct_by_proxy = Through the proxy, without relays: the proxy saw your address and the file server.
note_straight = Whoever gives the list is asked straight, on no path.
fact_host = connects to: { $name }
fact_proxy_address = the address that the proxy goes out with
fact_relay_list = which relay list you use
fact_transfer = what you transfer, and with which server

## Settings: every relay list that is kept

list_issued = issued { $when }
list_asked = asked for a newer one { $when }
unnamed_list = A list without a name
other_lists = Other lists kept here
list_kept = Kept, not in use.
list_accepted = From a pointer, used for { $servers } only.
short_list = Allow weaker paths where the list has too few relays
short_list_about = Relays that one operator runs, or that are in one network, may then stand on the same path, and a relay that was your first may stand in the middle or at the end, or the other way round. Who saw what says so each time.

## Who saw what: all tries together

all_tries = Everything together, over { $count } tries
in_tries =
    { $count ->
        [one] in 1 try
       *[other] in { $count } tries
    }
links_both = could see both your IP address and the server
links_address = could see your IP address, not the server
links_address_and_list = could see your IP address and which relay list you use, no transfer
links_list = could see which relay list you use, no transfer
links_neither = could see neither your IP address nor the server
links_server = could see the server, not your IP address

## Settings, options and rows besides

access_word = Access word
access_word_about = Only if the server's operator gave you one. It goes with every upload to this server.
access_word_is_kept = One is kept with this server and goes with every upload.
enter_access_word = Enter a word
change_access_word = Change the word
keep_access_word = Keep the word
forget_access_word = Forget the access word of
access_word_kept = The access word is kept.
access_word_forgotten = The access word is forgotten.
access_word_invalid =
    .what = This is no access word.
    .why = An access word has 1 to 64 letters, digits and signs of plain ASCII.
    .next = Type or paste it as the operator gave it to you.
milestone_work = Work
stage_work = Working for the server, { $done }
undo = Undo
undo_removal = Bring back what was removed
undone = It is back.
proxy_forgotten = The proxy was forgotten.
relay_list_forgotten = The relay list was forgotten.
removed = { $name } was removed.
removed_rows = { $count } transfers were removed.
remedy_access_word = Enter the access word
remedy_default_settings = Use default settings
settings_put_aside = The old file is kept as { $path }.
settings_not_saved = The file of the newer version stays as it is; what you choose lasts until you quit.
remedy_folder = Choose another folder
remedy_options = Change the options
remedy_paste = Paste another pointer
remedy_newer_list = See the newer list
remedy_relays = Choose relays
limit_of = Up to { $size } a file
asks_work = asks for work ({ $bits } bits)
clocks_differ = This computer's clock and the server's differ: the time is the server's.
other_time_kept = The server does not keep this file for the time you chose.
kept_usual = kept for the server's usual time
usual_keep = The server's usual time
usual_keep_of = Usual ({ $time })
duration_days =
    { $count ->
        [one] { $count } day
       *[other] { $count } days
    }
duration_hours =
    { $count ->
        [one] { $count } hour
       *[other] { $count } hours
    }
count_limit = Limited
count_limit_about = Removed after so many downloads
fewer_downloads = Fewer downloads
more_downloads = More downloads
test_deleted = Delete ({ $delete } ms) works.
test_without_delete = This server does not delete on demand.
was_kept_until = was kept until { $day }
filter_all = All
filter_shared = Shared
filter_received = Received
show_earlier =
    { $count ->
        [one] Show { $count } earlier transfer
       *[other] Show { $count } earlier transfers
    }
none_of_these = There is none of these.
use_opened_pointer = Use the other one
keep_pointer = Keep this one
paste_here = Paste
pointer_expired =
    .what = The server has probably deleted this file.
    .why = It was to be kept until { $day }, and that has passed.
    .next = Try it, or ask for a new pointer.
other_server =
    .what = This file is at a server that is not among yours.
    .why = It is at { $theirs }; your files go to { $chosen }.
    .next = Download it if you expected that.
advanced = Advanced
display = Display system
renderer = Drawn by
automatic = Automatic
at_next_start = The window uses these from its next start.
parallel_shares = Files shared at the same time
fewer_shares = Fewer files at the same time
more_shares = More files at the same time
diagnostics_about = What this program finds of its settings, folders, relays and servers: to show to somebody who helps you. It holds no keys, pointers or access words; it names folders and servers.
copy_diagnostics = Copy diagnostics
diagnostics_copied =
    .what = The diagnostics were copied.
    .why = They name your folders and servers, and hold no keys, pointers or access words.
    .next = Read them before you pass them on.
server_passed = The last test of this server passed.
server_untried = This server was not tested since the window opened.
keep_longer_about = The server keeps it for so long from now, and never shorter than before.
received_here = Received files will be listed here.
dialog_share = Choose files to share
dialog_folder = Choose where received files are saved
dialog_relay_list = Choose a relay list
dialog_export = Save the history
no_dialogs =
    .what = This system has no dialog for files.
    .why = Neither a desktop portal nor Zenity is installed.
    .next = Install xdg-desktop-portal or Zenity; files can also be dropped or pasted here.
file_too_large_here =
    .what = { $name } is too large and was not shared.
    .why = It has { $length } bytes; one upload carries up to { $limit }.
    .next = Make it smaller, or cut it into pieces.
files_too_large_here =
    .what = { $count } files are too large and were not shared.
    .why = One upload carries up to { $limit } bytes.
    .next = Make them smaller, or cut them into pieces.

## Settings: links

open_links = Open cloakroom: links with this program
open_links_about = A click on such a link in a message only fills Receive; nothing starts by it.
links_refused =
    .what = Windows did not take which program opens such links.
    .why = The part of the registry that is yours could not be written.
    .next = Try again; pointers can be pasted all the same.

## The chrome, Settings and sheets: places, states, what cannot be dropped

add_this_server = Add this server
add_this_list = Add this relay list
direct_switch_off_about = Turned on, this server would see this computer's address with every transfer.
list_host_sees = Adding a line fetches the list straight from its host, which sees this computer's address and the time, once.
list_host_sees_proxy = Adding a line fetches the list from its host through the proxy: the host sees the proxy's address and the time, once.
named_list_host_sees = The list is fetched straight from { $host }, which sees this computer's address and the time, once.
named_list_host_sees_proxy = The list is fetched from { $host } through the proxy: the host sees the proxy's address and the time, once.
seed_sees = One of its three seeds (seed1, seed2 and seed3.getsession.org) sees this computer's address and the time, at most once a day.
seed_sees_proxy = One of its three seeds (seed1, seed2 and seed3.getsession.org) sees the proxy's address and the time, at most once a day.
other_seed_sees = One of its seeds ({ $hosts }) sees this computer's address and the time, at most once a day.
other_seed_sees_proxy = One of its seeds ({ $hosts }) sees the proxy's address and the time, at most once a day.
list_over_http = The address begins with http: the signature protects the list, but the network here can see which list is fetched.
server_is_added = { $name } was added and is in use.
list_is_used = { $name } is in use.
proxy_is_used = The proxy { $name } is in use.
hover_list = Drop to use { $name } as the relay list
hover_network = Drop to look at the network in { $name }
hover_pointer = Drop to use the pointer in { $name }
use_known_list = Use this relay list
use_known_network = Look at this network
receive_known_file = Receive this file
share_known_file = Share it as a file
relay_list_dropped =
    .what = { $name } is a relay list.
    .why = Your files can go through its relays, or you can share the list with someone.
    .next = Choose what you want to do with it.
network_file_dropped =
    .what = { $name } describes a network.
    .why = You can join that network, or share the file with someone.
    .next = Choose what you want to do with it.
pointer_file_dropped =
    .what = { $name } holds a pointer to a file.
    .why = You can receive that file. Whoever you share the pointer with can receive it too.
    .next = Choose what you want to do with it.
list_ends_soon =
    .what = The relay list of “{ $name }” ends on { $day }.
    .why = No newer one has come yet.
    .next = Use the network once, which asks for a newer list, or ask whoever makes the list for one.
list_now_used =
    .what = { $name } is in use.
    .why = Your files go through its relays from now on.
    .next = You can choose another list in Settings.
note_this_computer = This was the built-in network: its relays and its file server all run on this computer, and nothing left it.
if_a_drop_fails = If a drop brings nothing
drop_promised = A mail program or browser may only promise a file that is not on this computer yet. Save it to a folder first, then drop it from there or choose it with Ctrl+O.
drop_elevated = Windows lets no ordinary program drop files on one that runs as administrator. Start Cloakroom without administrator rights, or choose or paste the files.
dropped_no_file =
    .what = Nothing was shared: what was dropped is not a file on this computer.
    .why = Mail programs and browsers may promise a file that is not here yet.
    .next = Save it to a folder first, then drop it from there.
no_dialog_for_list =
    .what = This system has no dialog for files.
    .why = Neither a desktop portal nor Zenity is installed.
    .next = Type or paste the path of the list into the field above, or drop its file here.
no_dialog_for_folder =
    .what = This system has no dialog for files.
    .why = Neither a desktop portal nor Zenity is installed.
    .next = Install xdg-desktop-portal or Zenity; until then received files go where they went.

## Rows: speed, headings, and what is said as they begin and stop

hours_left = { $count } h left
is_so_far = { $name }: { $done }
is_cancelled = { $name } was cancelled
kept_time_until = { $time }, until { $day }
minutes_left = { $count } min left
misleading_badge = Misleading name
rows_received = What you received
rows_shared = What you shared
seconds_left = { $count } s left
speed = { $size }/s
starts_again = Trying { $count } transfers again
starts_receiving = Downloading { $name }
starts_sharing_one = Sharing { $name }
starts_sharing_many = Sharing { $count } items

## Several things, large things, transfers in parts

as_one = As one
one_each = One each
keep_together = Remember this
keep_together_about = It can be changed in Settings.
several_things = Several files together
several_ask = Ask
several_as_one = As one
several_one_each = One each
choose_folder = Choose a folder
dialog_share_folder = Choose a folder to share
not_begun = Not begun
pause = Pause
paused = Paused
paused_at = Paused, { $done } of { $total } done
interrupted_at = Interrupted, { $done } of { $total } done
resume = Resume
discard = Discard
discard_title = Discard { $name }?
discard_share = What the server has of it so far is deleted. It cannot go on afterwards.
discard_download = What has come of it so far is removed. It cannot go on afterwards.
discarding = Discarding
discarded = Discarded
some_left = Some of it could not be deleted at the server. It is gone when it expires.
is_paused = { $name } is paused
is_discarded = { $name } was discarded
unnamed_folder = Unnamed folder
a_folder = folder
show_content = Show what is in it
looking_into = Looking into it
single_file = It is a single file.
entries =
    { $count ->
        [one] One file or empty folder
       *[other] { $count } files and empty folders
    }
entries_wanted = { $wanted } of { $count } chosen, { $size }
content_of = What is in { $name }
want_all = Choose all
want_none = Choose none
empty_folder = empty folder
and_more = { $names } and more
now_named = { $was } is now { $is }
several_came =
    .what = { $count } files or folders came together.
    .why = As one, they arrive in a folder and have one pointer. One each, every one has its own pointer.
    .next = Choose how to share them.
large_share =
    .what = This is { $size }.
    .why = It goes to { $server } in parts, which may take long.
    .next = It can be paused and go on later, also after a restart.
large_download =
    .what = This is { $size }.
    .why = It comes from { $server } in parts, which may take long.
    .next = It can be paused and go on later, also after a restart.
things_left_out =
    .what =
        { $count ->
            [one] One thing was left out: { $names }.
           *[other] { $count } things were left out: { $names }.
        }
    .why = Links, and what cannot be read or has a name that cannot be sent, are not shared.
    .next = Everything else is shared.
names_changed =
    .what =
        { $count ->
            [one] One name was changed: { $names }.
           *[other] { $count } names were changed: { $names }.
        }
    .why = This system cannot hold them as they were.
    .next = What is in them is the same.

## Invitations and networks that were joined

join_title = Join “{ $name }”?
join_trust = Whoever made this invitation chose the server and the relays. If they run them all, they can see your address and when you send or fetch, not what is in your files.
join_if = Join if you trust them.
join_if_known = Join if you trust them, or if the relays belong to people you know: { $names } (they call themselves so).
join_words = Members who compare these words find the same.
join_own_network = In your own network: server and relays are not on the internet.
join_as_member = This invitation is for adding a relay; you join as a member.
join_member = You are a member already, as “{ $name }”. Joining again renews the server's address, the access word and the first relays.
join_other = It leads to a server that you already use, as “{ $name }”, through other relays.
join_rules = The rules of paths allow no path among these relays.
join = Join
join_and_receive = Join and receive
join_anyway = Join, let the rules yield
not_now = Not now
keep_my_relays = Keep mine
replace_my_relays = Replace mine
joining_title = Joining “{ $name }”
joining_list = Asking for the network's list…
joining_try = Trying its server: a small file goes up, comes down and is deleted…
is_invitation = An invitation to join “{ $name }” at { $host }.
is_joined = You joined “{ $name }”.
network_saved = “{ $name }” is saved.
joined_works = It works: a small file went up, came down and was deleted.
joined_receives = You can receive; sending does not work now.
joined_silent = It does not answer now.
session_title = Session's network
session_offer = A file server and relays that are there already, run for the Session messenger.
session_open = Join…
session_ask = Join Session's network?
session_meaning = Its file server and its service nodes are run for the Session messenger, by people who were not asked about this program. A file stays for that server's time, and nobody can delete it; large files may time out. If one party runs all three nodes of a path, it can see your address and when you send or fetch, not what is in your files.
session_tried = This program was tried with stand-ins for that network, never with the network itself.
session_joining = Joining Session's network
session_asks_seed = Asking one of its seeds for its nodes…
session_tries = Trying its server: a small file goes up and comes down…
session_works = It works: a small file went up and came down.
network_from_file = From a file…
other_network = Another network of its kind
other_network_about = A file names its file server and the seeds that know its nodes.
other_network_meaning = Its file server, { $host }, and its seeds were chosen by whoever made this file. Its service nodes are other people's computers, and nobody asked them about this program. If one party runs all three nodes of a path, it can see your address and when you send or fetch, not what is in your files. Join if you trust whoever gave you the file.
list_host_offer = Its list can also be fetched straight from { $host }, which sees this computer's address and the time, once.
list_host_offer_proxy = Its list can also be fetched through the proxy from { $host }, which sees the proxy's address and the time, once.
fetch_list_from = Fetch its list from { $host }
done = Done
to_the_pointer = Go on to the pointer
share_files = Share files
invite_entry = Invite…
rename_entry = Rename…
leave_entry = Leave…
invite_title = Invite to “{ $name }”
invite_about = Whoever gets this invitation can join. It is good for 30 days; whoever has joined stays a member.
invite_with_word = With the access word
invite_with_word_about = Whoever joins can then send, too. Without it they can receive, and send once they enter the word.
making_invitation = Making the invitation…
copy_invitation = Copy invitation
save_invitation = Save as a file…
invitation_saved = Saved as { $name }.
invitation_copied = Invitation copied
invitation_masked = Invitation, hidden while another window is in front
invitation_text = Invitation text
copy_with_invitation = Copy with invitation
network_name = Name of the network here
rename = Rename
is_renamed = It is called “{ $name }” now.
leave_title = Leave “{ $name }”?
leave_deletable =
    { $count ->
        [one] A file that you shared is still on its server. It can be deleted there until it expires, also after you have left.
       *[other] { $count } files that you shared are still on its server. They can be deleted there until they expire, also after you have left.
    }
leave_under_way =
    { $count ->
        [one] A transfer is under way. It may not be able to go on.
       *[other] { $count } transfers are under way. They may not be able to go on.
    }
leave = Leave
delete_and_leave = Delete and leave
stay = Stay
network_left = You left “{ $name }”.
network_relays =
    { $count ->
        [one] 1 relay of its own
       *[other] { $count } relays of its own
    }
network_list_good = list good until { $day }
network_list_ended = Its relay list has expired. A newer one is asked for with the next transfer.
no_newer_list = Its relay list ends soon, and no newer one has come yet.
network_no_list = its relay list comes with the first transfer
use_new_list = Use the new list
use_known_invitation = Look at this invitation
network_joined =
    .what = You joined “{ $name }”.
    .why = It works: a small file went up, came down and was deleted.
    .next = The pointer that came with the invitation is below.
list_waits =
    .what = A newer relay list waits for you.
    .why = It lacks { $gone } of the { $before } relays of the one in use. That can be right after a long time; or somebody else took the server over.
    .next = Ask whoever runs the network before you use it.
invitation_opened =
    .what = An invitation was opened.
    .why = A link or a program opened it while something else stands here.
    .next = Choose which of them you want to see.
invitation_not_saved =
    .what = The invitation was not saved.
    .why = The file could not be written there.
    .next = Choose another place.
invitation_file_dropped =
    .what = { $name } holds an invitation to a network.
    .why = You can join that network. Whoever you share the invitation with can join it too.
    .next = Choose what you want to do with it.
