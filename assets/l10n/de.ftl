# Cloakroom in German, translated from en.ftl.
#
# Ids are those of the tables in src/app/words/texts.rs and src/gui/text/texts.rs. `.what`, `.why` and `.next` are the three
# sentences of a message: what happened, why, what to do next. Share, Receive and Seal are the words for what a person does;
# relay, guard, pointer and file server are terms and keep one translation each.

## The window

share = Teilen
receive = Empfangen
settings = Einstellungen
screen = Ansicht
drop_here = Dateien oder Ordner in dieses Fenster ziehen
choose_or_paste = Dateien oder Ordner auswählen oder einfügen
sealed_here = Jede Datei wird auf diesem Computer aufgefüllt und versiegelt, bevor sie ihn verlässt.
choose_files = Dateien wählen
drop_more = Weitere hierher ziehen oder wählen
choose_more = Weitere wählen
built_in = Eingebautes Netz
built_in_stays = Bleibt auf diesem Computer
pointer = Abholcode
receive_title = Erhaltenen Abholcode einfügen
receive_empty = Einen Abholcode oder eine Einladung zu einem Netzwerk. Sie sehen, worum es sich handelt, bevor etwas abgeholt wird. Text davor und danach stört nicht.
download = Abholen
clear = Leeren
unnamed_file = Unbenannte Datei
transfers = Übertragungen
cancel = Abbrechen
copy_pointer = Abholcode kopieren
copy_local = Kopieren (gilt nur auf diesem Computer)
copied = Kopiert
choose_server = Server wählen
retry = Wiederholen
remove = Entfernen
more = Mehr
remove_from_list = Aus Liste entfernen
show_original = Original zeigen
who_saw_what = Wer sah was
qr = QR-Code
pointer_masked = Abholcode, verborgen, solange ein anderes Fenster vorn ist
pointer_text = Text des Abholcodes
pointer_copied = Abholcode kopiert
open = Öffnen
show_in_folder = Im Ordner zeigen
verified = Geprüft
waiting = In der Warteschlange
cancelled = Abgebrochen
interrupted = Unterbrochen: beim Schließen von Cloakroom noch nicht fertig
failed = Fehlgeschlagen
file_servers = Dateiserver
file_servers_about = Hier werden Ihre Dateien hinterlegt. Ein Server sieht aufgefüllte, versiegelte Datenblöcke und nie, wer sie gesendet hat.
built_in_about = In diesem Programm. Nichts verlässt diesen Computer.
add_server = Server hinzufügen
add = Hinzufügen
test = Test
testing = Hochladen und Abholen werden getestet …
in_use = Aktiv
use_it = Nutzen
relays_title = Relays
relays_about = Jede Anfrage läuft über drei davon. Wer Sie sind, verbergen sie nur, wenn verschiedene Leute sie betreiben.
no_relay_list = Eingebaute Relays
no_relay_list_about = Auf diesem Computer, nur für das eingebaute Netz.
relays_of = Relays von { $name }
from_its_server = von seinem Server geführt
choose_list = Liste wählen
forget_list = Diese Liste entfernen
downloads = Downloads
downloads_about = Hier werden empfangene Dateien gespeichert; überschrieben wird nie eine.
change = Ändern
appearance = Darstellung
theme = Farbschema
system = System
light = Hell
dark = Dunkel
contrast = Kontrast
language = Sprache
motion = Bewegung
reduced = Reduziert
text_size = Größe
larger = Größer
smaller = Kleiner
privacy = Privatsphäre
about_and_licences = Info und Lizenzen
keys = Tastenkürzel
normal = Normal
high = Hoch
about = Info
about_text = Dateien privat teilen. Lizenziert unter MIT oder Apache-2.0. Ohne Sicherheitsaudit.
welcome = Datei abgeben, Code mitnehmen
start = Starten
keep_running = Nicht beenden
stop_and_quit = Trotzdem beenden
closing_body = Beim Beenden wird abgebrochen, was noch läuft. Große Dateien und Ordner lassen sich beim nächsten Start fortsetzen; von allem anderen bleibt nichts Halbfertiges zurück.
dismiss = Ausblenden
no_display = cloakroom: Es gibt keine Anzeige, auf der sich ein Fenster öffnen ließe; die Befehlszeile `cloak` leistet dasselbe ohne Fenster.
name_in_pointer = Dateiname im Abholcode
name_in_pointer_about = Wer den Abholcode liest, sieht den Namen vor dem Abholen. In der versiegelten Datei steht er in jedem Fall.
copy_when_done = Abholcode kopieren, sobald er da ist
copy_when_done_about = Er ersetzt, was in der Zwischenablage liegt.
clear_clipboard = Zwischenablage nach einer Minute leeren
clear_clipboard_about = Falls der Abholcode dann noch darin liegt. Beim Schließen des Fensters ebenfalls.
mask_pointers = Abholcodes verbergen, wenn ein anderes Fenster vorn ist
mask_pointers_about = Bis Sie zurückkehren, stehen Punkte an ihrer Stelle.

## Options of a share, managing, relays

keep_longer = Länger aufbewahren
downloads_so_far = Downloads bisher
delete_from_server = Vom Server löschen
keep_it = Behalten
delete_body = Danach kann niemand die Datei mehr mit diesem Abholcode abholen.
copies_stay = Schon abgeholte Kopien bleiben bei denen, die sie abgeholt haben.
asking_server = Der Server wird gefragt
gone = Vom Server gelöscht
options = Optionen
hide_options = Optionen verbergen
keep_for = Aufbewahren
options_about = Diese Optionen gelten für die Dateien, die Sie als Nächstes teilen.
count_downloads = Downloads zählen
count_no = Nein
count_yes = Ja
count_about = Gezählt wird, was gemeldet wird: Ein Empfänger kann auch abholen, ohne es zu melden.
use_senders_list = Liste des Absenders nutzen
add_relay_list = Liste hinzufügen
proxy = SOCKS5-Proxy
proxy_about = Das erste Relay sieht dann die Adresse des Proxys statt der dieses Computers. Für Tor, oder wo das Netz sonst nichts hinauslässt.
use_proxy = Proxy nutzen
forget_proxy = Proxy nicht mehr nutzen
relay_line = Relay-Liste hinzufügen
relay_line_about = Die Zeile, die Sie bekommen haben, oder der Pfad einer Datei auf diesem Computer.
list_maker_chooses = Wer die Liste macht, bestimmt Ihre Relays.
session_network = Service-Knoten von Session
session_about = Computer anderer Leute, betrieben für den Messenger Session. Bei großen Dateien kann die Zeit überschritten werden.
service_nodes = Service-Knoten
service_nodes_about = Computer anderer Leute, die für ein anderes Netz laufen. Bei großen Dateien kann die Zeit ablaufen.
new_guard = Neues erstes Relay
show_relays = Relays zeigen
hide_relays = Relays verbergen
asking_relays = Abfrage …
list_ended = Die Liste ist abgelaufen, und es kam keine neuere.
list_missing = Die Liste wurde noch nicht abgerufen.
list_problem_many_gone = Es kam eine Liste, der mehr als die Hälfte der Relays fehlt; sie wartet, bis Sie sie ansehen.
list_problem_no_answer = Eine neuere Liste wurde angefragt, aber es kam keine Antwort.
list_problem_no_list = Eine neuere Liste wurde angefragt, aber die Antwort enthielt keine.
list_problem_other = Eine neuere Liste wurde angefragt und kam nicht.
list_problem_refused = Es kam eine Liste, die abgelehnt wurde: Sie ist älter, abgelaufen oder nicht von dem signiert, der sie macht.
list_in_pointer = Liste in Abholcodes nennen
list_in_pointer_about = Empfänger ohne Relays können sie dann übernehmen. Wer den Abholcode liest, sieht, welche Liste Sie nutzen.
tell_sender = Dem Absender melden, wenn Sie die Datei haben
tell_sender_about = Er hat darum gebeten. Er erfährt, dass sie abgeholt wurde, nicht von wem.
direct_switch = Ohne Relays
direct_switch_about = Dieser Server sieht bei jeder Übertragung die Adresse dieses Computers.

## History, opening files, notifications

history_title = Verlauf führen
export_history = Export mit Schlüsseln
wipe_history = Verlauf löschen
notify = Melden, wenn eine Übertragung endet
notify_about = Als Mitteilung des Systems, solange dieses Fenster hinter anderen liegt.
notify_names = Dateiname in der Meldung
notify_names_about = Andere können den Bildschirm sehen, und das System kann Mitteilungen aufbewahren.
wipe_title = Den Verlauf löschen?
wipe_body = Die Verlaufsdatei und ihr Schlüssel werden entfernt, und die aufbewahrten Übertragungen verschwinden aus der Liste. Abholcodes, die Sie sonst nirgends haben, gehen verloren; Ihre Dateien bleiben, wo sie sind.
keep_history = Behalten
open_program_title = Diese Datei könnte ein Programm starten
open_program_why = Dateien dieser Art können ausführen, was in ihnen steckt.
open_anyway = Trotzdem öffnen
do_not_open = Nicht öffnen

## Sheets: who saw what, QR code, keys, licences

close = Schließen
you = Sie
recipient = Empfänger
sender = Absender
recipient_learns = öffnet die Datei; sieht Ihre Adresse nicht
sender_learns = hat die Datei versiegelt; sieht Ihre Adresse nicht
you_know = kennen Datei, Abholcode und Pfad
saw = Gesehen
did_not_see = Nicht gesehen
tries = Anfragen und Versuche
shown_about = Ermittelt aus dem, was dieses Programm wirklich gesendet hat. Wer beide Enden beobachtet, kann dennoch Zeiten vergleichen.
shown_outcome = { $outcome }. { $about }
perhaps_saw = Evtl. gesehen
saw_nothing = Nichts gesehen
ended_before = der Versuch endete vorher
nothing_sent = Es wurde nichts gesendet.
qr_about = Der ganze Abholcode, in Großbuchstaben. Wer ihn fotografiert, kann die Datei abholen und öffnen.
qr_masked = Verborgen, solange ein anderes Fenster vorn ist.
qr_too_long = Dieser Abholcode ist zu lang für einen QR-Code. Kopieren Sie ihn stattdessen.
shortcuts = Tastenkürzel
anywhere = Überall
on_a_transfer = Auf einer Übertragung
close_window = Fenster schließen
copy_of_row = Abholcode einer Übertragung kopieren
escape = Oberstes schließen, Feld leeren
next_region = Zum nächsten Bereich des Fensters
paste = Abholcode oder Dateien einfügen
paste_pointer = Abholcode bei „Empfangen“ einfügen
retry_failed = Alles, was fehlschlug, noch einmal versuchen
reset_zoom = Übliche Größe
show_keys = Diese Übersicht zeigen
licences = Lizenzen
licence_of_program = Cloakroom ist nach Ihrer Wahl unter MIT oder Apache-2.0 lizenziert.
fonts = Schriften und Symbole
fonts_about = Inter, JetBrains Mono und Noto Sans unter der SIL Open Font License 1.1, Symbole von Lucide unter der ISC-Lizenz.
crates = Bibliotheken
crates_about = Die mitkompilierten Rust-Crates, nach Lizenz geordnet.
welcome_drop = Datei hineinziehen, Abholcode bekommen.
welcome_drop_about = Die Datei wird auf diesem Computer aufgefüllt und versiegelt, bevor sie gesendet wird.
welcome_pointer = Wer den Abholcode hat, bekommt die Datei.
welcome_pointer_about = Geben Sie ihn nur der Person, für die sie bestimmt ist.
welcome_built_in = Vorerst bleibt alles auf diesem Computer.
welcome_built_in_about = Um andere zu erreichen, fügen Sie unter „Empfangen“ eine Einladung ein. Oder wählen Sie in den Einstellungen Dateiserver und Relays.
no_renderer = cloakroom: Die Grafik dieses Computers kann kein Fenster zeichnen ({ $error }). Installieren Sie unter Debian und Ubuntu mesa-vulkan-drivers oder libgl1-mesa-dri, oder verwenden Sie die Befehlszeile `cloak`.
no_window = cloakroom: Das Fenster ließ sich nicht öffnen: { $error }. Die Befehlszeile `cloak` braucht kein Fenster.
no_window_library = cloakroom: Das Fenster ließ sich nicht öffnen: Die Bibliothek { $library } fehlt. Installieren Sie unter Debian und Ubuntu libegl1, libfontconfig1, libwayland-client0, libx11-6, libx11-xcb1, libxcursor1, libxi6, libxkbcommon-x11-0 und libxrandr2. Die Befehlszeile `cloak` braucht kein Fenster.
closing_title =
    { $count ->
        [one] Eine Übertragung läuft noch
       *[other] { $count } Übertragungen laufen noch
    }

## A running transfer: names of its steps under the bar, and what it is doing

milestone_pad = Auffüllen
milestone_seal = Siegeln
milestone_find_path = Pfad
milestone_upload = Upload
milestone_stored = Hinterlegt
milestone_download = Abholen
milestone_verify = Prüfen
milestone_open = Öffnen
milestone_save = Speichern
stage_pad = Wird aufgefüllt
stage_seal = Wird versiegelt
stage_find_path = Pfad wird gesucht
stage_find_path_slow = Pfad wird gesucht. Warten auf die Antwort von { $server }
stage_find_relays_slow = Pfad wird gesucht. Warten auf die Relay-Liste
stage_connect_relay = Verbinden mit dem ersten Relay
stage_connect_relay_slow = Warten auf die Antwort des ersten Relays
stage_connect_server = Verbinden mit { $server }
stage_connect_server_slow = Warten auf die Antwort von { $server }
stage_upload = Wird hochgeladen, { $done }
stage_upload_slow = Wird hochgeladen, { $done }. Warten darauf, dass das erste Relay mehr annimmt
stage_upload_slow_direct = Wird hochgeladen, { $done }. Warten darauf, dass { $server } mehr annimmt
stage_crossing = Gesendet. Warten auf die Bestätigung von { $server }
stage_crossing_slow = Weiter warten auf die Bestätigung von { $server }
stage_asked = Warten auf die Antwort von { $server }
stage_asked_slow = Weiter warten auf die Antwort von { $server }
stage_download = Wird abgeholt, { $done }
stage_download_slow = Wird abgeholt, { $done }. Warten auf { $server }
stage_parts_sent = Wird hochgeladen, { $done } von { $total } bestätigt
stage_parts_sent_slow = Wird hochgeladen, { $done } von { $total } bestätigt. Warten auf den nächsten Teil
stage_parts_fetched = Wird geladen, { $done } von { $total }
stage_parts_fetched_slow = Wird geladen, { $done } von { $total }. Warten auf den nächsten Teil
stage_waiting =
    { $secs ->
        [one] Nichts kommt bis { $server } durch. Nächster Versuch in einer Sekunde
       *[other] Nichts kommt bis { $server } durch. Nächster Versuch in { $secs } Sekunden
    }
stage_verify = Wird geprüft
stage_open = Siegel wird geöffnet
stage_save = Wird gespeichert

## Rows and cards

kept_until = aufbewahrt bis { $day }
about_file = { $name }: { $verb }
progress_of = Fortschritt von { $name }
goes_now = Dateiserver: { $server }
goes_to = An { $host } über drei Relays
comes_from = von { $server }
will_be_saved_in = Wird in { $folder } gespeichert
home_folder = Ihrem persönlichen Ordner
saved_in = gespeichert in { $folder }
is_shared = { $name } wartet auf Abholung
is_received = { $name } ist geprüft und gespeichert
has_failed = { $name }: { $what }
test_passed = Hochladen ({ $upload } ms) und Abholen ({ $download } ms) funktionieren.
relays =
    { $count ->
        [one] 1 Relay
       *[other] { $count } Relays
    }
hover_title = Loslassen, um zu teilen
hover_title_one = Loslassen, um { $name } zu teilen
hover_title_many = Loslassen, um { $count } Elemente zu teilen

## Sizes, days, shares of a whole

percent = { $number } %
decimal = { $whole },{ $tenth }
thousands = .
list_comma = {", "}
newer_list_waits = Eine neuere Relay-Liste von „{ $network }“ wartet auf Sie. Ihr fehlen { $gone } der { $before } jetzigen Relays, und die übrigen leiten womöglich nichts an diese weiter.
see_newer_list = Sehen Sie sich die neuere Liste an. Fragen Sie, wer das Netzwerk betreibt; nutzen Sie sie dann und versuchen Sie es noch einmal.
titled = { $title }: { $text }
two_sentences = { $first } { $second }
size_empty = leer
size_bytes =
    { $count ->
        [one] 1 Byte
       *[other] { $count } Byte
    }
size_kilo = { $number } kB
size_mega = { $number } MB
size_giga = { $number } GB
exact_size = { $number } B
size_sent = { $size }, gesendet als { $sent }
sent_as = gesendet als { $sent }
date = { $day }. { $month } { $year }
day_and_time = { $day }, { $hour }:{ $minute } UTC
month_1 = Jan.
month_2 = Feb.
month_3 = März
month_4 = Apr.
month_5 = Mai
month_6 = Juni
month_7 = Juli
month_8 = Aug.
month_9 = Sept.
month_10 = Okt.
month_11 = Nov.
month_12 = Dez.
in_minutes =
    { $count ->
        [one] in 1 Minute
       *[other] in { $count } Minuten
    }
in_hours =
    { $count ->
        [one] in 1 Stunde
       *[other] in { $count } Stunden
    }
in_days =
    { $count ->
        [one] in 1 Tag
       *[other] in { $count } Tagen
    }
minutes_ago =
    { $count ->
        [one] vor 1 Minute
       *[other] vor { $count } Minuten
    }
hours_ago =
    { $count ->
        [one] vor 1 Stunde
       *[other] vor { $count } Stunden
    }
days_ago =
    { $count ->
        [one] vor 1 Tag
       *[other] vor { $count } Tagen
    }

## Managing a shared file

delete_title = { $name } vom Server löschen?
managed_deleted = Die Kopie auf dem Server ist gelöscht.
managed_gone_already = Der Server hatte keine Kopie mehr.
managed_deleted_but =
    { $parts ->
        [one] Die Datei kann nicht mehr geladen werden. Einer ihrer Teile konnte nicht gelöscht werden; er ist weg, wenn die Datei abgelaufen wäre.
       *[other] Die Datei kann nicht mehr geladen werden. { $parts } ihrer Teile konnten nicht gelöscht werden; sie sind weg, wenn die Datei abgelaufen wäre.
    }
managed_extended = Der Server bewahrt die Datei bis zum { $day } auf.
managed_not_extended = Der Server bewahrt die Datei bis zum { $day } auf, nicht länger als zuvor.
downloads_of = Empfänger haben { $told } von { $allowed } Downloads gemeldet.
downloads_told =
    { $told ->
        [one] Empfänger haben 1 Download gemeldet.
       *[other] Empfänger haben { $told } Downloads gemeldet.
    }
downloads_not_counted = Die Downloads dieser Datei werden nicht gezählt.
kept_for = { $time } aufbewahrt

## Relays in Settings

list_fetched = { $when } abgerufen
list_ends = läuft { $when } ab
list_has_ended = { $when } abgelaufen
standing_former_guard = war Ihr erstes Relay; Ruhezeit endet { $when }
standing_guard = Ihr erstes Relay seit { $day }
standing_guard_waiting = eines Ihrer ersten Relays seit { $day }, wartet
standing_kept_back = als späteres erstes Relay zurückgehalten
standing_not_reached = ausgesetzt, wieder dabei { $when }: ein anderes Relay konnte es nicht erreichen
standing_strikes = ausgesetzt, wieder dabei { $when }: dreimal ausgefallen
standing_usable = nutzbar
standing_worked = hat { $when } funktioniert
new_guard_refused =
    .what = Das erste Relay bleibt.
    .why = Es wurde binnen 24 Stunden dreimal gewechselt; ein neues wird ausgelost, sobald das älteste der drei einen Tag alt ist.
    .next = Versuchen Sie es morgen wieder: Jedes neue erste Relay ist eines mehr, das Ihre Adresse sieht.
new_guard_nobody_left =
    .what = Das erste Relay bleibt.
    .why = Jedes andere Relay stand kürzlich in der Mitte oder am Ende eines Pfades oder ist ausgefallen: Als Ihr erstes könnte es erfahren, wer Sie sind und welchen Server Sie benutzen.
    .next = Verwenden Sie eine Liste mit mehr Relays, oder versuchen Sie es in einigen Tagen wieder.

## The history

history_off = Aus. Was vorher aufbewahrt wurde, bleibt, bis Sie es löschen.
history_waiting = Wartet auf den Schlüsselbund dieses Systems.
history_kept = Nur auf diesem Computer, versiegelt mit einem Schlüssel im Schlüsselbund dieses Systems.
history_session = Nur bis zum Beenden. { $why }
list_session = Diese Liste bleibt nur bis zum Beenden. { $why }
keyring_missing = Dieses System hat keinen Schlüsselbund.
keyring_refused = Der Schlüsselbund dieses Systems ist gesperrt oder hat abgelehnt.
keyring_silent = Der Schlüsselbund dieses Systems hat nicht geantwortet.
history_file_fails = Die Verlaufsdatei lässt sich nicht lesen oder schreiben. { $why }
history_file_newer = Eine neuere Version von Cloakroom hat die Datei geschrieben; sie bleibt, wie sie ist.
file_is_damaged = sie ist beschädigt
file_is_newer = sie wurde von einer neueren Version geschrieben
history_damaged =
    .what = Der Verlauf früherer Übertragungen ließ sich nicht lesen.
    .why = Die Datei ist nicht verwendbar: { $why }.
    .next = Ein neuer Verlauf wurde begonnen; die alte Datei liegt unter { $path }.
history_damaged_left =
    .what = Der Verlauf früherer Übertragungen ließ sich nicht lesen.
    .why = Die Datei ist nicht verwendbar: { $why }.
    .next = Sie wurde belassen, wie sie ist, und bis Sie den Verlauf löschen, wird nichts aufbewahrt.
history_no_key =
    .what = Der Verlauf früherer Übertragungen ließ sich nicht lesen.
    .why = Der Schlüsselbund dieses Systems hat seinen Schlüssel nicht mehr.
    .next = Ein neuer Verlauf wurde begonnen; die alte Datei liegt unter { $path }.
history_no_key_left =
    .what = Der Verlauf früherer Übertragungen ließ sich nicht lesen.
    .why = Der Schlüsselbund dieses Systems hat seinen Schlüssel nicht mehr.
    .next = Er wurde belassen, wie er ist, und bis Sie ihn löschen, wird nichts aufbewahrt.
history_wiped =
    .what = Der Verlauf wurde gelöscht.
    .why = Seine Datei und sein Schlüssel sind weg.
    .next = Empfangene Dateien und die Dateien auf Servern bleiben unverändert.
history_key_not_wiped =
    .what = Der Verlauf wurde nicht vollständig gelöscht.
    .why = Seine Datei ist weg, aber sein Schlüssel könnte noch im Schlüsselbund liegen. { $why }
    .next = Versuchen Sie es noch einmal, oder entfernen Sie history.sealed selbst aus dem Datenordner.
history_file_not_wiped =
    .what = Der Verlauf wurde nicht vollständig gelöscht.
    .why = Seine Datei könnte noch da sein. { $why }
    .next = Versuchen Sie es noch einmal, oder entfernen Sie history.sealed selbst aus dem Datenordner.
history_exported =
    .what =
        { $count ->
            [one] 1 Übertragung wurde in die Datei geschrieben.
           *[other] { $count } Übertragungen wurden in die Datei geschrieben.
        }
    .why = Sie enthält Schlüssel: Wer sie liest, kann Ihre geteilten Dateien abholen und lesen.
    .next = Verwahren Sie sie so, wie Sie die Dateien selbst verwahren würden, und entfernen Sie sie, wenn Sie fertig sind.
history_not_exported =
    .what = Der Verlauf wurde nicht exportiert.
    .why = Die Datei ließ sich nicht schreiben, oder es ist nichts aufbewahrt.
    .next = Wählen Sie einen anderen Ort.
saved_file_gone =
    .what = Die Datei konnte nicht geöffnet werden.
    .why = Sie ist nicht mehr dort, wo sie gespeichert wurde, oder lässt sich nicht lesen.
    .next = Sehen Sie nach, wohin sie verschoben wurde, oder bitten Sie noch einmal um sie.
open_program = { $name }: { $why } Öffnen Sie die Datei nur, wenn Sie den Absender kennen und sie erwartet haben.

## What the desktop says when nobody looks at the window

file_is_shared = Eine Datei wartet auf Abholung
has_arrived = { $name } ist angekommen
file_has_arrived = Eine Datei ist angekommen
did_not_arrive = { $name } wurde nicht übertragen
file_did_not_arrive = Eine Datei wurde nicht übertragen
notify_shared = Der Abholcode liegt in Cloakroom bereit.
notify_received = Sie wurde geprüft und gespeichert.
notify_failed = Cloakroom sagt, warum.

## Notices

drop_while_modal =
    .what = Die hineingezogenen Dateien wurden nicht geteilt.
    .why = Eine Frage war noch offen.
    .next = Beantworten Sie sie, und ziehen Sie die Dateien dann noch einmal ins Fenster.
pointer_opened =
    .what = Ein anderer Abholcode wurde geöffnet.
    .why = Ein Link oder ein Programm hat ihn geöffnet, während dieser hier steht.
    .next = Wählen Sie, welchen Sie sehen möchten.
clipboard_empty =
    .what = Es wurde nichts eingefügt.
    .why = In der Zwischenablage liegt weder ein Abholcode noch eine Datei.
    .next = Kopieren Sie zuerst einen Abholcode oder eine Datei.
picture_not_taken =
    .what = Das Bild wurde nicht geteilt.
    .why = Ein Bild in der Zwischenablage ist noch keine Datei.
    .next = Speichern Sie es zuerst als Datei, und ziehen Sie sie hierher, oder wählen Sie sie aus.
clipboard_refused =
    .what = Der Abholcode wurde nicht kopiert.
    .why = Die Zwischenablage des Systems hat ihn nicht angenommen.
    .next = Versuchen Sie es noch einmal; falls ein anderes Programm die Zwischenablage belegt, schließen Sie es.
opener_failed =
    .what = Die Datei konnte nicht gezeigt werden.
    .why = Kein Programm dieses Systems hat sie angenommen.
    .next = Suchen Sie sie in Ihrem Download-Ordner.
defect =
    .what = Die Übertragung ist abgebrochen.
    .why = Dieses Programm hat einen Fehler gemacht.
    .next = Versuchen Sie es noch einmal; bricht sie wieder ab, melden Sie es bitte.
no_network_for_list =
    .what = Die Relay-Liste wurde nicht verwendet.
    .why = Was Sie teilen, bleibt auf diesem Computer: Es gibt kein Netz, zu dem ihre Relays führen könnten.
    .next = Fügen Sie in den Einstellungen erst einen Dateiserver hinzu, oder treten Sie mit einer Einladung einem Netz bei.
relays_missing =
    .what = Dieser Server ist noch nicht erreichbar.
    .why = Zu seinem Netz führen noch keine Relays.
    .next = Wählen Sie eine Relay-Liste, der Sie vertrauen.
file_missing =
    .what = { $name } war nicht zu finden und wurde deshalb nicht geteilt.
    .why = Vielleicht wurde die Datei verschoben, oder dieses Programm darf sie nicht lesen.
    .next = Wählen Sie sie dort neu aus, wo sie jetzt liegt.
files_missing =
    .what = { $count } Dateien waren nicht zu finden und wurden nicht geteilt.
    .why = Vielleicht wurden sie verschoben, oder dieses Programm darf sie nicht lesen.
    .next = Wählen Sie sie dort neu aus, wo sie jetzt liegen.
entry_elsewhere =
    .what = { $name } ist keine Datei auf diesem Computer und wurde nicht geteilt.
    .why = Es ist ein Link, oder es liegt an einem Ort, von dem dieses Programm nicht lesen kann.
    .next = Speichern Sie es zuerst in einem Ordner, und ziehen Sie es von dort hierher.
entries_elsewhere =
    .what = { $count } Einträge sind keine Dateien auf diesem Computer und wurden nicht geteilt.
    .why = Es sind Links, oder sie liegen an Orten, von denen dieses Programm nicht lesen kann.
    .next = Speichern Sie sie zuerst in einem Ordner, und ziehen Sie sie von dort hierher.

## Who saw what

role_guard = Erstes Relay
role_middle = Mittleres Relay
role_last = Letztes Relay
role_server = Dateiserver
asked_delete = Datei gelöscht
asked_download = Datei abgeholt
asked_extend = Um längere Aufbewahrung gebeten
asked_file_info = Nach der Datei gefragt
asked_receipt = Dem Absender gemeldet
asked_relay_list = Relay-Liste abgerufen
asked_server_info = Gefragt, was der Server annimmt
asked_status = Nach den Downloads gefragt
asked_upload = Datei hinterlegt
asked_again = { $what }, Versuch { $number }
answered = Beantwortet
answered_with = Mit { $code } beantwortet
no_answer = Keine Antwort: { $why }
note_direct = Ohne Relays: Der Dateiserver sah Ihre Adresse.
note_same_bytes_back = Die Antwort sah auf jeder Teilstrecke gleich aus: Diese Relays versiegeln nicht, was sie zurücksenden.
relaxed_guard_is_last = Das letzte Relay war in den letzten zehn Tagen Ihr erstes: Die Liste hat zu wenige Relays.
relaxed_guard_is_middle = Das mittlere Relay war in den letzten zehn Tagen Ihr erstes: Die Liste hat zu wenige Relays.
relaxed_guard_is_new = Das erste Relay ist neu in Ihrer Auswahl aus dieser Liste: Die Liste hat kein anderes.
relaxed_guard_returned = Ein abgelöstes erstes Relay ist wieder da: Die Liste hat kein anderes.
relaxed_guard_stood_elsewhere = Das erste Relay stand in den letzten zehn Tagen an anderer Stelle Ihrer Pfade: Die Liste hat zu wenige Relays.
relaxed_kept_back = Ein als späteres erstes Relay zurückgehaltenes Relay wurde an anderer Stelle genutzt: Die Liste hat zu wenige Relays.
relaxed_same_network = Relays dieses Pfads liegen im selben Netz: Die Liste ist zu klein.
relaxed_same_operator = Relays dieses Pfads haben denselben Betreiber: Die Liste ist zu klein.
relaxed_set_aside = Ein zuvor ausgefallenes Relay wurde genutzt: Die Liste hat kein anderes.
fact_client_address = Ihre IP-Adresse
fact_content = Name, Art, genaue Größe, Inhalt
fact_file_id = welche Datei
fact_next = nächstes Relay: { $name }
fact_before = voriges Relay: { $name }
fact_server = Server { $name }
fact_up = { $bytes } hin
fact_back = { $bytes } zurück
fact_when = wann: { $time }

## Keys on a transfer

row_key_arrows = Zur Übertragung darüber oder darunter
row_key_enter = Abholcode kopieren, Datei öffnen oder noch einmal versuchen
row_key_delete = Abbrechen oder aus der Liste entfernen
row_key_menu = Alles andere, was möglich ist
row_key_tab = Zu den Schaltflächen der Übertragung

## Errors: the person's own files and settings

was_cancelled =
    .what = Abgebrochen.
    .why = Sie haben den Vorgang angehalten.
    .next = Starten Sie ihn neu, wann immer Sie möchten.
built_in_busy =
    .what = Das eingebaute Netz ist nicht gestartet.
    .why = { $why }
    .next = Schließen Sie andere Fenster von Cloakroom, und versuchen Sie es noch einmal.
built_in_no_locks =
    .what = Das eingebaute Netz ist nicht gestartet.
    .why = { $why }
    .next = Wählen Sie in den Einstellungen einen Dateiserver, oder setzen Sie CLOAKROOM_HOME auf einen Ordner auf einem Datenträger dieses Computers.
built_in_fails =
    .what = Das eingebaute Netz ist nicht gestartet.
    .why = { $why }
    .next = Prüfen Sie, ob sich in den Datenordner schreiben lässt, und versuchen Sie es noch einmal; oder wählen Sie in den Einstellungen einen Dateiserver.
folder_of_another =
    .what = Der Ordner { $folder } gehört einem anderen Benutzer.
    .why = Wem dieser Ordner gehört, der könnte Ihre Abholcodes lesen und Ihre Relays bestimmen.
    .next = Starten Sie Cloakroom als der Benutzer, dem er gehört, ohne sudo, oder setzen Sie CLOAKROOM_HOME auf einen eigenen Ordner.
folder_open_to_others =
    .what = Andere Benutzer können den Inhalt des Ordners { $folder } ändern.
    .why = Sie könnten Ihre Abholcodes lesen und Ihre Relays bestimmen.
    .next = Prüfen Sie, ob nichts Fremdes darin liegt, und führen Sie aus: chmod go-w "{ $folder }". Oder setzen Sie CLOAKROOM_HOME auf einen eigenen Ordner.
settings_not_kept =
    .what = Die Einstellungen konnten nicht gespeichert werden.
    .why = { $why }
    .next = { $next }
no_home =
    .what = Cloakroom hat keinen Ordner für seine Einstellungen.
    .why = Dieses Benutzerkonto hat keinen persönlichen Ordner.
    .next = Setzen Sie CLOAKROOM_HOME auf einen eigenen Ordner.
settings_not_read =
    .what = Ihre Einstellungen sind nicht lesbar; deshalb wird nichts gesendet.
    .why = { $why } Sie stehen in { $file }.
    .next = { $next }
relay_memory_not_read =
    .what = Ihre ersten Relays sind nicht bekannt; deshalb wird nichts über Relays gesendet.
    .why = { $why } Sie stehen in { $file }.
    .next = Beheben Sie das, oder verschieben Sie die Datei: Dann werden neue erste Relays gewählt, und diese sehen Ihre Adresse.
built_in_key_fails =
    .what = Das eingebaute Netz ist nicht gestartet.
    .why = { $why }
    .next = Versuchen Sie es dann erneut, oder wählen Sie in den Einstellungen einen Dateiserver.
default_settings_used =
    .what = Jetzt gelten die Standardeinstellungen.
    .why = { $why }
    .next = Wählen Sie Server, Relays und Proxy neu, oder berichtigen Sie die alte Datei.
settings_read_again =
    .what = Ihre Einstellungen sind wieder lesbar und gelten jetzt.
    .why = Ihre Datei wurde inzwischen berichtigt.
    .next = Versuchen Sie erneut, was vorher fehlgeschlagen ist.
own_record_fails =
    .what = Die Aufzeichnungen über Ihre geteilten Dateien sind nicht verwendbar.
    .why = { $why }
    .next = { $next }
not_owner =
    .what = Das kann nur, wer diese Datei geteilt hat.
    .why = Dieser Computer hat keine Aufzeichnung darüber: Sie wurde anderswo, von jemand anderem oder auf einem Server geteilt, der keine Besitzer kennt.
    .next = Tun Sie es auf dem Computer und unter dem Benutzerkonto, von dem aus die Datei geteilt wurde.
file_changed =
    .what = Die Datei wurde nicht geteilt.
    .why = Sie hat sich geändert, während sie gelesen wurde.
    .next = Warten Sie, bis nicht mehr in sie geschrieben wird, und teilen Sie sie dann noch einmal.
file_is_none =
    .what = Das lässt sich nicht teilen.
    .why = Es ist keine gewöhnliche Datei.
    .next = Wählen Sie eine Datei.
file_not_read =
    .what = Die Datei ließ sich nicht lesen.
    .why = { $why }
    .next = { $next }
file_of_wrong_size =
    .what = Die Datei wurde nicht geteilt.
    .why = Laut System hat sie { $said } Bytes, gelesen wurden { $read }.
    .next = Kopieren Sie sie in einen eigenen Ordner, und teilen Sie die Kopie.
file_too_large =
    .what = Die Datei ist zu groß zum Teilen.
    .why = Sie hat { $length } Byte; an diesen Server lassen sich höchstens { $limit } senden.
    .next = Teilen Sie nur einen Teil davon.
names_too_long =
    .what = Der Ordner ist zu groß zum Teilen.
    .why = Die Namen seiner Dateien sind zusammen zu lang.
    .next = Teilen Sie einen Teil davon.
nothing_to_share =
    .what = Es gibt nichts zu teilen.
    .why = Es wurde nichts gewählt, oder der Ordner enthält keine Datei, die sich teilen lässt.
    .next = Wählen Sie eine Datei oder einen Ordner mit Dateien.
one_of_several =
    .what = Ihre Auswahl wurde nicht geteilt.
    .why = Es geht um { $path }. { $why }
    .next = { $next }
too_many_entries =
    .what = Der Ordner ist zu groß zum Teilen.
    .why = Er enthält mehr als { $limit } Dateien und leere Ordner.
    .next = Teilen Sie einen Teil davon, oder packen Sie ihn in eine Datei.
no_place =
    .what = Dort lässt sich nichts speichern, deshalb wurde nichts abgeholt.
    .why = { $why }
    .next = Wählen Sie einen anderen Ordner.
not_saved =
    .what = Die Datei kam vollständig an, konnte aber nicht gespeichert werden.
    .why = { $why }
    .next = Wählen Sie einen anderen Ordner oder schaffen Sie Platz, und holen Sie sie noch einmal ab.

## Errors: pointers and what they describe

pointer_changed =
    .what = Dieser Abholcode wurde unterwegs verändert.
    .why = Seine Prüfsumme ist falsch: Zeichen wurden ersetzt, gingen verloren oder kamen hinzu.
    .next = Bitten Sie den Absender, ihn noch einmal zu senden, als eine einzige Zeile Text.
pointer_cut_off =
    .what = Dieser Abholcode ist abgeschnitten.
    .why =
        { $missing ->
            [one] Am Ende fehlt noch mindestens 1 Zeichen.
           *[other] Am Ende fehlen noch mindestens { $missing } Zeichen.
        }
    .next = Kopieren Sie ihn noch einmal, bis ganz zum Ende.
pointer_newer =
    .what = Dieser Abholcode stammt von einer neueren Version.
    .why = Er hat Einträge, die diese Version nicht kennt.
    .next = Verwenden Sie eine neuere Version von Cloakroom.
pointer_not_found =
    .what = In diesem Text steht kein Abholcode.
    .why = Ein Abholcode ist ein einziges Wort, das mit cloak1 beginnt.
    .next = Kopieren Sie den ganzen Abholcode, und fügen Sie ihn hier ein.
pointer_text_too_long =
    .what = Dieser Text ist zu lang.
    .why = Abholcodes werden in höchstens 64 KiB Text gesucht.
    .next = Fügen Sie nur den Abholcode ein.
pointer_invalid =
    .what = Dieser Abholcode ist nicht verwendbar.
    .why = Er kam vollständig an, aber seine Angaben ergeben keinen gültigen Abholcode.
    .next = Bitten Sie den Absender, die Datei noch einmal zu teilen.
foreign_built_in =
    .what = Diese Datei lässt sich von hier aus nicht abholen.
    .why = Der Abholcode entstand im eingebauten Netz eines anderen Computers, und dieses Netz verlässt jenen Computer nie.
    .next = Bitten Sie den Absender, einen Dateiserver zu wählen und die Datei noch einmal zu teilen. Läuft jener Server auf diesem Computer, fügen Sie stattdessen seine Relay-Liste hinzu.
needs_newer =
    .what = Diese Version kann nicht abholen, was der Abholcode beschreibt.
    .why = { $why }
    .next = Verwenden Sie eine neuere Version von Cloakroom.
why_newer_words = Es ist durch Wörter geschützt.
other_digest =
    .what = Die abgeholte Datei passt nicht zu ihrem Abholcode. Es wurde nichts gespeichert.
    .why = Der SHA-256-Wert ist ein anderer: Die Datei wurde auf dem Server oder unterwegs verändert.
    .next = Holen Sie sie noch einmal ab; geschieht es wieder, bitten Sie den Absender, sie noch einmal zu teilen.
other_description =
    .what = Die abgeholte Datei passt nicht zu ihrem Abholcode. Es wurde nichts gespeichert.
    .why = Der Abholcode beschreibt eine andere Datei: Name, Art oder Länge weichen von den versiegelten Angaben ab.
    .next = Vertrauen Sie diesem Abholcode nicht; bitten Sie den Absender um einen neuen.
other_key =
    .what = Die abgeholte Datei passt nicht zu ihrem Abholcode. Es wurde nichts gespeichert.
    .why = Der Schlüssel im Abholcode gehört nicht zu dieser Datei.
    .next = Bitten Sie den Absender noch einmal um den Abholcode.
newer_seal =
    .what = Diese Datei wurde von einer neueren Version versiegelt. Es wurde nichts gespeichert.
    .why = Der Dateikopf enthält Einträge, die diese Version nicht kennt.
    .next = Verwenden Sie eine neuere Version von Cloakroom.
broken_seal =
    .what = Die abgeholte Datei passt nicht zu ihrem Abholcode. Es wurde nichts gespeichert.
    .why = Das Siegel ist gebrochen, oder der Inhalt ist keine versiegelte Datei.
    .next = Holen Sie sie noch einmal ab; geschieht es wieder, bitten Sie den Absender, sie noch einmal zu teilen.
other_folder =
    .what = Der geladene Ordner ist ungültig. Nichts wurde gespeichert.
    .why = Seine Liste der Dateien verletzt die Regeln, die andere Dateien auf diesem Computer schützen.
    .next = Trauen Sie diesem Abholcode nicht; bitten Sie den Absender um einen neuen.
other_parts =
    .what = Die geladene Datei passt nicht zu ihrem Abholcode.
    .why = Die Liste ihrer Teile oder einer der Teile ist nicht, was sie sein sollte.
    .next = Trauen Sie diesem Abholcode nicht; bitten Sie den Absender um einen neuen.
broken_part =
    .what = Ein Teil der Datei passt nicht zur Liste der Teile.
    .why = Sein SHA-256 ist ein anderer: Der Teil wurde beim Server oder unterwegs verändert.
    .next = Laden Sie sie noch einmal; geschieht es wieder, bitten Sie den Absender, sie noch einmal zu teilen.
no_such_entry =
    .what = Nichts wurde geladen.
    .why = Unter { $path } ist in dem Ordner nichts.
    .next = Sehen Sie in der Liste nach, was er enthält, und schreiben Sie den Pfad so, wie er dort steht.
unfinished_damaged =
    .what = Diese Übertragung kann nicht weitergehen.
    .why = Die Aufzeichnung, wie weit sie kam, ist beschädigt.
    .next = Verwerfen Sie sie, und beginnen Sie die Übertragung neu.
unfinished_newer =
    .what = Diese Übertragung kann nicht weitergehen.
    .why = Eine neuere Version von Cloakroom hat sie begonnen.
    .next = Nehmen Sie jene Version, oder verwerfen Sie die Übertragung.
unfinished_other_key =
    .what = Diese Übertragung kann nicht weitergehen.
    .why = Der Schlüssel zur Aufzeichnung, wie weit sie kam, ist weg.
    .next = Verwerfen Sie sie, und beginnen Sie die Übertragung neu.
unfinished_unknown =
    .what = Diese unfertige Übertragung gibt es nicht.
    .why = Sie ist fertig oder wurde verworfen.
    .next = Sehen Sie in der Liste der unfertigen Übertragungen nach.
unfinished_under_way =
    .what = Diese Übertragung läuft schon.
    .why = Ein anderes Fenster oder ein anderer Befehl von Cloakroom setzt sie fort.
    .next = Warten Sie, bis sie dort endet.
unfinished_not_read =
    .what = Diese Übertragung kann nicht weitergehen.
    .why = Die Aufzeichnung, wie weit sie kam, kann nicht gelesen werden: { $why }
    .next = { $next }
unfinished_not_written =
    .what = Die Übertragung wurde angehalten.
    .why = Wie weit sie kam, kann nicht aufgezeichnet werden: { $why }
    .next = { $next }
misleading_name =
    .what = Diese Datei ist nicht, was ihr Name sagt.
    .why = Dem Namen nach ist sie { $name }, dem Inhalt nach { $content }.
    .next = Öffnen Sie sie nur, wenn Sie wissen, warum der Absender sie so genannt hat.
an_archive = ein Archiv
a_document = ein Dokument
a_medium = Ton oder Video
a_picture = ein Bild
a_program = ein Programm
a_script = ein Skript
a_text = ein Text
a_web_page = eine Webseite
a_java_program = ein Programm für Java oder Android
a_linux_program = ein Programm für Linux
a_mac_program = ein Programm für macOS
a_shortcut = eine Verknüpfung, die etwas anderes startet
a_windows_program = ein Programm für Windows

## Errors: addresses, proxies and relay lists

no_server_address =
    .what = Das ist keine Adresse eines Dateiservers.
    .why = { $why }
    .next = Fügen Sie sie so ein, wie der Betreiber sie angegeben hat: http://host:port#p= und 64 Buchstaben und Ziffern.
no_proxy_address =
    .what = Das ist keine Adresse eines Proxys.
    .why = { $why }
    .next = Schreiben Sie sie als socks5://host:port; die von Tor ist socks5://127.0.0.1:9050.
no_relay_line =
    .what = Das ist nicht die Zeile einer Relay-Liste.
    .why = { $why }
    .next = Fügen Sie sie so ein, wie der Herausgeber sie angegeben hat: https://host/relays.json#k= und 64 Buchstaben und Ziffern.
proxy_no_socks =
    .what = Der Proxy ließ sich nicht verwenden; es wurde nichts gesendet.
    .why = Was unter { $proxy } antwortet, spricht nicht SOCKS5.
    .next = Berichtigen Sie die Adresse des Proxys, oder verzichten Sie auf ihn.
proxy_refused =
    .what = Der Proxy hat abgelehnt; es wurde nichts gesendet.
    .why = Der Proxy { $proxy } verlangt Benutzername und Passwort, oder er nimmt die angegebenen nicht an.
    .next = Berichtigen Sie beides: socks5://user:password@host:port.
proxy_unreachable =
    .what = Der Proxy war nicht erreichbar; es wurde nichts gesendet.
    .why = Unter { $proxy } antwortet nichts.
    .next = Starten Sie ihn, berichtigen Sie seine Adresse, oder verzichten Sie auf ihn.
no_relays =
    .what = Keines Ihrer Relays bedient diesen Server.
    .why = Es wurde nichts gesendet: Ohne Relays sähe der Server Ihre IP-Adresse.
    .next = Bitten Sie um eine Einladung in das Netz, fügen Sie eine Relay-Liste hinzu, oder verbinden Sie sich ohne Relays, falls der Server Ihre Adresse kennen darf.
relays_offered =
    .what = Keines Ihrer Relays bedient diesen Server, aber der Abholcode nennt eine Relay-Liste.
    .why = Beim Abrufen der Liste sieht { $host } einmal die Adresse dieses Computers; wer sie signiert, bestimmt Ihre Relays.
    .next = Nutzen Sie die Liste für diesen Server, oder fügen Sie eigene Relays hinzu.
relay_file_fails =
    .what = Die Relay-Liste ließ sich nicht lesen.
    .why = { $why }
    .next = { $next }
relay_list_refused =
    .what = Die Relay-Liste wurde nicht übernommen.
    .why = { $why }
    .next = Bitten Sie den Herausgeber um eine neue.
newer_relay_list_refused =
    .what = Die Relay-Liste wurde nicht übernommen.
    .why = { $why }
    .next = Prüfen Sie die Zeile, oder bitten Sie den Unterzeichner um eine neue Liste; eine schon vorhandene gilt weiter.
relay_list_ended =
    .what = Es gibt keine nutzbaren Relays.
    .why = Die Relay-Liste ist abgelaufen, und kein Server hat eine neuere weitergegeben.
    .next = Fügen Sie ihre Zeile noch einmal hinzu, um sie von ihrem Host abzurufen, oder wählen Sie andere Relays.
relay_list_not_fetched =
    .what = Die Relay-Liste ließ sich nicht abrufen.
    .why = Gefragt wurde der Host { $host }. { $why }
    .next = Prüfen Sie das Netz und die Zeile, und versuchen Sie es dann noch einmal.
relay_list_not_here =
    .what = Es gibt keine nutzbaren Relays.
    .why = Die Einstellungen nennen eine Relay-Liste, die auf diesem Computer nie abgerufen wurde.
    .next = Fügen Sie ihre Zeile noch einmal hinzu, um sie von ihrem Host abzurufen.
many_relays_gone =
    .what = In diesem Netzwerk wird nichts gesendet, bis Sie seine neueste Relay-Liste angesehen haben.
    .why = Ihr fehlen { $gone } der { $before } Relays der vorigen Liste. Nach langer Zeit kann das richtig sein; oder jemand anders hat den Server übernommen.
    .next = Fragen Sie, wer das Netzwerk betreibt, und nehmen Sie die Liste dann an.
relay_lists_not_read =
    .what = Ihre Relay-Listen sind nicht lesbar; deshalb wird nichts über deren Relays gesendet.
    .why = { $why } Sie stehen in { $file }.
    .next = Beheben Sie das, oder verschieben Sie die Datei und fügen Sie Ihre Listen neu hinzu.
relay_list_not_stored =
    .what = Die Relay-Liste ließ sich nicht aufbewahren.
    .why = { $why }
    .next = { $next }
service_node_file_wrong =
    .what = Die Datei beschreibt kein Netz von Service-Knoten.
    .why = { $why }
    .next = Bitten Sie darum, dass man Ihnen die ganze Datei noch einmal gibt.
seeds_fail =
    .what = Die Service-Knoten des Netzes ließen sich nicht erfragen.
    .why = Gefragt wurde zuletzt der letzte seiner Startknoten. { $why }
    .next = Prüfen Sie das Netz und versuchen Sie es später noch einmal, oder wählen Sie andere Relays.

## Errors: invitations and networks

invitation_changed =
    .what = Diese Einladung wurde unterwegs verändert.
    .why = Ihre Prüfsumme ist falsch: Zeichen wurden ersetzt, gingen verloren oder kamen hinzu.
    .next = Bitten Sie noch einmal darum, als eine Zeile Text oder als Datei.
invitation_cut_off =
    .what = Diese Einladung ist abgeschnitten.
    .why = Am Ende fehlen mindestens { $missing } Zeichen.
    .next = Kopieren Sie sie noch einmal, bis zum Ende.
invitation_expired =
    .what = Diese Einladung ist abgelaufen.
    .why = Mit ihr tritt niemand mehr bei. Wer beigetreten ist, bleibt Mitglied.
    .next = Bitten Sie um eine neue.
invitation_invalid =
    .what = Diese Einladung kann nicht verwendet werden.
    .why = Ihre Teile passen nicht zusammen.
    .next = Bitten Sie den Betreiber des Netzwerks um eine neue.
invitation_malformed =
    .what = Diese Einladung kann nicht verwendet werden.
    .why = Sie ist vollständig, hat aber nicht die Form einer Einladung.
    .next = Bitten Sie den Betreiber des Netzwerks um eine neue.
invitation_newer =
    .what = Diese Einladung stammt von einer neueren Version.
    .why = Sie hat Einträge, die diese Version nicht kennt.
    .next = Verwenden Sie eine neuere Version von Cloakroom.
invitation_not_found =
    .what = In diesem Text ist keine Einladung.
    .why = Eine Einladung beginnt mit cloakin1.
    .next = Kopieren Sie die ganze Nachricht, oder wählen Sie die Datei.
invitation_text_too_long =
    .what = Dieser Text ist zu lang, um darin eine Einladung zu suchen.
    .why = Er ist länger als 64 KiB.
    .next = Kopieren Sie nur den Teil mit der Einladung.
invite_list_ended =
    .what = Es gibt gerade keine Einladung.
    .why = Die Relay-Liste des Netzwerks ist abgelaufen.
    .next = Teilen oder holen Sie zuerst etwas in diesem Netzwerk: Das bringt die neuere Liste.
invite_none_serves =
    .what = Es gibt noch keine Einladung.
    .why = Kein Relay des Netzwerks bedient seinen Server; eines muss das letzte eines Pfads sein.
    .next = Warten Sie, bis ein solches Relay beigetreten ist.
invite_not_made =
    .what = Es gibt keine Einladung.
    .why = Adresse des Servers und Name sind zusammen zu lang.
    .next = Geben Sie dem Netzwerk einen kürzeren Namen.
invite_too_few =
    .what = Es gibt noch keine Einladung.
    .why = Nur { $relays } von 3 Relays sind bekannt.
    .next = Warten Sie, bis das Netzwerk drei Relays hat, und versuchen Sie es dann noch einmal.
invite_without_path =
    .what = Es gibt noch keine Einladung.
    .why = Keine drei Relays des Netzwerks ergeben einen Pfad: Keines darf Betreiber oder Teil des Internets mit einem anderen teilen.
    .next = Warten Sie, bis andere Relays beigetreten sind.
join_for_relays =
    .what = Sie sind dem Netzwerk nicht beigetreten.
    .why = Diese Einladung ist zum Hinzufügen eines Relays und nennt zu wenige Relays, um das Netzwerk zu nutzen.
    .next = Bitten Sie um eine Einladung für Personen.
join_other_relays =
    .what = Sie sind dem Netzwerk nicht beigetreten.
    .why = Sie nutzen seinen Server schon, als „{ $name }“, über andere Relays.
    .next = Behalten Sie Ihre, oder ersetzen Sie sie, wenn Sie dem vertrauen, der die anderen gewählt hat.
join_private_relays =
    .what = Sie sind dem Netzwerk nicht beigetreten.
    .why = Weniger als drei seiner Relays haben Adressen im Internet.
    .next = Bitten Sie den Betreiber des Netzwerks um eine neue Einladung.
join_without_path =
    .what = Sie sind dem Netzwerk nicht beigetreten.
    .why = Seine Relays ergeben keinen Pfad, der Sie verbirgt. { $why }
    .next = Bitten Sie um eine Einladung mit anderen Relays, oder lassen Sie die Regeln für dieses Netzwerk nachgeben.
join_wrong_access_word =
    .what = Sie sind dem Netzwerk nicht beigetreten.
    .why = Sein Server hat das Zugangswort der Einladung abgelehnt.
    .next = Bitten Sie um eine neue Einladung.
no_invitation =
    .what = Es gibt keine Einladung.
    .why = Die Relays dieses Servers stammen aus einer Datei oder aus dem Netzwerk von Session; niemand sonst könnte die Liste prüfen.
    .next = Verwenden Sie eine Relay-Liste mit Adresse, oder treten Sie einem Netzwerk bei, das seine Liste selbst führt.

## Errors: what the server says

access_word_wanted =
    .what = Die Datei wurde nicht hinterlegt.
    .why = Der Server nimmt Dateien nur von denen an, die sein Zugangswort kennen.
    .next = Fragen Sie den Betreiber nach dem Wort, und geben Sie es ein.
access_word_wrong =
    .what = Die Datei wurde nicht hinterlegt.
    .why = Das Zugangswort ist nicht das, nach dem der Server fragt.
    .next = Prüfen Sie das Wort, und fragen Sie den Betreiber des Servers, ob es geändert wurde.
server_asks_differently =
    .what = Die Datei wurde nicht gesendet.
    .why = Der Server verlangte einmal dies und beim nächsten Mal etwas anderes. Ein Server, der von jedem etwas anderes verlangt, könnte Menschen auseinanderhalten.
    .next = Hat sein Betreiber gerade die Einstellungen geändert, versuchen Sie es noch einmal; bleibt es so, wählen Sie einen anderen Server.
server_full =
    .what = Die Datei wurde nicht hinterlegt.
    .why = Der Server ist voll.
    .next = Versuchen Sie es später noch einmal, oder wählen Sie einen anderen Server.
server_too_full =
    .what = Nichts wurde gesendet.
    .why = Beim Server braucht es { $needed }, und er hat noch { $free } frei.
    .next = Wählen Sie einen anderen Server, oder teilen Sie nur einen Teil davon.
server_without_owners =
    .what = Auf diesem Server lassen sich Dateien nicht verwalten.
    .why = Er weiß nicht, wer eine Datei geteilt hat; er vergisst jede, wenn ihre Zeit um ist.
    .next = Teilen Sie das nächste Mal über einen Cloakroom-Server.
file_not_extendable =
    .what = Dieser Server bewahrt diese Datei nicht länger auf.
    .why = Er gibt solchen Dateien eine feste Frist, die niemand ändern kann.
    .next = Wird sie länger gebraucht, teilen Sie sie vor Ablauf der Frist noch einmal.
server_without_receipts =
    .what = Die Datei wurde nicht geteilt.
    .why = Dieser Server kann Downloads weder zählen noch begrenzen.
    .next = Teilen Sie ohne Zählung und Begrenzung, oder wählen Sie einen anderen Server.
file_not_there =
    .what = Der Server hat diese Datei nicht.
    .why = Vielleicht ist sie abgelaufen, wurde gelöscht oder hat ihre Zahl von Downloads erreicht.
    .next = Bitten Sie den Absender, sie noch einmal zu teilen.
server_nonsense =
    .what = Die Antwort des Servers passt nicht zur Anfrage.
    .why = Er hat andere Bytes bestätigt, als gesendet wurden, oder etwas Unlesbares geschickt.
    .next = Versuchen Sie es noch einmal; bleibt es dabei, wählen Sie einen anderen Server.
server_busy =
    .what = Der Server ist überlastet oder gestört.
    .why = Er hat jedes Mal mit { $code } geantwortet.
    .next = Versuchen Sie es später noch einmal.
server_refused =
    .what = Der Server hat abgelehnt.
    .why = Er hat mit { $code } geantwortet.
    .next = Wählen Sie einen anderen Server, oder fragen Sie den Betreiber.
file_still_there =
    .what = Der Server löscht nicht, was er zu löschen behauptet.
    .why = Die Testdatei wurde noch herausgegeben, nachdem der Server ihre Löschung bestätigt hatte.
    .next = Sagen Sie es dem Betreiber des Servers, oder wählen Sie einen anderen Server.
too_large_for_server =
    .what = Die Datei ist zu groß für diesen Server.
    .why = Er hat nicht angegeben, wie viel er annimmt.
    .next = Wählen Sie einen anderen Server oder eine kleinere Datei.
too_large_for_server_of =
    .what = Die Datei ist zu groß für diesen Server.
    .why = Er nimmt höchstens { $limit } Byte an, nach dem Auffüllen gezählt.
    .next = Wählen Sie einen anderen Server oder eine kleinere Datei.
time_refused =
    .what = Für diese Dauer bewahrt der Server keine Dateien auf.
    .why = Er bewahrt sie 1 bis { $hours } Stunden auf.
    .next = Wählen Sie eine Dauer innerhalb dieser Grenzen.
time_maybe_refused =
    .what = Der Server hat abgelehnt.
    .why = Er hat mit 400 geantwortet und nennt keinen Grund. Vielleicht bewahrt er Dateien nicht { $time } lang auf.
    .next = Wählen Sie eine kürzere Dauer oder die übliche des Servers.
unknown_work =
    .what = Die Datei wurde nicht hinterlegt.
    .why = Der Server verlangt eine Art von Rechenarbeit, die diese Version nicht kennt: Er hat eine andere Version, etwa 0.1.
    .next = Bitten Sie seinen Betreiber, ihn zu aktualisieren, aktualisieren Sie Cloakroom oder wählen Sie einen anderen Server.
work_refused =
    .what = Die Datei wurde nicht hinterlegt.
    .why = Der Server hat die Rechenarbeit nicht anerkannt, die er verlangt hatte.
    .next = Versuchen Sie es noch einmal; bleibt es dabei, wählen Sie einen anderen Server.

## Errors: on the way. `tried` stands inside sentences as { $tried }.

tried =
    { $count ->
        [one] einmal
       *[other] { $count }-mal
    }
network_blocks =
    .what = Das Netz hier blockiert die Relays.
    .why = Keines Ihrer ersten Relays hat geantwortet, auch keines der drei, die binnen eines Tages ersatzweise versucht werden dürfen.
    .next = Prüfen Sie, ob dieser Computer online ist, oder versuchen Sie es aus einem anderen Netz.
connection_broke =
    .what = Die Verbindung brach ab, bevor die Übertragung fertig war.
    .why = Es wurde { $tried } versucht.
    .next = Prüfen Sie das Netz, und versuchen Sie es noch einmal.
request_not_built =
    .what = Die Anfrage ließ sich nicht aufbauen.
    .why = Name oder Schlüssel des Servers passen nicht in eine Onion-Anfrage.
    .next = Wählen Sie einen anderen Server.
direct_unreachable =
    .what = Der Dateiserver war nicht zu erreichen.
    .why = Es wurde { $tried } versucht: Der Server ist aus, sein Name führt nirgendwohin, oder das Netz hier sperrt ihn.
    .next = Prüfen Sie das Netz und die Adresse des Servers, und versuchen Sie es erneut.
direct_foreign_answer =
    .what = Etwas anderes hat anstelle des Dateiservers geantwortet.
    .why = Die Antwort war nicht vom Server versiegelt; es wurde { $tried } versucht. Netze in Hotels und Zügen antworten mit einer Anmeldeseite.
    .next = Melden Sie sich im Browser im Netz an, und versuchen Sie es erneut.
first_unreachable =
    .what = Das erste Relay war nicht erreichbar.
    .why = Es wurde { $tried } versucht: Das Relay ist aus, hat einen anderen Schlüssel, als seine Liste nennt, oder das Netz hier blockiert es.
    .next = Prüfen Sie das Netz und die Relay-Liste, und versuchen Sie es dann noch einmal.
answer_malformed =
    .what = Die Antwort des Servers ist nicht lesbar.
    .why = Vielleicht ist er gar kein Dateiserver oder ein neuerer.
    .next = Prüfen Sie die Adresse des Servers.
answer_plain =
    .what = Vom Server kam keine Antwort zurück.
    .why = Jemand auf dem Pfad hat { $tried } mit { $status } geantwortet; für diese Antwort bürgt niemand.
    .next = Versuchen Sie es später noch einmal, oder verwenden Sie eine andere Relay-Liste.
relay_failed =
    .what = Ein Relay auf dem Pfad hat versagt.
    .why = Es hat mit { $status } geantwortet; es wurde { $tried } versucht, wo möglich über andere Relays.
    .next = Versuchen Sie es später noch einmal, oder verwenden Sie eine andere Relay-Liste.
relay_unreachable =
    .what = Ein Relay auf dem Pfad war nicht erreichbar.
    .why = Das meldete das Relay davor; es wurde { $tried } versucht.
    .next = Versuchen Sie es später noch einmal, oder verwenden Sie eine andere Relay-Liste.
server_plain =
    .what = Statt des Dateiservers hat etwas anderes geantwortet.
    .why = Es hat mit { $status } geantwortet, ohne die Anfrage zu öffnen; es wurde { $tried } versucht.
    .next = Versuchen Sie es später noch einmal, oder fragen Sie den Betreiber des Servers.
server_not_served =
    .what = Das letzte Relay bedient diesen Server nicht.
    .why = Sein Betreiber erlaubt andere Server oder gar keinen.
    .next = Verwenden Sie eine Relay-Liste, deren Relays diesen Server bedienen.
server_unreachable =
    .what = Der Dateiserver war nicht erreichbar.
    .why = Das meldete das letzte Relay; es wurde { $tried } versucht.
    .next = Versuchen Sie es später noch einmal, oder fragen Sie den Betreiber des Servers.
server_wrong_key =
    .what = Der Dateiserver hat nicht den Schlüssel aus seiner Adresse.
    .why = Die Adresse ist falsch, sein Schlüssel wurde geändert, oder etwas anderes antwortet an seiner Stelle.
    .next = Fragen Sie den Betreiber nach der Adresse.
answer_tampered =
    .what = Eine Antwort wurde unterwegs verändert und deshalb verworfen.
    .why = Ein Relay auf dem Pfad ist defekt oder bösartig; es wurde { $tried } versucht.
    .next = Versuchen Sie es noch einmal; bleibt es dabei, verwenden Sie eine andere Relay-Liste.
timed_out =
    .what = Die Übertragung dauerte zu lange und wurde beendet.
    .why = Zu lange kam keine Antwort; es wurde { $tried } versucht. Der Server hängt vielleicht, oder der Weg zu ihm ist langsam.
    .next = Versuchen Sie es später noch einmal. Wenn andere Server funktionieren, fragen Sie den Betreiber dieses Servers.
no_path_guard =
    .what = Es gibt keinen Pfad zu diesem Server.
    .why = Für die erste Stelle blieb kein Relay übrig: { $reasons }.
    .next = Verwenden Sie eine Relay-Liste mit mehr Relays, von denen mindestens eines diesen Server bedient; oder erlauben Sie für diese kurze Liste schwächere Pfade.
no_path_middle =
    .what = Es gibt keinen Pfad zu diesem Server.
    .why = Für die mittlere Stelle blieb kein Relay übrig: { $reasons }.
    .next = Verwenden Sie eine Relay-Liste mit mehr Relays, von denen mindestens eines diesen Server bedient; oder erlauben Sie für diese kurze Liste schwächere Pfade.
no_path_last =
    .what = Es gibt keinen Pfad zu diesem Server.
    .why = Für die letzte Stelle blieb kein Relay übrig: { $reasons }.
    .next = Verwenden Sie eine Relay-Liste mit mehr Relays, von denen mindestens eines diesen Server bedient; oder erlauben Sie für diese kurze Liste schwächere Pfade.
rejected_not_serving = { $count } nicht für diesen Server
rejected_on_this_path = { $count } schon auf dem Pfad
rejected_is_guard = { $count } jetzt oder kürzlich als erstes Relay genutzt
rejected_dropped = { $count } als erstes Relay abgelöst
rejected_kept_back = { $count } als späteres erstes Relay zurückgehalten
rejected_not_a_guard = { $count } nicht als erstes Relay gewählt
rejected_same_network = { $count } im Netz eines anderen
rejected_same_operator = { $count } vom Betreiber eines anderen
rejected_set_aside = { $count } nach Ausfällen ausgesetzt
rejected_stood_elsewhere = { $count } kürzlich in der Mitte oder am Ende
rejected_too_many_new = { $count } nicht gefragt, da heute schon drei neue erste Relays gefragt wurden
rejected_too_new = { $count } zu neu als erstes Relay
rejected_failed = { $count } gerade eben ausgefallen

## Errors: the reason under another error, each a whole sentence

why_built_in_busy = Ein anderer Prozess belegt das eingebaute Netz und antwortet nicht.
why_built_in_no_locks = Der Datenträger seines Ordners kennt keine Sperren; zwei Fenster könnten es zugleich betreiben und beschädigen.
why_built_in_folder = Der Ordner des eingebauten Netzes ist nicht verwendbar.
why_settings_invalid = Die Einstellungen sind nicht verständlich: { $reason }.
why_settings_line_invalid = Zeile { $line } der Einstellungen ist nicht verständlich: { $reason }.
why_settings_misplaced = Zeile { $line } der Einstellungen: „{ $key }“ hat an dieser Stelle keine Wirkung.
why_settings_misspelled = Zeile { $line } der Einstellungen: Eine Einstellung namens „{ $key }“ gibt es nicht; gemeint war wohl „{ $meant }“.
why_settings_newer = Die Einstellungen wurden von einer neueren Version geschrieben.
why_no_home = Es gibt keinen Benutzerordner.
why_settings_unreadable = Die Einstellungen lassen sich nicht lesen.
why_settings_unwritable = Die Einstellungen lassen sich nicht schreiben.
why_record_damaged = Die Aufzeichnung Ihrer geteilten Dateien ist beschädigt.
why_record_newer = Die Aufzeichnungen über Ihre geteilten Dateien wurden von einer neueren Version geschrieben.
why_record_unreadable = Die Aufzeichnungen über Ihre geteilten Dateien lassen sich nicht lesen.
why_record_unwritable = Die Aufzeichnungen über Ihre geteilten Dateien lassen sich nicht schreiben.
why_relays_damaged = Die Aufzeichnungen über Ihre Relays sind beschädigt.
why_relays_newer = Die Aufzeichnungen über Ihre Relays wurden von einer neueren Version geschrieben.
why_relays_unreadable = Die Aufzeichnungen über Ihre Relays lassen sich nicht lesen.
why_fetch_broken = Die Verbindung brach ab.
why_fetch_cancelled = Es wurde abgebrochen.
why_fetch_redirected = Er verweist auf eine andere Adresse, und dem wird nicht gefolgt.
why_fetch_status = Er hat mit { $status } geantwortet.
why_fetch_timed_out = Es dauerte zu lange.
why_fetch_too_large = Seine Antwort ist zu groß.
why_fetch_unreachable = Er ist nicht erreichbar oder weist nicht nach, dass er der richtige ist.
why_nodes_malformed = Seine Antwort ist nicht lesbar.
why_nodes_too_few =
    { $count ->
        [one] Er nannte 1 nutzbaren Knoten; ein Pfad braucht drei.
       *[other] Er nannte { $count } nutzbare Knoten; ein Pfad braucht drei.
    }
why_list_backwards = Die Liste läuft ab, bevor sie ausgestellt ist.
why_list_duplicate = Zwei Einträge haben denselben Schlüssel.
why_list_entry = Eintrag { $index } ist kein Relay: { $what }.
why_list_expired = Die Liste ist abgelaufen.
why_list_malformed = Das ist keine Relay-Liste: { $what }.
why_list_newer = Die Liste stammt von einer neueren Version.
why_list_not_yet = Die Liste ist auf die Zukunft datiert, oder die Uhr dieses Computers geht falsch.
why_list_older = Die Liste ist älter als die vorhandene.
why_list_same_date = Die Liste ist eine andere als die vorhandene, obwohl beide dasselbe Datum tragen; wer sie macht, muss sie neu datieren.
why_list_too_few =
    { $count ->
        [0] Die Liste hat keine Relays; ein Pfad braucht drei.
        [one] Die Liste hat 1 Relay; ein Pfad braucht drei.
       *[other] Die Liste hat { $count } Relays; ein Pfad braucht drei.
    }
why_list_too_large = Die Liste ist zu groß, als dass Dateiserver sie weitergeben könnten.
why_list_too_long = Die Liste ist größer, als eine Liste sein kann.
why_list_unsigned = Die Liste ist nicht signiert.
why_list_wrongly_signed = Die Liste ist nicht mit dem Schlüssel signiert, mit dem sie hinzugefügt wurde.
why_proxy_behind = Hinter dem Port darf nichts stehen.
why_proxy_host = Der Host fehlt.
why_proxy_login = Benutzername und Passwort müssen je 1 bis 255 Byte lang sein.
why_proxy_port = Der Port fehlt; Tor lauscht auf Port 9050.
why_proxy_scheme = Nur SOCKS5-Proxys sind verwendbar.
why_save_altered = Was schon da war, wurde inzwischen geändert oder gelöscht.
why_save_create = In dem Ordner lässt sich keine Datei anlegen.
why_save_folder = Der Ordner ist nicht verwendbar.
why_save_names = Alle ähnlichen Namen sind vergeben.
why_save_no_room = Es braucht { $needed }, frei sind { $free }.
why_save_no_regular_file = Unter diesem Namen gibt es eine Pipe, ein Gerät oder einen Socket.
why_save_rename = Die Datei kann ihren Namen nicht bekommen.
why_save_too_long = Eine Datei von { $size } ist zu groß für das Dateisystem dieses Datenträgers, wie für FAT32 ab 4 GB.
why_save_write = Die Datei lässt sich nicht schreiben.
why_url_host = Host oder Port sind nicht verwendbar.
why_url_id = Eine Dateikennung besteht aus 1 bis 64 Buchstaben, Ziffern, Unterstrichen und Bindestrichen.
why_url_key = Ein Schlüssel hat 64 Zeichen, 0 bis 9 und a bis f. Dieser hat sie nicht oder ist unbrauchbar: Kopieren Sie die ganze Zeile.
why_url_no_file = Die URL muss genau eine Datei nennen, und dahinter darf nichts stehen.
why_url_no_list_key = Der Schlüssel der Liste (#k=…) fehlt.
why_url_no_server_key = Der Schlüssel des Servers (#p=…) fehlt.
why_url_none = Das ist keine URL.
why_url_not_canonical = Die URL steht nicht in ihrer einzigen gültigen Schreibweise.
why_url_path = Pfad, Abfrage oder Fragment gehören nicht in diese URL.
why_url_scheme = Die URL muss mit http:// oder https:// beginnen.
why_url_user = Die URL enthält einen Benutzernamen oder ein Passwort.
why_line_too_long = Die Zeile ist länger, als eine solche Zeile sein kann.
next_newer = Nutzen Sie die neuere Version von Cloakroom, die sie geschrieben hat.
next_settings_invalid = Berichtigen Sie das und starten Sie neu, oder machen Sie mit den Standardeinstellungen weiter: Die alte Datei bleibt erhalten.
next_record_damaged = Legen Sie eine Sicherung von owned.json an ihre Stelle, oder verschieben Sie die Datei: Früher Geteiltes lässt sich dann von hier nicht mehr löschen.
next_not_found = Prüfen Sie den Namen und ob der Datenträger angeschlossen ist.
next_permission_denied = Geben Sie sich die Berechtigung, oder wählen Sie einen anderen Ort.
next_storage_full = Schaffen Sie Platz auf dem Datenträger.
next_read_only = Wählen Sie einen Ort, an den geschrieben werden kann.
next_too_many_files = Schließen Sie einige Fenster oder Programme, und versuchen Sie es erneut.
next_other = Versuchen Sie es erneut. Geschieht es wieder, prüfen Sie den Datenträger und seine Verbindung.
io_already_exists = Etwas mit diesem Namen gibt es schon.
io_not_a_folder = Ein Teil des Pfads ist kein Ordner.
io_not_found = Diese Datei oder diesen Ordner gibt es nicht.
io_other = Das System meldet: { $detail }.
io_permission_denied = Das System erlaubt es nicht.
io_read_only = Der Datenträger lässt sich nur lesen.
io_storage_full = Es ist kein Platz mehr frei.

## Who saw what besides, and lists that are kept

role_proxy = Proxy
role_list_host = Anbieter der Liste
role_seed = Startknoten
asked_list_host = Relay-Liste bei ihrem Anbieter abgerufen
asked_session_nodes = Startknoten nach Service-Knoten gefragt
no_list_came = Es kam keine Liste
proxy_not_usable = Der Proxy war nicht nutzbar
note_direct_by_proxy = Über den Proxy, ohne Relays: Der Proxy sah Ihre Adresse und den Dateiserver.
note_straight = Wer die Liste gibt, wird direkt gefragt, auf keinem Pfad.
fact_host = verbindet mit: { $name }
fact_proxy_address = die Adresse, mit der der Proxy hinausgeht
fact_relay_list = welche Relay-Liste Sie nutzen
fact_transfer = was Sie übertragen und mit welchem Server
list_issued = { $when } herausgegeben
list_asked = { $when } nach einer neueren gefragt
unnamed_list = Eine Liste ohne Namen
other_lists = Weitere Listen auf diesem Computer
list_kept = Aufbewahrt, nicht in Gebrauch.
list_accepted = Aus einem Abholcode, nur für { $servers } genutzt.
short_list = Schwächere Pfade erlauben, wo die Liste zu wenige Relays hat
short_list_about = Relays desselben Betreibers oder Netzes dürfen dann auf einem Pfad stehen, und ein Relay, das Ihr erstes war, in der Mitte oder am Ende, oder umgekehrt. „Wer sah was“ sagt es jedes Mal.
all_tries = Alles zusammen, über { $count } Versuche
in_tries =
    { $count ->
        [one] in 1 Versuch
       *[other] in { $count } Versuchen
    }
links_both = konnte Ihre IP-Adresse und den Server sehen
links_address = konnte Ihre IP-Adresse sehen, nicht den Server
links_address_and_list = konnte Ihre IP-Adresse sehen und welche Relay-Liste Sie nutzen, keine Übertragung
links_list = konnte sehen, welche Relay-Liste Sie nutzen, keine Übertragung
links_neither = konnte weder Ihre IP-Adresse noch den Server sehen
links_server = konnte den Server sehen, nicht Ihre IP-Adresse

## Settings, options and rows besides

access_word = Zugangswort
access_word_about = Nur wenn der Betreiber des Servers Ihnen eines gegeben hat. Es geht mit allem mit, was Sie dort hinterlegen.
access_word_is_kept = Bei diesem Server ist eines hinterlegt; es geht mit jeder Datei mit.
enter_access_word = Wort eingeben
change_access_word = Wort ändern
keep_access_word = Wort behalten
forget_access_word = Zugangswort vergessen von
access_word_kept = Das Zugangswort ist gespeichert.
access_word_forgotten = Das Zugangswort ist vergessen.
access_word_invalid =
    .what = Das ist kein Zugangswort.
    .why = Ein Zugangswort hat 1 bis 64 Buchstaben, Ziffern und Zeichen aus einfachem ASCII.
    .next = Tippen Sie es oder fügen Sie es so ein, wie der Betreiber es Ihnen gegeben hat.
milestone_work = Arbeit
stage_work = Arbeit für den Server, { $done }
undo = Rückgängig
undo_removal = Entferntes zurückholen
undone = Es ist wieder da.
proxy_forgotten = Der Proxy wurde vergessen.
relay_list_forgotten = Die Relay-Liste wurde vergessen.
removed = { $name } wurde entfernt.
removed_rows = { $count } Übertragungen wurden entfernt.
remedy_access_word = Zugangswort eingeben
remedy_default_settings = Standardeinstellungen nutzen
settings_put_aside = Die alte Datei liegt jetzt unter { $path }.
settings_not_saved = Die Datei der neueren Version bleibt, wie sie ist; was Sie wählen, gilt bis zum Beenden.
remedy_folder = Anderen Ordner wählen
remedy_options = Optionen ändern
remedy_paste = Anderen Abholcode einfügen
remedy_newer_list = Neuere Liste ansehen
remedy_relays = Relays wählen
limit_of = Bis { $size } je Datei
asks_work = verlangt Rechenarbeit ({ $bits } Bit)
clocks_differ = Die Uhren dieses Computers und des Servers gehen verschieden: Die Zeit ist die des Servers.
other_time_kept = Der Server bewahrt diese Datei nicht so lange auf, wie Sie gewählt haben.
kept_usual = so lange aufbewahrt, wie der Server es gewöhnlich tut
usual_keep = Wie beim Server üblich
usual_keep_of = Üblich ({ $time })
duration_days =
    { $count ->
        [one] { $count } Tag
       *[other] { $count } Tage
    }
duration_hours =
    { $count ->
        [one] { $count } Stunde
       *[other] { $count } Stunden
    }
count_limit = Begrenzt
count_limit_about = Entfernt nach so vielen Downloads
fewer_downloads = Weniger Downloads
more_downloads = Mehr Downloads
test_deleted = Löschen ({ $delete } ms) geht.
test_without_delete = Dieser Server löscht nicht auf Wunsch.
was_kept_until = aufbewahrt bis { $day }, vorbei
filter_all = Alle
filter_shared = Geteilt
filter_received = Empfangen
show_earlier =
    { $count ->
        [one] { $count } frühere Übertragung zeigen
       *[other] { $count } frühere Übertragungen zeigen
    }
none_of_these = Davon gibt es keine.
use_opened_pointer = Den anderen nehmen
keep_pointer = Diesen behalten
paste_here = Einfügen
pointer_expired =
    .what = Der Server hat diese Datei wahrscheinlich gelöscht.
    .why = Sie sollte bis { $day } aufbewahrt werden, und das ist vorbei.
    .next = Versuchen Sie es, oder bitten Sie um einen neuen Abholcode.
other_server =
    .what = Diese Datei liegt auf einem Server, der nicht zu Ihren gehört.
    .why = Sie liegt auf { $theirs }; Ihre Dateien gehen an { $chosen }.
    .next = Laden Sie sie herunter, wenn Sie das erwartet haben.
advanced = Erweitert
display = Anzeigesystem
renderer = Gezeichnet mit
automatic = Automatisch
at_next_start = Das gilt ab dem nächsten Start des Fensters.
parallel_shares = Dateien, die gleichzeitig geteilt werden
fewer_shares = Weniger Dateien gleichzeitig
more_shares = Mehr Dateien gleichzeitig
diagnostics_about = Was dieses Programm über seine Einstellungen, Ordner, Relays und Server herausfindet: für jemanden, der Ihnen hilft. Schlüssel, Abholcodes und Zugangswörter stehen nicht darin, Ordner und Server schon.
copy_diagnostics = Diagnose kopieren
diagnostics_copied =
    .what = Die Diagnose wurde kopiert.
    .why = Sie nennt Ihre Ordner und Server, aber keine Schlüssel, Abholcodes oder Zugangswörter.
    .next = Lesen Sie sie, bevor Sie sie weitergeben.
server_passed = Der letzte Test dieses Servers ist gelungen.
server_untried = Dieser Server wurde seit dem Öffnen des Fensters nicht getestet.
keep_longer_about = So lange bewahrt der Server die Datei ab jetzt auf, nie kürzer als zuvor.
received_here = Empfangene Dateien stehen dann hier.
dialog_share = Dateien zum Teilen wählen
dialog_folder = Ordner für empfangene Dateien wählen
dialog_relay_list = Relay-Liste wählen
dialog_export = Verlauf speichern
no_dialogs =
    .what = Dieses System hat keinen Dateidialog.
    .why = Weder ein Desktop-Portal noch Zenity ist installiert.
    .next = Installieren Sie xdg-desktop-portal oder Zenity; Dateien lassen sich hier auch ablegen oder einfügen.
file_too_large_here =
    .what = { $name } ist zu groß und wurde nicht geteilt.
    .why = Sie hat { $length } Byte; ein Upload fasst bis zu { $limit }.
    .next = Verkleinern Sie die Datei oder zerlegen Sie sie in Teile.
files_too_large_here =
    .what = { $count } Dateien sind zu groß und wurden nicht geteilt.
    .why = Ein Upload fasst bis zu { $limit } Byte.
    .next = Verkleinern Sie die Dateien oder zerlegen Sie sie in Teile.

## Settings: links

open_links = cloakroom:-Links mit diesem Programm öffnen
open_links_about = Ein Klick auf einen solchen Link füllt nur „Empfangen“; dadurch startet nichts.
links_refused =
    .what = Windows hat nicht angenommen, welches Programm solche Links öffnet.
    .why = Ihr Teil der Registrierung konnte nicht geschrieben werden.
    .next = Versuchen Sie es erneut; Abholcodes lassen sich trotzdem einfügen.

## The chrome, Settings and sheets: places, states, what cannot be dropped

add_this_server = Diesen Server hinzufügen
add_this_list = Diese Relay-Liste hinzufügen
direct_switch_off_about = Eingeschaltet würde dieser Server bei jeder Übertragung die Adresse dieses Computers sehen.
list_host_sees = Mit einer Zeile wird die Liste direkt bei ihrem Host abgerufen, der dabei einmal die Adresse dieses Computers und die Zeit sieht.
list_host_sees_proxy = Mit einer Zeile wird die Liste über den Proxy bei ihrem Host abgerufen: Der Host sieht einmal die Adresse des Proxys und die Zeit.
named_list_host_sees = Die Liste wird direkt bei { $host } abgerufen; dieser Host sieht dabei einmal die Adresse dieses Computers und die Zeit.
named_list_host_sees_proxy = Die Liste wird über den Proxy bei { $host } abgerufen; dieser Host sieht dabei einmal die Adresse des Proxys und die Zeit.
seed_sees = Einer seiner drei Startknoten (seed1, seed2 und seed3.getsession.org) sieht die Adresse dieses Computers und die Zeit, höchstens einmal am Tag.
seed_sees_proxy = Einer seiner drei Startknoten (seed1, seed2 und seed3.getsession.org) sieht die Adresse des Proxys und die Zeit, höchstens einmal am Tag.
other_seed_sees = Einer seiner Startknoten ({ $hosts }) sieht die Adresse dieses Computers und die Zeit, höchstens einmal am Tag.
other_seed_sees_proxy = Einer seiner Startknoten ({ $hosts }) sieht die Adresse des Proxys und die Zeit, höchstens einmal am Tag.
list_over_http = Die Adresse beginnt mit http: Die Signatur schützt die Liste, aber das Netz hier kann sehen, welche Liste abgerufen wird.
server_is_added = { $name } wurde hinzugefügt und wird genutzt.
list_is_used = { $name } wird genutzt.
proxy_is_used = Der Proxy { $name } wird genutzt.
hover_list = Loslassen, um { $name } als Relay-Liste zu nutzen
hover_network = Loslassen, um das Netzwerk in { $name } anzusehen
hover_pointer = Loslassen, um den Abholcode in { $name } zu nutzen
use_known_list = Diese Relay-Liste nutzen
use_known_network = Dieses Netzwerk ansehen
receive_known_file = Diese Datei empfangen
share_known_file = Als Datei teilen
relay_list_dropped =
    .what = { $name } ist eine Relay-Liste.
    .why = Ihre Dateien können über ihre Relays gehen, oder Sie teilen die Liste mit jemandem.
    .next = Wählen Sie, was Sie damit tun möchten.
network_file_dropped =
    .what = { $name } beschreibt ein Netzwerk.
    .why = Sie können diesem Netzwerk beitreten, oder Sie teilen die Datei mit jemandem.
    .next = Wählen Sie, was Sie damit tun möchten.
pointer_file_dropped =
    .what = { $name } enthält den Abholcode einer Datei.
    .why = Sie können diese Datei empfangen. Mit wem Sie den Abholcode teilen, der kann es auch.
    .next = Wählen Sie, was Sie damit tun möchten.
list_ends_soon =
    .what = Die Relay-Liste von „{ $name }“ endet am { $day }.
    .why = Noch ist keine neuere gekommen.
    .next = Benutzen Sie das Netz einmal, dabei wird nach einer neueren gefragt, oder bitten Sie den, der die Liste macht, um eine.
list_now_used =
    .what = { $name } wird genutzt.
    .why = Ihre Dateien gehen von jetzt an über die Relays dieser Liste.
    .next = Eine andere Liste können Sie in den Einstellungen wählen.
note_this_computer = Das war das eingebaute Netz: Seine Relays und sein Dateiserver laufen alle auf diesem Computer, und nichts hat ihn verlassen.
if_a_drop_fails = Wenn Hineinziehen nichts bewirkt
drop_promised = Ein Mailprogramm oder Browser verspricht oft nur eine Datei, die noch nicht auf diesem Computer liegt. Speichern Sie sie zuerst in einem Ordner, und ziehen Sie sie von dort hierher oder wählen Sie sie mit Strg+O.
drop_elevated = Windows lässt kein gewöhnliches Programm Dateien in eines ziehen, das als Administrator läuft. Starten Sie Cloakroom ohne Administratorrechte, oder wählen Sie die Dateien aus oder fügen Sie sie ein.
dropped_no_file =
    .what = Nichts wurde geteilt: Was hineingezogen wurde, ist keine Datei auf diesem Computer.
    .why = Mailprogramme und Browser versprechen manchmal eine Datei, die noch nicht hier ist.
    .next = Speichern Sie sie zuerst in einem Ordner, und ziehen Sie sie von dort hierher.
no_dialog_for_list =
    .what = Dieses System hat keinen Dateidialog.
    .why = Weder ein Desktop-Portal noch Zenity ist installiert.
    .next = Tippen oder fügen Sie den Pfad der Liste in das Feld darüber ein, oder ziehen Sie ihre Datei hierher.
no_dialog_for_folder =
    .what = Dieses System hat keinen Dateidialog.
    .why = Weder ein Desktop-Portal noch Zenity ist installiert.
    .next = Installieren Sie xdg-desktop-portal oder Zenity; bis dahin bleibt der Ordner, wie er ist.

## Rows: speed, headings, and what is said as they begin and stop

hours_left = noch { $count } Std.
is_so_far = { $name }: { $done }
is_cancelled = { $name } wurde abgebrochen
kept_time_until = { $time }, bis { $day }
minutes_left = noch { $count } Min.
misleading_badge = Irreführender Name
rows_received = Von Ihnen empfangen
rows_shared = Von Ihnen geteilt
seconds_left = noch { $count } s
speed = { $size }/s
starts_again = { $count } Übertragungen werden wiederholt
starts_receiving = { $name } wird abgeholt
starts_sharing_one = { $name } wird geteilt
starts_sharing_many = { $count } Elemente werden geteilt

## Several things, large things, transfers in parts

as_one = Zusammen
one_each = Einzeln
keep_together = Merken
keep_together_about = In den Einstellungen lässt es sich ändern.
several_things = Mehrere Dateien auf einmal
several_ask = Fragen
several_as_one = Zusammen
several_one_each = Einzeln
choose_folder = Ordner wählen
dialog_share_folder = Ordner zum Teilen wählen
not_begun = Noch nicht begonnen
pause = Anhalten
paused = Angehalten
paused_at = Angehalten, { $done } von { $total } erledigt
interrupted_at = Unterbrochen, { $done } von { $total } erledigt
resume = Fortsetzen
discard = Verwerfen
discard_title = { $name } verwerfen?
discard_share = Was der Server bisher davon hat, wird gelöscht. Danach lässt es sich nicht fortsetzen.
discard_download = Was bisher davon da ist, wird entfernt. Danach lässt es sich nicht fortsetzen.
discarding = Wird verworfen
discarded = Verworfen
some_left = Ein Teil davon ließ sich auf dem Server nicht löschen. Er verschwindet, wenn er abläuft.
is_paused = { $name } ist angehalten
is_discarded = { $name } wurde verworfen
unnamed_folder = Unbenannter Ordner
a_folder = Ordner
show_content = Inhalt zeigen
looking_into = Wird nachgesehen
single_file = Es ist eine einzelne Datei.
entries =
    { $count ->
        [one] Eine Datei oder ein leerer Ordner
       *[other] { $count } Dateien und leere Ordner
    }
entries_wanted = { $wanted } von { $count } gewählt, { $size }
content_of = Inhalt von { $name }
want_all = Alle wählen
want_none = Keine wählen
empty_folder = leerer Ordner
and_more = { $names } und weitere
now_named = { $was } heißt jetzt { $is }
several_came =
    .what = { $count } Dateien oder Ordner kamen zusammen an.
    .why = Zusammen kommen sie in einem Ordner an und haben einen Abholcode. Einzeln hat jede ihren eigenen Abholcode.
    .next = Wählen Sie, wie sie geteilt werden.
large_share =
    .what = Das sind { $size }.
    .why = Es geht in Teilen an { $server }; das kann lange dauern.
    .next = Es lässt sich anhalten und später fortsetzen, auch nach einem Neustart.
large_download =
    .what = Das sind { $size }.
    .why = Es kommt in Teilen von { $server }; das kann lange dauern.
    .next = Es lässt sich anhalten und später fortsetzen, auch nach einem Neustart.
things_left_out =
    .what =
        { $count ->
            [one] Ausgelassen wurde: { $names }.
           *[other] { $count } Dinge wurden ausgelassen: { $names }.
        }
    .why = Verknüpfungen und was sich nicht lesen lässt oder einen Namen hat, der sich nicht senden lässt, werden nicht geteilt.
    .next = Alles andere ist geteilt.
names_changed =
    .what =
        { $count ->
            [one] Ein Name wurde geändert: { $names }.
           *[other] { $count } Namen wurden geändert: { $names }.
        }
    .why = Dieses System kann sie so nicht speichern.
    .next = Der Inhalt ist derselbe.

## Invitations and networks that were joined

join_title = „{ $name }“ beitreten?
join_trust = Wer diese Einladung gemacht hat, hat den Server und die Relays gewählt. Wer sie alle betreibt, kann Ihre Adresse sehen und wann Sie senden oder abholen, nicht aber, was in Ihren Dateien steht.
join_if = Treten Sie bei, wenn Sie dieser Person vertrauen.
join_if_known = Treten Sie bei, wenn Sie dieser Person vertrauen oder wenn die Relays Leuten gehören, die Sie kennen: { $names } (so nennen sie sich selbst).
join_words = Mitglieder, die diese Wörter vergleichen, finden dieselben.
join_own_network = In Ihrem eigenen Netz: Server und Relays sind nicht im Internet.
join_as_member = Diese Einladung ist zum Hinzufügen eines Relays; Sie treten als Mitglied bei.
join_member = Sie sind schon Mitglied, als „{ $name }“. Erneutes Beitreten erneuert die Adresse des Servers, das Zugangswort und die ersten Relays.
join_other = Sie führt zu einem Server, den Sie schon nutzen, als „{ $name }“, über andere Relays.
join_rules = Die Regeln für Pfade erlauben keinen Pfad aus diesen Relays.
join = Beitreten
join_and_receive = Beitreten und empfangen
join_anyway = Beitreten, Regeln nachgeben lassen
not_now = Nicht jetzt
keep_my_relays = Meine behalten
replace_my_relays = Meine ersetzen
joining_title = Beitritt zu „{ $name }“
joining_list = Die Liste des Netzwerks wird abgefragt …
joining_try = Der Server wird ausprobiert: Eine kleine Datei geht hin, kommt zurück und wird gelöscht …
is_invitation = Eine Einladung, „{ $name }“ bei { $host } beizutreten.
is_joined = Sie sind „{ $name }“ beigetreten.
network_saved = „{ $name }“ ist gespeichert.
joined_works = Es funktioniert: Eine kleine Datei ging hin, kam zurück und wurde gelöscht.
joined_receives = Sie können empfangen; Senden geht zurzeit nicht.
joined_silent = Es antwortet zurzeit nicht.
session_title = Session-Netz
session_offer = Ein Dateiserver und Relays, die es schon gibt, betrieben für den Messenger Session.
session_open = Beitreten…
session_ask = Dem Session-Netz beitreten?
session_meaning = Sein Dateiserver und seine Service-Knoten laufen für den Messenger Session, bei Leuten, die niemand nach diesem Programm gefragt hat. Eine Datei bleibt so lange, wie der Server es will, und niemand kann sie löschen; bei großen Dateien kann die Zeit ablaufen. Wer alle drei Knoten eines Pfads betreibt, kann Ihre Adresse sehen und wann Sie senden oder abholen, nicht was in Ihren Dateien steht.
session_tried = Dieses Programm wurde mit Nachbildungen dieses Netzes erprobt, nie mit dem Netz selbst.
session_joining = Beitritt zum Session-Netz
session_asks_seed = Einer seiner Startknoten wird nach den Knoten gefragt…
session_tries = Sein Server wird erprobt: Eine kleine Datei geht hin und kommt zurück…
session_works = Es geht: Eine kleine Datei ging hin und kam zurück.
network_from_file = Aus einer Datei…
other_network = Ein anderes Netz dieser Art
other_network_about = Eine Datei nennt seinen Dateiserver und die Startknoten, die seine Knoten kennen.
other_network_meaning = Seinen Dateiserver, { $host }, und seine Startknoten hat gewählt, wer diese Datei gemacht hat. Seine Service-Knoten sind Computer anderer Leute, die niemand nach diesem Programm gefragt hat. Wer alle drei Knoten eines Pfads betreibt, kann Ihre Adresse sehen und wann Sie senden oder abholen, nicht was in Ihren Dateien steht. Treten Sie bei, wenn Sie dem vertrauen, von dem die Datei ist.
list_host_offer = Die Liste lässt sich auch direkt bei { $host } abrufen; dieser Host sieht dabei einmal die Adresse dieses Computers und die Zeit.
list_host_offer_proxy = Die Liste lässt sich auch über den Proxy bei { $host } abrufen; dieser Host sieht dabei einmal die Adresse des Proxys und die Zeit.
fetch_list_from = Liste bei { $host } abrufen
done = Fertig
to_the_pointer = Weiter zum Abholcode
share_files = Dateien teilen
invite_entry = Einladen …
rename_entry = Umbenennen …
leave_entry = Verlassen …
invite_title = Zu „{ $name }“ einladen
invite_about = Wer diese Einladung bekommt, kann beitreten. Sie gilt 30 Tage; wer beigetreten ist, bleibt Mitglied.
invite_with_word = Mit dem Zugangswort
invite_with_word_about = Wer beitritt, kann dann auch senden. Ohne das Wort geht nur Empfangen, und Senden, sobald es eingegeben ist.
making_invitation = Die Einladung wird gemacht …
copy_invitation = Einladung kopieren
save_invitation = Als Datei speichern …
invitation_saved = Gespeichert als { $name }.
invitation_copied = Einladung kopiert
invitation_masked = Einladung, verborgen, solange ein anderes Fenster vorn ist
invitation_text = Text der Einladung
copy_with_invitation = Mit Einladung kopieren
network_name = Name des Netzwerks hier
rename = Umbenennen
is_renamed = Es heißt jetzt „{ $name }“.
leave_title = „{ $name }“ verlassen?
leave_deletable =
    { $count ->
        [one] Eine Datei, die Sie geteilt haben, liegt noch auf seinem Server. Sie lässt sich dort löschen, bis sie abläuft, auch nachdem Sie das Netzwerk verlassen haben.
       *[other] { $count } Dateien, die Sie geteilt haben, liegen noch auf seinem Server. Sie lassen sich dort löschen, bis sie ablaufen, auch nachdem Sie das Netzwerk verlassen haben.
    }
leave_under_way =
    { $count ->
        [one] Eine Übertragung läuft noch. Vielleicht kann sie nicht weitergehen.
       *[other] { $count } Übertragungen laufen noch. Vielleicht können sie nicht weitergehen.
    }
leave = Verlassen
delete_and_leave = Löschen und verlassen
stay = Bleiben
network_left = Sie haben „{ $name }“ verlassen.
network_relays =
    { $count ->
        [one] 1 eigenes Relay
       *[other] { $count } eigene Relays
    }
network_list_good = Liste gültig bis { $day }
network_list_ended = Seine Relay-Liste ist abgelaufen. Eine neuere wird mit der nächsten Übertragung angefragt.
no_newer_list = Seine Relay-Liste endet bald, und noch ist keine neuere gekommen.
network_no_list = seine Relay-Liste kommt mit der ersten Übertragung
use_new_list = Neue Liste nutzen
use_known_invitation = Diese Einladung ansehen
network_joined =
    .what = Sie sind „{ $name }“ beigetreten.
    .why = Es funktioniert: Eine kleine Datei ging hin, kam zurück und wurde gelöscht.
    .next = Der Abholcode, der mit der Einladung kam, steht unten.
list_waits =
    .what = Eine neuere Relay-Liste wartet auf Sie.
    .why = Ihr fehlen { $gone } der { $before } Relays der jetzigen. Das kann nach langer Zeit richtig sein; oder jemand anderes hat den Server übernommen.
    .next = Fragen Sie den Betreiber des Netzwerks, bevor Sie sie nutzen.
invitation_opened =
    .what = Eine Einladung wurde geöffnet.
    .why = Ein Link oder ein Programm hat sie geöffnet, während hier etwas anderes steht.
    .next = Wählen Sie, was Sie sehen möchten.
invitation_not_saved =
    .what = Die Einladung wurde nicht gespeichert.
    .why = Die Datei konnte dort nicht geschrieben werden.
    .next = Wählen Sie einen anderen Ort.
invitation_file_dropped =
    .what = { $name } enthält eine Einladung zu einem Netzwerk.
    .why = Sie können diesem Netzwerk beitreten. Mit wem Sie die Einladung teilen, der kann es auch.
    .next = Wählen Sie, was Sie damit tun möchten.
