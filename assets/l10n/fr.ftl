# Cloakroom in French, translated from en.ftl.
#
# Ids are those of the tables in src/app/words/texts.rs and src/gui/text/texts.rs. `.what`, `.why` and `.next` are the three
# sentences of a message: what happened, why, what to do next. Share, Receive and Seal are the words for what a person does;
# relay, guard, pointer and file server are terms and keep one translation each.

## The window

share = Partager
receive = Recevoir
settings = Réglages
screen = Écran
drop_here = Déposez des fichiers ou dossiers dans cette fenêtre
choose_or_paste = Choisissez ou collez des fichiers ou dossiers
sealed_here = Chacun est complété par remplissage et scellé sur cet ordinateur avant d’en partir.
choose_files = Choisir des fichiers
drop_more = Déposez ou choisissez-en d’autres
choose_more = En choisir d’autres
built_in = Réseau intégré
built_in_stays = Reste sur cet ordinateur
pointer = Code de retrait
receive_title = Collez le code de retrait que vous avez reçu
receive_empty = Un code de retrait, ou une invitation à un réseau. Vous verrez de quoi il s’agit avant tout téléchargement. Le texte autour ne gêne pas.
download = Télécharger
clear = Effacer
unnamed_file = Fichier sans nom
transfers = Transferts
cancel = Annuler
copy_pointer = Copier le code
copy_local = Copier (valable sur cet ordinateur seulement)
copied = Copié
choose_server = Choisir un serveur
retry = Réessayer
remove = Enlever
more = Plus sur
remove_from_list = Enlever de la liste
show_original = Voir l’original
who_saw_what = Qui a vu quoi
qr = Code QR
pointer_masked = Code de retrait, masqué tant qu’une autre fenêtre est devant
pointer_text = Texte du code de retrait
pointer_copied = Code de retrait copié
open = Ouvrir
show_in_folder = Ouvrir le dossier
verified = Vérifié
waiting = Attend son tour
cancelled = Annulé
interrupted = Interrompu : pas terminé à la fermeture de Cloakroom
failed = Échec
file_servers = Serveurs de fichiers
file_servers_about = Là où vos fichiers sont déposés. Un serveur voit des blocs complétés et scellés, jamais qui les a envoyés.
built_in_about = À l’intérieur de ce programme. Rien ne quitte cet ordinateur.
add_server = Ajouter un serveur
add = Ajouter
test = Tester
testing = Essai d’envoi et de téléchargement…
in_use = Choisi
use_it = Choisir
relays_title = Relais
relays_about = Chaque requête en traverse trois. Ils ne cachent qui vous êtes que s’ils sont tenus par des personnes différentes.
no_relay_list = Relais intégrés
no_relay_list_about = Sur cet ordinateur, pour le réseau intégré seulement.
relays_of = Relais de { $name }
from_its_server = tenus par son serveur
choose_list = Choisir une liste
forget_list = Oublier cette liste
downloads = Téléchargements
downloads_about = Les fichiers reçus sont enregistrés ici ; aucun fichier n’est jamais écrasé.
change = Changer
appearance = Apparence
theme = Thème
system = Système
light = Clair
dark = Sombre
contrast = Contraste
language = Langue
motion = Animations
reduced = Réduites
text_size = Taille
larger = Plus grand
smaller = Plus petit
privacy = Vie privée
about_and_licences = À propos et licences
keys = Raccourcis clavier
normal = Normal
high = Élevé
about = À propos
about_text = Partage privé de fichiers. Sous licence MIT ou Apache-2.0. Non audité.
welcome = Déposez un fichier, prenez un ticket
start = Commencer
keep_running = Continuer
stop_and_quit = Arrêter et quitter
closing_body = Si vous quittez maintenant, tout s’arrête. Les gros fichiers et les dossiers pourront reprendre au prochain démarrage ; du reste, rien d’inachevé ne reste.
dismiss = Masquer
no_display = cloakroom: aucun affichage où ouvrir une fenêtre ; la ligne de commande `cloak` fait la même chose sans affichage.
name_in_pointer = Nom du fichier dans le code
name_in_pointer_about = Quiconque lit le code de retrait voit le nom avant le téléchargement. Le fichier scellé le garde dans tous les cas.
copy_when_done = Copier le code de retrait dès qu’il est prêt
copy_when_done_about = Il remplace le contenu du presse-papiers.
clear_clipboard = Vider le presse-papiers après une minute
clear_clipboard_about = Si le code de retrait s’y trouve encore. Fermer la fenêtre le vide aussi.
mask_pointers = Masquer les codes de retrait tant qu’une autre fenêtre est devant
mask_pointers_about = Des points les remplacent jusqu’à votre retour.

## Options of a share, managing, relays

keep_longer = Prolonger
downloads_so_far = Retraits à ce jour
delete_from_server = Supprimer du serveur
keep_it = Conserver
delete_body = Plus personne ne pourra le récupérer avec ce code de retrait.
copies_stay = Les copies déjà récupérées restent chez ceux qui les ont.
asking_server = Interrogation du serveur
gone = Supprimé du serveur
options = Options
hide_options = Moins d’options
keep_for = Conserver
options_about = Ces options valent pour les prochains fichiers que vous partagerez.
count_downloads = Compter les retraits
count_no = Non
count_yes = Oui
count_about = Ce compte repose sur la courtoisie : un destinataire peut récupérer le fichier sans le dire.
use_senders_list = Accepter cette liste
add_relay_list = Ajouter une liste
proxy = Proxy SOCKS5
proxy_about = Le premier relais voit alors l’adresse du proxy au lieu de celle de cet ordinateur. Pour Tor, ou là où le réseau ne laisse rien sortir d’autre.
use_proxy = Utiliser le proxy
forget_proxy = Ne plus utiliser le proxy
relay_line = Ajouter une liste de relais
relay_line_about = La ligne que son auteur vous a donnée, ou le chemin d’un fichier de cet ordinateur.
list_maker_chooses = Celui qui fait la liste choisit vos relais.
session_network = Nœuds de service de Session
session_about = Des ordinateurs d’autres personnes, exploités pour la messagerie Session. Les gros fichiers peuvent dépasser le délai.
service_nodes = Nœuds de service
service_nodes_about = Des ordinateurs d’autres personnes, en service pour un autre réseau. Les gros fichiers peuvent dépasser le délai.
new_guard = Nouveau premier relais
show_relays = Voir les relais
hide_relays = Masquer les relais
asking_relays = Demande…
list_ended = La liste a expiré, et aucune liste plus récente n’est arrivée.
list_missing = La liste n’a pas encore été téléchargée.
list_problem_many_gone = Une liste est arrivée à laquelle manque plus de la moitié des relais ; elle attend que vous la regardiez.
list_problem_no_answer = Une liste plus récente a été demandée, mais aucune réponse n’est arrivée.
list_problem_no_list = Une liste plus récente a été demandée, mais la réponse n’en contenait pas.
list_problem_other = Une liste plus récente a été demandée et n’est pas arrivée.
list_problem_refused = Une liste est arrivée et a été refusée : elle est plus ancienne, a expiré ou n’est pas signée par son auteur.
list_in_pointer = Indiquer la liste dans les codes
list_in_pointer_about = Les destinataires sans relais peuvent alors l’accepter. Quiconque lit le code de retrait voit quelle liste vous utilisez.
tell_sender = L’expéditeur est prévenu quand vous avez le fichier
tell_sender_about = Il l’a demandé. Il apprend que le fichier a été récupéré, mais pas par qui.
direct_switch = Sans relais
direct_switch_about = Ce serveur voit l’adresse de cet ordinateur à chaque transfert.

## History, opening files, notifications

history_title = Garder un historique
export_history = Exporter avec les clés
wipe_history = Effacer l’historique
notify = Signaler la fin d’un transfert
notify_about = Par une notification du système, quand cette fenêtre est derrière d’autres.
notify_names = Nom du fichier dans la notification
notify_names_about = D’autres peuvent voir l’écran, et le système peut garder la notification.
wipe_title = Effacer l’historique ?
wipe_body = Le fichier de l’historique et sa clé sont supprimés, et les transferts conservés quittent la liste. Les codes de retrait que vous n’avez nulle part ailleurs sont perdus ; vos fichiers restent où ils sont.
keep_history = Conserver
open_program_title = Ce fichier pourrait lancer un programme
open_program_why = Les fichiers de ce type peuvent exécuter ce qu’ils contiennent.
open_anyway = Ouvrir quand même
do_not_open = Ne pas ouvrir

## Sheets: who saw what, QR code, keys, licences

close = Fermer
you = Vous
recipient = Destinataire
sender = Expéditeur
recipient_learns = ouvre le fichier ; ignore votre adresse
sender_learns = a scellé le fichier ; ignore votre adresse
you_know = le fichier, le code de retrait, le chemin
saw = A vu
did_not_see = N’a pas vu
tries = Requêtes et tentatives
shown_about = D’après ce que ce programme a réellement envoyé. Quiconque surveille les deux bouts peut tout de même comparer les heures.
shown_outcome = { $outcome }. { $about }
perhaps_saw = A peut-être vu
saw_nothing = N’a rien vu
ended_before = la tentative s’est arrêtée avant
nothing_sent = Rien n’a été envoyé.
qr_about = Le code de retrait entier, en capitales. Quiconque le photographie peut récupérer et ouvrir le fichier.
qr_masked = Masqué tant qu’une autre fenêtre est devant.
qr_too_long = Ce code de retrait est trop long pour un code QR. Copiez-le plutôt.
shortcuts = Raccourcis clavier
anywhere = Partout
on_a_transfer = Sur un transfert
close_window = Fermer la fenêtre
copy_of_row = Copier le code de retrait d’un transfert
escape = Fermer ce qui est au premier plan, vider le champ
next_region = Aller à la partie suivante de la fenêtre
paste = Coller un code de retrait ou des fichiers
paste_pointer = Coller un code de retrait dans Recevoir
retry_failed = Relancer tout ce qui a échoué
reset_zoom = Taille habituelle
show_keys = Afficher cette liste
licences = Licences
licence_of_program = Cloakroom est sous licence MIT ou Apache-2.0, à votre choix.
fonts = Polices et icônes
fonts_about = Inter, JetBrains Mono et Noto Sans sous SIL Open Font License 1.1, icônes de Lucide sous licence ISC.
crates = Bibliothèques
crates_about = Les crates Rust compilées dans le programme, par licence.
welcome_drop = Déposez un fichier, recevez un code de retrait.
welcome_drop_about = Le fichier est complété par remplissage et scellé sur cet ordinateur avant d’être envoyé.
welcome_pointer = Qui détient ce code obtient le fichier.
welcome_pointer_about = Ne le donnez qu’à la personne à qui le fichier est destiné.
welcome_built_in = Pour l’instant, tout reste sur cet ordinateur.
welcome_built_in_about = Pour envoyer à d’autres, collez une invitation sous Recevoir. Ou ajoutez un serveur de fichiers et des relais dans les Réglages.
no_renderer = cloakroom: le système graphique de cet ordinateur ne peut pas dessiner de fenêtre ({ $error }). Sous Debian et Ubuntu, installez mesa-vulkan-drivers ou libgl1-mesa-dri ; ou utilisez la ligne de commande `cloak`.
no_window = cloakroom: la fenêtre n’a pas pu être ouverte : { $error }. La ligne de commande `cloak` n’en a pas besoin.
no_window_library = cloakroom: la fenêtre n’a pas pu être ouverte : il manque la bibliothèque { $library }. Sous Debian et Ubuntu, installez libegl1, libfontconfig1, libwayland-client0, libx11-6, libx11-xcb1, libxcursor1, libxi6, libxkbcommon-x11-0 et libxrandr2. La ligne de commande `cloak` n’a pas besoin de fenêtre.
closing_title =
    { $count ->
        [one] { $count } transfert est encore en cours
       *[other] { $count } transferts sont encore en cours
    }

## A running transfer: names of its steps under the bar, and what it is doing

milestone_pad = Compléter
milestone_seal = Sceller
milestone_find_path = Chemin
milestone_upload = Envoyer
milestone_stored = Stocké
milestone_download = Télécharger
milestone_verify = Vérifier
milestone_open = Desceller
milestone_save = Enregistrer
stage_pad = Remplissage
stage_seal = Scellement
stage_find_path = Recherche d’un chemin
stage_find_path_slow = Recherche d’un chemin. En attente de la réponse de { $server }
stage_find_relays_slow = Recherche d’un chemin. En attente de la liste de relais
stage_connect_relay = Connexion au premier relais
stage_connect_relay_slow = En attente de la réponse du premier relais
stage_connect_server = Connexion à { $server }
stage_connect_server_slow = En attente de la réponse de { $server }
stage_upload = Envoi, { $done }
stage_upload_slow = Envoi, { $done }. En attente du premier relais
stage_upload_slow_direct = Envoi, { $done }. En attente de { $server }
stage_crossing = Envoyé. En attente de la confirmation de { $server }
stage_crossing_slow = Toujours en attente de la confirmation de { $server }
stage_asked = En attente de la réponse de { $server }
stage_asked_slow = Toujours en attente de la réponse de { $server }
stage_download = Téléchargement, { $done }
stage_download_slow = Téléchargement, { $done }. En attente de { $server }
stage_parts_sent = Envoi, { $done } sur { $total } confirmés
stage_parts_sent_slow = Envoi, { $done } sur { $total } confirmés. En attente de la partie suivante
stage_parts_fetched = Téléchargement, { $done } sur { $total }
stage_parts_fetched_slow = Téléchargement, { $done } sur { $total }. En attente de la partie suivante
stage_waiting =
    { $secs ->
        [one] Rien ne parvient à { $server }. Prochain essai dans une seconde
       *[other] Rien ne parvient à { $server }. Prochain essai dans { $secs } secondes
    }
stage_verify = Vérification
stage_open = Ouverture du sceau
stage_save = Enregistrement

## Rows and cards

kept_until = conservé jusqu’au { $day }
about_file = { $verb } { $name }
progress_of = Progression : { $name }
goes_now = Serveur de fichiers : { $server }
goes_to = Vers { $host } par trois relais
comes_from = depuis { $server }
will_be_saved_in = Sera enregistré dans { $folder }
home_folder = votre dossier personnel
saved_in = enregistré dans { $folder }
is_shared = { $name } attend d’être récupéré
is_received = { $name } est vérifié et enregistré
has_failed = { $name } : { $what }
test_passed = L’envoi ({ $upload } ms) et le téléchargement ({ $download } ms) fonctionnent.
relays =
    { $count ->
        [one] { $count } relais
       *[other] { $count } relais
    }
hover_title = Déposez pour partager
hover_title_one = Déposez pour partager { $name }
hover_title_many = Déposez pour partager { $count } éléments

## Sizes, days, shares of a whole

percent = { $number } %
decimal = { $whole },{ $tenth }
thousands = {"\u202F"}
list_comma = {", "}
newer_list_waits = Une liste de relais plus récente de « { $network } » vous attend. Il y manque { $gone } des { $before } relais utilisés, et ceux qui restent ne leur transmettent peut-être rien.
see_newer_list = Regardez la liste plus récente. Demandez à la personne qui gère le réseau, puis utilisez-la et réessayez.
titled = { $title } : { $text }
two_sentences = { $first } { $second }
size_empty = vide
size_bytes =
    { $count ->
        [one] { $count } octet
       *[other] { $count } octets
    }
size_kilo = { $number } ko
size_mega = { $number } Mo
size_giga = { $number } Go
exact_size = { $number } o
size_sent = { $size }, soit { $sent } à l’envoi
sent_as = { $sent } à l’envoi
date = { $day } { $month } { $year }
day_and_time = { $day } à { $hour }:{ $minute } UTC
month_1 = janv.
month_2 = févr.
month_3 = mars
month_4 = avr.
month_5 = mai
month_6 = juin
month_7 = juil.
month_8 = août
month_9 = sept.
month_10 = oct.
month_11 = nov.
month_12 = déc.
in_minutes =
    { $count ->
        [one] dans { $count } minute
       *[other] dans { $count } minutes
    }
in_hours =
    { $count ->
        [one] dans { $count } heure
       *[other] dans { $count } heures
    }
in_days =
    { $count ->
        [one] dans { $count } jour
       *[other] dans { $count } jours
    }
minutes_ago =
    { $count ->
        [one] il y a { $count } minute
       *[other] il y a { $count } minutes
    }
hours_ago =
    { $count ->
        [one] il y a { $count } heure
       *[other] il y a { $count } heures
    }
days_ago =
    { $count ->
        [one] il y a { $count } jour
       *[other] il y a { $count } jours
    }

## Managing a shared file

delete_title = Supprimer { $name } du serveur ?
managed_deleted = La copie du serveur est supprimée.
managed_gone_already = Le serveur n’avait plus de copie.
managed_deleted_but =
    { $parts ->
        [one] Le fichier ne peut plus être téléchargé. Une de ses parties n’a pas pu être supprimée ; elle disparaît à la date d’expiration du fichier.
       *[other] Le fichier ne peut plus être téléchargé. { $parts } de ses parties n’ont pas pu être supprimées ; elles disparaissent à la date d’expiration du fichier.
    }
managed_extended = Le serveur le conserve jusqu’au { $day }.
managed_not_extended = Le serveur le conserve jusqu’au { $day }, pas plus longtemps qu’avant.
downloads_of =
    { $told ->
        [one] { $told } retrait signalé sur { $allowed }.
       *[other] { $told } retraits signalés sur { $allowed }.
    }
downloads_told =
    { $told ->
        [one] { $told } retrait signalé.
       *[other] { $told } retraits signalés.
    }
downloads_not_counted = Ses retraits ne sont pas comptés.
kept_for = conservé { $time }

## Relays in Settings

list_fetched = téléchargée { $when }
list_ends = expire { $when }
list_has_ended = a expiré { $when }
standing_former_guard = a été votre premier relais, au repos ; de retour { $when }
standing_guard = votre premier relais depuis le { $day }
standing_guard_waiting = l’un de vos premiers relais depuis le { $day }, en attente
standing_kept_back = en réserve comme futur premier relais
standing_not_reached = mis à l’écart, de retour { $when } : un autre relais n’a pas pu le joindre
standing_strikes = mis à l’écart, de retour { $when } : il a échoué trois fois
standing_usable = utilisable
standing_worked = a fonctionné { $when }
new_guard_refused =
    .what = Le premier relais reste en place.
    .why = Il a changé trois fois en 24 heures ; un nouveau sera tiré au sort quand le plus ancien des trois aura un jour.
    .next = Réessayez demain : chaque nouveau premier relais voit lui aussi votre adresse.
new_guard_nobody_left =
    .what = Le premier relais reste en place.
    .why = Tous les autres relais étaient récemment au milieu ou à la fin d’un chemin, ou ont échoué : comme premier relais, l’un d’eux pourrait apprendre à la fois qui vous êtes et quel serveur vous utilisez.
    .next = Utilisez une liste qui a plus de relais, ou réessayez dans quelques jours.

## The history

history_off = Désactivé. Ce qui était conservé reste jusqu’à ce que vous l’effaciez.
history_waiting = En attente du trousseau de clés de ce système.
history_kept = Sur cet ordinateur seulement, scellé par une clé du trousseau de ce système.
history_session = Seulement jusqu’à la fermeture. { $why }
list_session = Cette liste n’est gardée que jusqu’à la fermeture. { $why }
keyring_missing = Ce système n’a pas de trousseau de clés.
keyring_refused = Le trousseau de clés de ce système est verrouillé ou a refusé.
keyring_silent = Le trousseau de clés de ce système n’a pas répondu.
history_file_fails = Son fichier ne peut pas être lu ou écrit. { $why }
history_file_newer = Une version plus récente de Cloakroom a écrit son fichier, qui reste tel quel.
file_is_damaged = il est endommagé
file_is_newer = il a été écrit par une version plus récente
history_damaged =
    .what = L’historique des transferts précédents n’a pas pu être lu.
    .why = Le fichier est inutilisable : { $why }.
    .next = Un nouvel historique est commencé ; l’ancien fichier est ici : { $path }.
history_damaged_left =
    .what = L’historique des transferts précédents n’a pas pu être lu.
    .why = Le fichier est inutilisable : { $why }.
    .next = Il a été laissé tel quel, et rien n’est conservé tant que vous ne l’effacez pas.
history_no_key =
    .what = L’historique des transferts précédents n’a pas pu être lu.
    .why = Sa clé n’est plus dans le trousseau de ce système.
    .next = Un nouvel historique est commencé ; l’ancien fichier est ici : { $path }.
history_no_key_left =
    .what = L’historique des transferts précédents n’a pas pu être lu.
    .why = Sa clé n’est plus dans le trousseau de ce système.
    .next = Il a été laissé tel quel, et rien n’est conservé tant que vous ne l’effacez pas.
history_wiped =
    .what = L’historique a été effacé.
    .why = Son fichier et sa clé n’existent plus.
    .next = Les fichiers reçus et ce que gardent les serveurs n’ont pas changé.
history_key_not_wiped =
    .what = L’historique n’a pas été entièrement effacé.
    .why = Son fichier n’existe plus, mais sa clé est peut-être encore dans le trousseau. { $why }
    .next = Réessayez ; ou supprimez vous-même history.sealed du dossier de données.
history_file_not_wiped =
    .what = L’historique n’a pas été entièrement effacé.
    .why = Son fichier est peut-être encore là. { $why }
    .next = Réessayez ; ou supprimez vous-même history.sealed du dossier de données.
history_exported =
    .what =
        { $count ->
            [one] { $count } transfert a été écrit dans le fichier.
           *[other] { $count } transferts ont été écrits dans le fichier.
        }
    .why = Il contient des clés : quiconque le lit peut récupérer et lire les fichiers que vous avez partagés.
    .next = Gardez-le comme ces fichiers eux-mêmes, et supprimez-le dès qu’il ne vous sert plus.
history_not_exported =
    .what = L’historique n’a pas été exporté.
    .why = Le fichier n’a pas pu être écrit, ou rien n’est conservé.
    .next = Choisissez un autre emplacement.
saved_file_gone =
    .what = Le fichier n’a pas pu être ouvert.
    .why = Il n’est plus là où il a été enregistré, ou ne peut pas être lu.
    .next = Cherchez où il a été déplacé, ou demandez-le à nouveau.
open_program = { $name } : { $why } Ne l’ouvrez que si vous connaissez l’expéditeur et attendiez ce fichier.

## What the desktop says when nobody looks at the window

file_is_shared = Un fichier attend d’être récupéré
has_arrived = { $name } est arrivé
file_has_arrived = Un fichier est arrivé
did_not_arrive = { $name } n’est pas passé
file_did_not_arrive = Un fichier n’est pas passé
notify_shared = Son code de retrait attend dans Cloakroom.
notify_received = Il a été vérifié et enregistré.
notify_failed = Cloakroom dit pourquoi.

## Notices

drop_while_modal =
    .what = Les fichiers déposés n’ont pas été partagés.
    .why = Une question était ouverte.
    .next = Répondez-y, puis déposez-les à nouveau.
pointer_opened =
    .what = Un autre code de retrait a été ouvert.
    .why = Un lien ou un programme l’a ouvert alors que celui-ci se trouve ici.
    .next = Choisissez lequel vous voulez voir.
clipboard_empty =
    .what = Rien n’a été collé.
    .why = Le presse-papiers ne contient ni code de retrait ni fichier.
    .next = Copiez d’abord un code de retrait ou un fichier.
picture_not_taken =
    .what = L’image n’a pas été partagée.
    .why = Une image dans le presse-papiers n’est pas encore un fichier.
    .next = Enregistrez-la d’abord dans un fichier, puis déposez ou choisissez celui-ci.
clipboard_refused =
    .what = Le code de retrait n’a pas été copié.
    .why = Le presse-papiers du système ne l’a pas accepté.
    .next = Réessayez ; si un autre programme occupe le presse-papiers, fermez-le.
opener_failed =
    .what = Le fichier n’a pas pu être affiché.
    .why = Aucun programme de ce système ne l’a accepté.
    .next = Cherchez-le dans votre dossier de téléchargement.
defect =
    .what = Le transfert s’est arrêté.
    .why = Ce programme a commis une erreur.
    .next = Réessayez ; si cela se reproduit, signalez-le.
no_network_for_list =
    .what = La liste de relais n’a pas été utilisée.
    .why = Ce que vous partagez reste sur cet ordinateur : il n’y a pas de réseau où ces relais pourraient mener.
    .next = Ajoutez d’abord un serveur de fichiers dans les Réglages, ou rejoignez un réseau avec une invitation.
relays_missing =
    .what = Ce serveur ne peut pas encore être joint.
    .why = Aucun relais ne mène encore à son réseau.
    .next = Choisissez une liste de relais à laquelle vous vous fiez.
file_missing =
    .what = { $name } est introuvable et n’a donc pas été partagé.
    .why = Il a peut-être été déplacé, ou ce programme n’a pas le droit de le lire.
    .next = Choisissez-le à nouveau là où il est maintenant.
files_missing =
    .what = { $count } fichiers sont introuvables et n’ont pas été partagés.
    .why = Ils ont peut-être été déplacés, ou ce programme n’a pas le droit de les lire.
    .next = Choisissez-les à nouveau là où ils sont maintenant.
entry_elsewhere =
    .what = { $name } n’est pas un fichier de cet ordinateur et n’a donc pas été partagé.
    .why = C’est un lien, ou un élément situé à un endroit que ce programme ne peut pas lire.
    .next = Enregistrez-le d’abord dans un dossier, puis déposez-le depuis ce dossier.
entries_elsewhere =
    .what = { $count } éléments ne sont pas des fichiers de cet ordinateur et n’ont pas été partagés.
    .why = Ce sont des liens, ou ils se trouvent à des endroits que ce programme ne peut pas lire.
    .next = Enregistrez-les d’abord dans un dossier, puis déposez-les depuis ce dossier.

## Who saw what

role_guard = Premier relais
role_middle = Relais du milieu
role_last = Dernier relais
role_server = Serveur de fichiers
asked_delete = Suppression du fichier
asked_download = Retrait du fichier
asked_extend = Demande de prolongation
asked_file_info = Question sur le fichier
asked_receipt = Avis à l’expéditeur
asked_relay_list = Téléchargement de la liste de relais
asked_server_info = Question sur ce que le serveur accepte
asked_status = Question sur les retraits
asked_upload = Dépôt du fichier
asked_again = { $what }, tentative { $number }
answered = Réponse reçue
answered_with = Réponse { $code }
no_answer = Pas de réponse : { $why }
note_direct = Sans relais : le serveur de fichiers a vu votre adresse.
note_same_bytes_back = La réponse était identique sur chaque tronçon : ces relais ne scellent pas ce qu’ils renvoient.
relaxed_guard_is_last = Le dernier relais a été votre premier relais ces dix derniers jours : la liste a trop peu de relais.
relaxed_guard_is_middle = Le relais du milieu a été votre premier relais ces dix derniers jours : la liste a trop peu de relais.
relaxed_guard_is_new = Le premier relais est nouveau dans votre choix de cette liste : la liste n’a personne d’autre.
relaxed_guard_returned = Un premier relais écarté est de retour : la liste n’a personne d’autre.
relaxed_guard_stood_elsewhere = Le premier relais a tenu une autre place sur vos chemins ces dix derniers jours : la liste a trop peu de relais.
relaxed_kept_back = Un relais en réserve comme futur premier relais a servi à une autre place : la liste a trop peu de relais.
relaxed_same_network = Des relais de ce chemin sont dans un même réseau : la liste est trop courte.
relaxed_same_operator = Des relais de ce chemin ont le même exploitant : la liste est trop courte.
relaxed_set_aside = Un relais qui avait échoué a été utilisé : la liste n’a personne d’autre.
fact_client_address = votre adresse IP
fact_content = nom, type, taille exacte, contenu
fact_file_id = quel fichier
fact_next = relais suivant : { $name }
fact_before = relais précédent : { $name }
fact_server = serveur { $name }
fact_up = { $bytes } à l’aller
fact_back = { $bytes } au retour
fact_when = quand : { $time }

## Keys on a transfer

row_key_arrows = Aller au transfert du dessus ou du dessous
row_key_enter = Copier le code de retrait, ouvrir le fichier ou réessayer
row_key_delete = Annuler, ou enlever de la liste
row_key_menu = Tout ce que l’on peut faire d’autre
row_key_tab = Aller aux boutons du transfert

## Errors: the person’s own files and settings

was_cancelled =
    .what = Annulé.
    .why = Vous l’avez arrêté.
    .next = Relancez-le quand vous voulez.
built_in_busy =
    .what = Le réseau intégré n’a pas démarré.
    .why = { $why }
    .next = Fermez les autres fenêtres de Cloakroom et réessayez.
built_in_no_locks =
    .what = Le réseau intégré n’a pas démarré.
    .why = { $why }
    .next = Choisissez un serveur de fichiers dans les Réglages, ou faites désigner à CLOAKROOM_HOME un dossier sur un disque de cet ordinateur.
built_in_fails =
    .what = Le réseau intégré n’a pas démarré.
    .why = { $why }
    .next = Vérifiez que le dossier de données est accessible en écriture, puis réessayez ; ou choisissez un serveur de fichiers dans les Réglages.
folder_of_another =
    .what = Le dossier { $folder } appartient à un autre utilisateur.
    .why = Le propriétaire de ce dossier pourrait lire vos codes de retrait et choisir vos relais.
    .next = Lancez Cloakroom avec le compte auquel il appartient, sans sudo, ou faites désigner à CLOAKROOM_HOME un dossier à vous.
folder_open_to_others =
    .what = D’autres utilisateurs peuvent modifier le contenu du dossier { $folder }.
    .why = Ils pourraient lire vos codes de retrait et choisir vos relais.
    .next = Vérifiez que rien d’étranger ne s’y trouve et exécutez : chmod go-w "{ $folder }". Ou faites désigner à CLOAKROOM_HOME un dossier à vous.
settings_not_kept =
    .what = Les réglages n’ont pas pu être enregistrés.
    .why = { $why }
    .next = { $next }
no_home =
    .what = Cloakroom n’a pas de dossier pour ses réglages.
    .why = Ce compte n’a pas de dossier personnel.
    .next = Indiquez un dossier à vous dans CLOAKROOM_HOME.
settings_not_read =
    .what = Vos réglages sont illisibles ; rien n’est donc envoyé.
    .why = { $why } Ils sont dans { $file }.
    .next = { $next }
relay_memory_not_read =
    .what = Vos premiers relais ne sont pas connus ; rien n’est donc envoyé par des relais.
    .why = { $why } Il est dans { $file }.
    .next = Réparez cela, ou déplacez le fichier : de nouveaux premiers relais seront alors choisis, et ils verront votre adresse.
built_in_key_fails =
    .what = Le réseau intégré n’a pas démarré.
    .why = { $why }
    .next = Réessayez ensuite, ou choisissez un serveur de fichiers dans les réglages.
default_settings_used =
    .what = Les réglages par défaut sont maintenant utilisés.
    .why = { $why }
    .next = Choisissez de nouveau serveur, relais et proxy, ou corrigez l’ancien fichier.
settings_read_again =
    .what = Vos réglages sont de nouveau lisibles et maintenant utilisés.
    .why = Leur fichier a été corrigé entre-temps.
    .next = Réessayez ce qui a échoué auparavant.
own_record_fails =
    .what = Le registre de vos partages est inutilisable.
    .why = { $why }
    .next = { $next }
not_owner =
    .what = Seul celui qui a partagé ce fichier peut faire cela.
    .why = Cet ordinateur n’a pas trace de ce partage : fait ailleurs, par quelqu’un d’autre, ou sur un serveur sans propriétaires.
    .next = Faites-le sur l’ordinateur et dans le compte qui ont partagé le fichier.
file_changed =
    .what = Le fichier n’a pas été partagé.
    .why = Il a changé pendant la lecture.
    .next = Attendez que plus rien n’y écrive, puis partagez-le à nouveau.
file_is_none =
    .what = Ceci ne peut pas être partagé.
    .why = Ce n’est pas un fichier ordinaire.
    .next = Choisissez un fichier.
file_not_read =
    .what = Le fichier n’a pas pu être lu.
    .why = { $why }
    .next = { $next }
file_of_wrong_size =
    .what = Le fichier n’a pas été partagé.
    .why = D’après le système, il a { $said } octets ; { $read } ont été lus.
    .next = Copiez-le dans un dossier à vous, et partagez la copie.
file_too_large =
    .what = Le fichier est trop gros pour être partagé.
    .why = Il compte { $length } octets ; ce serveur en accepte au plus { $limit }.
    .next = N’en partagez qu’une partie.
names_too_long =
    .what = Le dossier est trop gros pour être partagé.
    .why = Les noms de ses fichiers sont trop longs, tous ensemble.
    .next = Partagez-en une partie.
nothing_to_share =
    .what = Il n’y a rien à partager.
    .why = Rien n’a été choisi, ou le dossier ne contient aucun fichier qui puisse être partagé.
    .next = Choisissez un fichier, ou un dossier qui en contient.
one_of_several =
    .what = Votre sélection n’a pas été partagée.
    .why = Il s’agit de { $path }. { $why }
    .next = { $next }
too_many_entries =
    .what = Le dossier est trop gros pour être partagé.
    .why = Il contient plus de { $limit } fichiers et dossiers vides.
    .next = Partagez-en une partie, ou regroupez-le en un seul fichier.
no_place =
    .what = Rien ne peut être enregistré à cet endroit, donc rien n’a été récupéré.
    .why = { $why }
    .next = Choisissez un autre dossier.
not_saved =
    .what = Le fichier est arrivé entier, mais n’a pas pu être enregistré.
    .why = { $why }
    .next = Choisissez un autre dossier, ou faites de la place, et récupérez-le à nouveau.

## Errors: pointers and what they describe

pointer_changed =
    .what = Ce code de retrait a été altéré en chemin.
    .why = Sa somme de contrôle est fausse : des caractères ont été remplacés, perdus ou ajoutés.
    .next = Demandez à l’expéditeur de le renvoyer, sur une seule ligne de texte.
pointer_cut_off =
    .what = Ce code de retrait est tronqué.
    .why =
        { $missing ->
            [one] Il manque au moins { $missing } caractère à la fin.
           *[other] Il manque au moins { $missing } caractères à la fin.
        }
    .next = Copiez-le à nouveau, jusqu’au bout.
pointer_newer =
    .what = Ce code de retrait vient d’une version plus récente.
    .why = Il a des champs que cette version ne connaît pas.
    .next = Utilisez une version plus récente de Cloakroom.
pointer_not_found =
    .what = Il n’y a pas de code de retrait dans ce texte.
    .why = Un code de retrait est un mot qui commence par cloak1.
    .next = Copiez le code de retrait entier et collez-le ici.
pointer_text_too_long =
    .what = Ce texte est trop long.
    .why = Les codes de retrait sont cherchés dans 64 Kio de texte au plus.
    .next = Collez le code de retrait seul.
pointer_invalid =
    .what = Ce code de retrait est inutilisable.
    .why = Il est arrivé entier, mais ce qu’il dit ne forme pas un code de retrait.
    .next = Demandez à l’expéditeur de partager le fichier à nouveau.
foreign_built_in =
    .what = Ce fichier ne peut pas être récupéré d’ici.
    .why = Le code de retrait vient du réseau intégré d’un autre ordinateur, qui ne sort jamais de cet ordinateur.
    .next = Demandez à l’expéditeur de choisir un serveur de fichiers et de partager le fichier à nouveau. Si ce serveur tourne sur cet ordinateur, ajoutez plutôt sa liste de relais.
needs_newer =
    .what = Cette version ne peut pas récupérer ce que décrit le code de retrait.
    .why = { $why }
    .next = Utilisez une version plus récente de Cloakroom.
why_newer_words = C’est protégé par des mots.
other_digest =
    .what = Le fichier téléchargé ne correspond pas à son code de retrait. Rien n’a été enregistré.
    .why = Son SHA-256 est différent : le fichier a été altéré sur le serveur ou en chemin.
    .next = Récupérez-le encore une fois ; si cela se reproduit, demandez à l’expéditeur de le partager à nouveau.
other_description =
    .what = Le fichier téléchargé ne correspond pas à son code de retrait. Rien n’a été enregistré.
    .why = Le code de retrait décrit un autre fichier : le nom, le type ou la longueur diffèrent de ceux qui ont été scellés.
    .next = Ne vous fiez pas à ce code de retrait ; demandez-en un nouveau à l’expéditeur.
other_key =
    .what = Le fichier téléchargé ne correspond pas à son code de retrait. Rien n’a été enregistré.
    .why = La clé du code de retrait n’est pas celle de ce fichier.
    .next = Redemandez le code de retrait à l’expéditeur.
newer_seal =
    .what = Ce fichier a été scellé par une version plus récente. Rien n’a été enregistré.
    .why = Son en-tête a des champs que cette version ne connaît pas.
    .next = Utilisez une version plus récente de Cloakroom.
broken_seal =
    .what = Le fichier téléchargé ne correspond pas à son code de retrait. Rien n’a été enregistré.
    .why = Le sceau est brisé, ou ce qu’il renferme n’est pas un fichier scellé.
    .next = Récupérez-le encore une fois ; si cela se reproduit, demandez à l’expéditeur de le partager à nouveau.
other_folder =
    .what = Le dossier téléchargé n’est pas valide. Rien n’a été enregistré.
    .why = Sa liste de fichiers enfreint les règles qui protègent les autres fichiers de cet ordinateur.
    .next = Ne vous fiez pas à ce code de retrait ; demandez-en un nouveau à l’expéditeur.
other_parts =
    .what = Le fichier téléchargé ne correspond pas à son code de retrait.
    .why = La liste de ses parties, ou l’une des parties, n’est pas ce qu’elle devrait être.
    .next = Ne vous fiez pas à ce code de retrait ; demandez-en un nouveau à l’expéditeur.
broken_part =
    .what = Une partie du fichier ne correspond pas à la liste des parties.
    .why = Son SHA-256 est différent : la partie a été modifiée sur le serveur ou en chemin.
    .next = Téléchargez-le encore une fois ; si cela se reproduit, demandez à l’expéditeur de le partager de nouveau.
no_such_entry =
    .what = Rien n’a été téléchargé.
    .why = Il n’y a rien à { $path } dans le dossier.
    .next = Regardez la liste de ce qu’il contient, et écrivez le chemin comme il y figure.
unfinished_damaged =
    .what = Ce transfert ne peut pas continuer.
    .why = L’enregistrement de son avancement est endommagé.
    .next = Abandonnez-le, et recommencez le transfert.
unfinished_newer =
    .what = Ce transfert ne peut pas continuer.
    .why = Une version plus récente de Cloakroom l’a commencé.
    .next = Utilisez cette version, ou abandonnez le transfert.
unfinished_other_key =
    .what = Ce transfert ne peut pas continuer.
    .why = La clé qui ouvre l’enregistrement de son avancement a disparu.
    .next = Abandonnez-le, et recommencez le transfert.
unfinished_unknown =
    .what = Ce transfert inachevé n’existe pas.
    .why = Il est terminé, ou il a été abandonné.
    .next = Regardez la liste des transferts inachevés.
unfinished_under_way =
    .what = Ce transfert est déjà en cours.
    .why = Une autre fenêtre ou une autre commande de Cloakroom le poursuit.
    .next = Attendez qu’elle se termine.
unfinished_not_read =
    .what = Ce transfert ne peut pas continuer.
    .why = L’enregistrement de son avancement ne peut pas être lu : { $why }
    .next = { $next }
unfinished_not_written =
    .what = Le transfert a été arrêté.
    .why = Son avancement ne peut pas être enregistré : { $why }
    .next = { $next }
misleading_name =
    .what = Ce fichier n’est pas ce que dit son nom.
    .why = D’après son nom, c’est { $name } ; d’après son contenu, { $content }.
    .next = Ne l’ouvrez que si vous savez pourquoi l’expéditeur l’a nommé ainsi.
an_archive = une archive
a_document = un document
a_medium = du son ou de la vidéo
a_picture = une image
a_program = un programme
a_script = un script
a_text = un texte
a_web_page = une page web
a_java_program = un programme pour Java ou Android
a_linux_program = un programme pour Linux
a_mac_program = un programme pour macOS
a_shortcut = un raccourci qui lance autre chose
a_windows_program = un programme pour Windows

## Errors: addresses, proxies and relay lists

no_server_address =
    .what = Ce n’est pas l’adresse d’un serveur de fichiers.
    .why = { $why }
    .next = Collez-la telle que son exploitant l’a donnée : http://host:port#p= et 64 lettres et chiffres.
no_proxy_address =
    .what = Ce n’est pas l’adresse d’un proxy.
    .why = { $why }
    .next = Écrivez-la sous la forme socks5://host:port ; celle de Tor est socks5://127.0.0.1:9050.
no_relay_line =
    .what = Ce n’est pas la ligne d’une liste de relais.
    .why = { $why }
    .next = Collez-la telle que son auteur l’a donnée : https://host/relays.json#k= et 64 lettres et chiffres.
proxy_no_socks =
    .what = Le proxy n’a pas pu être utilisé ; rien n’a été envoyé.
    .why = Ce qui répond à l’adresse { $proxy } ne parle pas SOCKS5.
    .next = Corrigez l’adresse du proxy, ou passez-vous de proxy.
proxy_refused =
    .what = Le proxy a refusé ; rien n’a été envoyé.
    .why = Le proxy { $proxy } n’accepte pas ce nom d’utilisateur et ce mot de passe, ou en demande.
    .next = Corrigez-les : socks5://user:password@host:port.
proxy_unreachable =
    .what = Le proxy n’a pas pu être joint ; rien n’a été envoyé.
    .why = Rien ne répond à l’adresse { $proxy }.
    .next = Démarrez-le, corrigez son adresse, ou passez-vous de proxy.
no_relays =
    .what = Aucun de vos relais ne dessert ce serveur.
    .why = Rien n’a été envoyé : sans relais, le serveur verrait votre adresse IP.
    .next = Demandez une invitation à ce réseau ou ajoutez une liste de relais ; ou joignez le serveur directement, s’il peut connaître votre adresse.
relays_offered =
    .what = Aucun de vos relais ne dessert ce serveur, mais le code de retrait indique une liste de relais.
    .why = Télécharger la liste montre une fois à { $host } l’adresse de cet ordinateur ; celui qui la signe choisit vos relais.
    .next = Acceptez la liste pour ce serveur, ou ajoutez vos propres relais.
relay_file_fails =
    .what = La liste de relais n’a pas pu être lue.
    .why = { $why }
    .next = { $next }
relay_list_refused =
    .what = La liste de relais n’a pas été acceptée.
    .why = { $why }
    .next = Demandez-en une nouvelle à son auteur.
newer_relay_list_refused =
    .what = La liste de relais n’a pas été acceptée.
    .why = { $why }
    .next = Vérifiez la ligne, ou demandez une nouvelle liste à son signataire ; celle qui est déjà là continue de servir.
relay_list_ended =
    .what = Il n’y a aucun relais utilisable.
    .why = La liste de relais a expiré, et aucun serveur n’en a transmis de plus récente.
    .next = Ajoutez à nouveau sa ligne, ce qui la redemande à son hôte, ou choisissez d’autres relais.
relay_list_not_fetched =
    .what = La liste de relais n’a pas pu être téléchargée.
    .why = L’hôte { $host } a été interrogé. { $why }
    .next = Vérifiez le réseau et la ligne, puis réessayez.
relay_list_not_here =
    .what = Il n’y a aucun relais utilisable.
    .why = Les réglages indiquent une liste de relais qui n’a jamais été téléchargée sur cet ordinateur.
    .next = Ajoutez à nouveau sa ligne, ce qui la demande à son hôte.
many_relays_gone =
    .what = Rien n’est envoyé dans ce réseau tant que vous n’avez pas regardé sa dernière liste de relais.
    .why = Il y manque { $gone } des { $before } relais de la liste précédente. Après longtemps, ce peut être normal ; ou quelqu’un d’autre a pris le contrôle du serveur.
    .next = Demandez à la personne qui gère le réseau, puis acceptez la liste.
relay_lists_not_read =
    .what = Vos listes de relais sont illisibles ; rien n’est donc envoyé par leurs relais.
    .why = { $why } Il est dans { $file }.
    .next = Réparez cela, ou déplacez le fichier et ajoutez à nouveau vos listes.
relay_list_not_stored =
    .what = La liste de relais n’a pas pu être conservée.
    .why = { $why }
    .next = { $next }
service_node_file_wrong =
    .what = Le fichier ne décrit aucun réseau de nœuds de service.
    .why = { $why }
    .next = Demandez le fichier entier à qui l’a fait.
seeds_fail =
    .what = Les nœuds de service du réseau n’ont pas pu être obtenus.
    .why = Le dernier de ses nœuds d’amorçage a été interrogé. { $why }
    .next = Vérifiez le réseau et réessayez plus tard, ou choisissez d’autres relais.

## Errors: invitations and networks

invitation_changed =
    .what = Cette invitation a été altérée en chemin.
    .why = Sa somme de contrôle est fausse : des caractères ont été remplacés, perdus ou ajoutés.
    .next = Demandez-la de nouveau, sur une seule ligne de texte ou comme fichier.
invitation_cut_off =
    .what = Cette invitation est tronquée.
    .why = Il manque au moins { $missing } caractères à la fin.
    .next = Copiez-la de nouveau, jusqu’à la fin.
invitation_expired =
    .what = Cette invitation a expiré.
    .why = Plus personne ne peut rejoindre le réseau avec elle. Qui l’a rejoint en reste membre.
    .next = Demandez-en une nouvelle.
invitation_invalid =
    .what = Cette invitation ne peut pas être utilisée.
    .why = Ses parties ne vont pas ensemble.
    .next = Demandez-en une nouvelle à la personne qui gère le réseau.
invitation_malformed =
    .what = Cette invitation ne peut pas être utilisée.
    .why = Elle est entière, mais n’a pas la forme d’une invitation.
    .next = Demandez-en une nouvelle à la personne qui gère le réseau.
invitation_newer =
    .what = Cette invitation vient d’une version plus récente.
    .why = Elle a des champs que cette version ne connaît pas.
    .next = Utilisez une version plus récente de Cloakroom.
invitation_not_found =
    .what = Il n’y a pas d’invitation dans ce texte.
    .why = Une invitation commence par cloakin1.
    .next = Copiez tout le message, ou choisissez le fichier.
invitation_text_too_long =
    .what = Ce texte est trop long pour y chercher une invitation.
    .why = Il dépasse 64 Kio.
    .next = Copiez seulement la partie qui contient l’invitation.
invite_list_ended =
    .what = Il n’y a pas d’invitation pour l’instant.
    .why = La liste de relais du réseau a expiré.
    .next = Partagez ou récupérez d’abord quelque chose dans ce réseau : cela apporte la nouvelle liste.
invite_none_serves =
    .what = Il n’y a pas encore d’invitation.
    .why = Aucun relais du réseau ne dessert son serveur ; il en faut un à la fin d’un chemin.
    .next = Attendez qu’un tel relais ait rejoint le réseau.
invite_not_made =
    .what = Il n’y a pas d’invitation.
    .why = L’adresse du serveur et le nom sont trop longs ensemble.
    .next = Donnez au réseau un nom plus court.
invite_too_few =
    .what = Il n’y a pas encore d’invitation.
    .why = Seuls { $relays } relais sur 3 sont connus.
    .next = Attendez que le réseau ait trois relais, puis réessayez.
invite_without_path =
    .what = Il n’y a pas encore d’invitation.
    .why = Aucun trio de relais du réseau ne forme un chemin : aucun ne doit partager son exploitant, ou sa partie d’Internet, avec un autre.
    .next = Attendez que d’autres relais aient rejoint le réseau.
join_for_relays =
    .what = Vous n’avez pas rejoint le réseau.
    .why = Cette invitation sert à ajouter un relais, et nomme trop peu de relais pour utiliser le réseau.
    .next = Demandez une invitation pour les personnes.
join_other_relays =
    .what = Vous n’avez pas rejoint le réseau.
    .why = Vous utilisez déjà son serveur, sous le nom « { $name } », par d’autres relais.
    .next = Gardez les vôtres, ou remplacez-les si vous vous fiez à qui a choisi les autres.
join_private_relays =
    .what = Vous n’avez pas rejoint le réseau.
    .why = Moins de trois de ses relais ont une adresse sur Internet.
    .next = Demandez une nouvelle invitation à la personne qui gère le réseau.
join_without_path =
    .what = Vous n’avez pas rejoint le réseau.
    .why = Ses relais ne forment aucun chemin qui vous cache. { $why }
    .next = Demandez une invitation avec d’autres relais, ou laissez les règles céder pour ce réseau.
join_wrong_access_word =
    .what = Vous n’avez pas rejoint le réseau.
    .why = Son serveur a refusé le mot d’accès de l’invitation.
    .next = Demandez une nouvelle invitation.
no_invitation =
    .what = Il n’y a pas d’invitation.
    .why = Les relais de ce serveur viennent d’un fichier ou du réseau de Session ; personne d’autre ne pourrait vérifier la liste.
    .next = Utilisez une liste de relais avec adresse, ou rejoignez un réseau qui tient sa propre liste.

## Errors: what the server says

access_word_wanted =
    .what = Le fichier n’a pas été stocké.
    .why = Le serveur ne stocke des fichiers que pour ceux qui connaissent son mot d’accès.
    .next = Demandez le mot à son exploitant, puis saisissez-le.
access_word_wrong =
    .what = Le fichier n’a pas été stocké.
    .why = Le mot d’accès n’est pas celui que demande le serveur.
    .next = Vérifiez le mot, et demandez à l’exploitant du serveur s’il a changé.
server_asks_differently =
    .what = Le fichier n’a pas été envoyé.
    .why = Le serveur a demandé une chose une fois et une autre la fois suivante. Un serveur qui demande à chacun autre chose pourrait distinguer les personnes.
    .next = Si son exploitant vient de changer ses réglages, réessayez ; si cela persiste, choisissez un autre serveur.
server_full =
    .what = Le fichier n’a pas été stocké.
    .why = Le serveur est plein.
    .next = Réessayez plus tard, ou choisissez un autre serveur.
server_too_full =
    .what = Rien n’a été envoyé.
    .why = Il faut { $needed } sur le serveur, à qui il reste { $free }.
    .next = Choisissez un autre serveur, ou n’en partagez qu’une partie.
server_without_owners =
    .what = Ce serveur ne permet pas de gérer un fichier.
    .why = Il ne sait pas qui a partagé un fichier ; il oublie chacun quand son temps est écoulé.
    .next = La prochaine fois, partagez par un serveur Cloakroom.
file_not_extendable =
    .what = Ce serveur ne conserve pas ce fichier plus longtemps.
    .why = Il donne à ce genre de fichier une durée fixe, que personne ne peut changer.
    .next = S’il faut le garder plus longtemps, partagez-le de nouveau avant l’échéance.
server_without_receipts =
    .what = Le fichier n’a pas été partagé.
    .why = Ce serveur ne sait ni compter ni limiter les retraits.
    .next = Partagez sans compte ni limite, ou choisissez un autre serveur.
file_not_there =
    .what = Le serveur n’a pas ce fichier.
    .why = Il a peut-être expiré, été supprimé ou atteint son nombre de retraits.
    .next = Demandez à l’expéditeur de le partager à nouveau.
server_nonsense =
    .what = La réponse du serveur ne correspond pas à la requête.
    .why = Il a confirmé d’autres octets que ceux envoyés, ou a envoyé quelque chose d’illisible.
    .next = Réessayez ; si cela persiste, choisissez un autre serveur.
server_busy =
    .what = Le serveur est occupé ou en difficulté.
    .why = Il a répondu { $code } à chaque demande.
    .next = Réessayez plus tard.
server_refused =
    .what = Le serveur a refusé.
    .why = Il a répondu { $code }.
    .next = Choisissez un autre serveur, ou interrogez son exploitant.
file_still_there =
    .what = Le serveur ne supprime pas ce qu’il dit supprimer.
    .why = Le fichier d’essai était encore remis après que le serveur en avait confirmé la suppression.
    .next = Prévenez l’exploitant du serveur, ou choisissez un autre serveur.
too_large_for_server =
    .what = Le fichier est trop gros pour ce serveur.
    .why = Il n’a pas dit quelle taille il accepte.
    .next = Choisissez un autre serveur, ou un fichier plus petit.
too_large_for_server_of =
    .what = Le fichier est trop gros pour ce serveur.
    .why = Le serveur accepte au plus { $limit } octets, remplissage compris.
    .next = Choisissez un autre serveur, ou un fichier plus petit.
time_refused =
    .what = Le serveur ne conserve pas les fichiers pour cette durée.
    .why = Il les conserve de 1 à { $hours } heures.
    .next = Demandez une durée comprise entre les deux.
time_maybe_refused =
    .what = Le serveur a refusé.
    .why = Il a répondu 400 sans dire pourquoi. Il ne conserve peut-être pas les fichiers pendant { $time }.
    .next = Demandez une durée plus courte, ou la durée habituelle du serveur.
unknown_work =
    .what = Le fichier n’a pas été stocké.
    .why = Le serveur demande une sorte de calcul que cette version ne connaît pas : il est d’une autre version, comme la 0.1.
    .next = Demandez à son exploitant de le mettre à jour, mettez Cloakroom à jour ou choisissez un autre serveur.
work_refused =
    .what = Le fichier n’a pas été stocké.
    .why = Le serveur n’a pas accepté le calcul qu’il avait demandé.
    .next = Réessayez ; si cela persiste, choisissez un autre serveur.

## Errors: on the way. `tried` stands inside sentences as { $tried }.

tried =
    { $count ->
        [one] { $count } fois
       *[other] { $count } fois
    }
network_blocks =
    .what = Ce réseau bloque les relais.
    .why = Aucun de vos premiers relais n’a répondu, ni les trois que l’on peut essayer à leur place en un jour.
    .next = Vérifiez que cet ordinateur est en ligne, ou essayez depuis un autre réseau.
connection_broke =
    .what = La connexion s’est rompue avant la fin du transfert.
    .why = Le transfert a été tenté { $tried }.
    .next = Vérifiez le réseau et réessayez.
request_not_built =
    .what = La requête n’a pas pu être construite.
    .why = Le nom ou la clé du serveur ne convient pas à une requête en oignon.
    .next = Choisissez un autre serveur.
direct_unreachable =
    .what = Le serveur de fichiers est injoignable.
    .why = Essayé { $tried } : le serveur est éteint, son nom ne mène nulle part, ou le réseau d’ici le bloque.
    .next = Vérifiez le réseau et l’adresse du serveur, puis réessayez.
direct_foreign_answer =
    .what = Autre chose a répondu à la place du serveur de fichiers.
    .why = La réponse n’était pas scellée par le serveur ; essayé { $tried }. Les réseaux d’hôtels et de trains répondent par une page de connexion.
    .next = Ouvrez un navigateur et connectez-vous au réseau, puis réessayez.
first_unreachable =
    .what = Le premier relais n’a pas pu être joint.
    .why = On a essayé { $tried } : le relais est éteint, a une autre clé que celle de sa liste, ou ce réseau le bloque.
    .next = Vérifiez le réseau et la liste de relais, puis réessayez.
answer_malformed =
    .what = La réponse du serveur est illisible.
    .why = Ce n’est peut-être pas un serveur de fichiers, ou il est plus récent.
    .next = Vérifiez l’adresse du serveur.
answer_plain =
    .what = Aucune réponse du serveur n’est revenue.
    .why = Quelqu’un sur le chemin a répondu { $status }, { $tried } ; personne ne garantit cette réponse.
    .next = Réessayez plus tard, ou utilisez une autre liste de relais.
relay_failed =
    .what = Un relais du chemin a échoué.
    .why = Il a répondu { $status } ; essayé { $tried }, par des relais différents s’il y en a.
    .next = Réessayez plus tard, ou utilisez une autre liste de relais.
relay_unreachable =
    .what = Un relais du chemin n’a pas pu être joint.
    .why = Le relais qui le précède l’a signalé ; essayé { $tried }.
    .next = Réessayez plus tard, ou utilisez une autre liste de relais.
server_plain =
    .what = Autre chose a répondu à la place du serveur de fichiers.
    .why = La réponse a été { $status }, sans que la requête soit ouverte ; essayé { $tried }.
    .next = Réessayez plus tard, ou interrogez l’exploitant du serveur.
server_not_served =
    .what = Le dernier relais ne dessert pas ce serveur.
    .why = Son exploitant autorise d’autres serveurs, ou aucun.
    .next = Utilisez une liste dont les relais desservent ce serveur.
server_unreachable =
    .what = Le serveur de fichiers n’a pas pu être joint.
    .why = Le dernier relais l’a signalé ; essayé { $tried }.
    .next = Réessayez plus tard, ou interrogez l’exploitant du serveur.
server_wrong_key =
    .what = Le serveur de fichiers n’a pas la clé de son adresse.
    .why = Son adresse est fausse, sa clé a changé, ou autre chose répond à sa place.
    .next = Demandez l’adresse à son exploitant.
answer_tampered =
    .what = Une réponse a été altérée en chemin et a été refusée.
    .why = Un relais du chemin est défaillant ou hostile ; essayé { $tried }.
    .next = Réessayez ; si cela persiste, utilisez une autre liste de relais.
timed_out =
    .what = Le transfert a pris trop de temps et a été arrêté.
    .why = Aucune réponse n’est venue pendant trop longtemps ; essayé { $tried }. Le serveur est peut-être bloqué, ou le chemin jusqu’à lui lent.
    .next = Réessayez plus tard. Si d’autres serveurs fonctionnent, adressez-vous à l’exploitant de celui-ci.
no_path_guard =
    .what = Il n’y a pas de chemin vers ce serveur.
    .why = Aucun relais ne restait pour la première place : { $reasons }.
    .next = Utilisez une liste qui a plus de relais, dont un au moins dessert ce serveur ; ou permettez des chemins plus faibles pour cette liste courte.
no_path_middle =
    .what = Il n’y a pas de chemin vers ce serveur.
    .why = Aucun relais ne restait pour la place du milieu : { $reasons }.
    .next = Utilisez une liste qui a plus de relais, dont un au moins dessert ce serveur ; ou permettez des chemins plus faibles pour cette liste courte.
no_path_last =
    .what = Il n’y a pas de chemin vers ce serveur.
    .why = Aucun relais ne restait pour la dernière place : { $reasons }.
    .next = Utilisez une liste qui a plus de relais, dont un au moins dessert ce serveur ; ou permettez des chemins plus faibles pour cette liste courte.
rejected_not_serving =
    { $count ->
        [one] { $count } ne dessert pas ce serveur
       *[other] { $count } ne desservent pas ce serveur
    }
rejected_on_this_path = { $count } déjà sur le chemin
rejected_is_guard =
    { $count ->
        [one] { $count } est ou était votre premier relais
       *[other] { $count } sont ou étaient vos premiers relais
    }
rejected_dropped =
    { $count ->
        [one] { $count } ancien premier relais écarté
       *[other] { $count } anciens premiers relais écartés
    }
rejected_kept_back = { $count } en réserve comme premier relais
rejected_not_a_guard =
    { $count ->
        [one] { $count } n’est pas l’un de vos premiers relais
       *[other] { $count } ne sont pas de vos premiers relais
    }
rejected_same_network = { $count } dans le réseau d’un autre
rejected_same_operator = { $count } du même exploitant qu’un autre
rejected_set_aside = { $count } à l’écart après des échecs
rejected_stood_elsewhere = { $count } récemment au milieu ou à la fin
rejected_too_many_new = { $count } sans sollicitation, car trois nouveaux premiers relais l’ont été aujourd’hui
rejected_too_new = { $count } en place depuis trop peu de temps pour être premier relais
rejected_failed =
    { $count ->
        [one] { $count } vient d’échouer
       *[other] { $count } viennent d’échouer
    }

## Errors: the reason under another error, each a whole sentence

why_built_in_busy = Un autre processus occupe le réseau intégré et ne répond pas.
why_built_in_no_locks = Le disque de son dossier n’a pas de verrous : deux fenêtres pourraient le faire marcher en même temps et l’endommager.
why_built_in_folder = Le dossier du réseau intégré est inutilisable.
why_settings_invalid = Les réglages sont incompréhensibles : { $reason }.
why_settings_line_invalid = La ligne { $line } des réglages est incompréhensible : { $reason }.
why_settings_misplaced = Ligne { $line } des réglages : « { $key } » est sans effet à cet endroit.
why_settings_misspelled = Ligne { $line } des réglages : il n’y a pas de réglage « { $key } » ; il s’agit sans doute de « { $meant } ».
why_settings_newer = Les réglages ont été écrits par une version plus récente.
why_no_home = Il n’y a pas de dossier personnel.
why_settings_unreadable = Les réglages ne peuvent pas être lus.
why_settings_unwritable = Les réglages ne peuvent pas être écrits.
why_record_damaged = Le registre de vos partages est endommagé.
why_record_newer = Le registre de vos partages a été écrit par une version plus récente.
why_record_unreadable = Le registre de vos partages ne peut pas être lu.
why_record_unwritable = Le registre de vos partages ne peut pas être écrit.
why_relays_damaged = Le registre de vos relais est endommagé.
why_relays_newer = Le registre de vos relais a été écrit par une version plus récente.
why_relays_unreadable = Le registre de vos relais ne peut pas être lu.
why_fetch_broken = La connexion s’est rompue.
why_fetch_cancelled = La demande a été annulée.
why_fetch_redirected = Il renvoie à une autre adresse, qui n’est pas suivie.
why_fetch_status = Il a répondu { $status }.
why_fetch_timed_out = Il a mis trop de temps.
why_fetch_too_large = Sa réponse est trop grosse.
why_fetch_unreachable = Il ne peut pas être joint, ou ne prouve pas qu’il est bien ce qu’il devrait être.
why_nodes_malformed = Sa réponse est illisible.
why_nodes_too_few =
    { $count ->
        [one] Il a nommé { $count } nœud utilisable ; un chemin en demande trois.
       *[other] Il a nommé { $count } nœuds utilisables ; un chemin en demande trois.
    }
why_list_backwards = La liste expire avant sa date d’émission.
why_list_duplicate = Deux entrées ont la même clé.
why_list_entry = L’entrée { $index } n’est pas un relais : { $what }.
why_list_expired = La liste a expiré.
why_list_malformed = Ce n’est pas une liste de relais : { $what }.
why_list_newer = La liste vient d’une version plus récente.
why_list_not_yet = La liste porte une date future ; si cette date est juste, l’horloge de cet ordinateur est fausse.
why_list_older = La liste est plus ancienne que celle qui est déjà là.
why_list_same_date = La liste n’est pas celle qui est déjà là, alors que les deux portent la même date ; son auteur doit la dater à nouveau.
why_list_too_few =
    { $count ->
        [0] La liste n’a aucun relais ; un chemin en demande trois.
        [one] La liste n’a que { $count } relais ; un chemin en demande trois.
       *[other] La liste n’a que { $count } relais ; un chemin en demande trois.
    }
why_list_too_large = La liste est plus grosse que ce que les serveurs de fichiers peuvent transmettre.
why_list_too_long = La liste est plus grosse qu’une liste ne peut l’être.
why_list_unsigned = La liste n’est pas signée.
why_list_wrongly_signed = La liste n’est pas signée par la clé avec laquelle elle a été ajoutée.
why_proxy_behind = Rien ne doit suivre le port.
why_proxy_host = L’hôte manque.
why_proxy_login = Le nom d’utilisateur et le mot de passe doivent avoir chacun de 1 à 255 octets.
why_proxy_port = Le port manque ; Tor écoute sur le port 9050.
why_proxy_scheme = Seuls les proxys SOCKS5 sont utilisables.
why_save_altered = Ce qui était déjà arrivé a été modifié ou supprimé entre-temps.
why_save_create = Aucun fichier ne peut être créé dans le dossier.
why_save_folder = Le dossier est inutilisable.
why_save_names = Tous les noms proches de celui-ci sont déjà pris.
why_save_no_room = Il faut { $needed } ; { $free } sont libres.
why_save_no_regular_file = Ce nom est celui d’un tube, d’un périphérique ou d’un socket.
why_save_rename = Le fichier ne peut pas recevoir son nom.
why_save_too_long = Un fichier de { $size } est trop grand pour le système de fichiers de ce disque, comme pour FAT32 à partir de 4 Go.
why_save_write = Le fichier ne peut pas être écrit.
why_url_host = L’hôte ou le port est inutilisable.
why_url_id = Un identifiant de fichier compte de 1 à 64 lettres, chiffres, tirets bas et traits d’union.
why_url_key = Une clé a 64 caractères, de 0 à 9 et de a à f. Celle-ci ne les a pas, ou est inutilisable : copiez la ligne entière.
why_url_no_file = L’URL doit désigner un seul fichier, sans rien à la suite.
why_url_no_list_key = La clé de la liste (#k=…) manque.
why_url_no_server_key = La clé du serveur (#p=…) manque.
why_url_none = Ce n’est pas une URL.
why_url_not_canonical = L’URL n’est pas sous son unique forme canonique.
why_url_path = L’URL a un chemin, une requête ou un fragment qui n’a rien à y faire.
why_url_scheme = L’URL doit commencer par http:// ou https://.
why_url_user = L’URL contient un nom d’utilisateur ou un mot de passe.
why_line_too_long = La ligne est plus longue qu’une telle ligne ne peut l’être.
next_newer = Utilisez la version plus récente de Cloakroom qui l’a écrit.
next_settings_invalid = Corrigez cela et relancez le programme, ou continuez avec les réglages par défaut : l’ancien fichier est gardé.
next_record_damaged = Remettez une sauvegarde de owned.json à sa place, ou déplacez-le : les fichiers déjà partagés ne pourront plus être supprimés d’ici.
next_not_found = Vérifiez le nom et que le disque est branché.
next_permission_denied = Donnez-vous l’autorisation, ou choisissez un autre endroit.
next_storage_full = Libérez de la place sur ce disque.
next_read_only = Choisissez un endroit où l’on peut écrire.
next_too_many_files = Fermez quelques fenêtres ou programmes, puis réessayez.
next_other = Réessayez. Si cela se reproduit, vérifiez le disque et son branchement.
io_already_exists = Quelque chose porte déjà ce nom.
io_not_a_folder = Une partie du chemin n’est pas un dossier.
io_not_found = Ce fichier ou ce dossier n’existe pas.
io_other = Le système dit : { $detail }.
io_permission_denied = Le système ne le permet pas.
io_read_only = Le support est en lecture seule.
io_storage_full = Il ne reste plus de place.

## Who saw what besides, and lists that are kept

role_proxy = Proxy
role_list_host = Hôte de la liste
role_seed = Nœud d’amorçage
asked_list_host = Téléchargement d’une liste de relais chez son hôte
asked_session_nodes = Question à un nœud d’amorçage sur les nœuds de service
no_list_came = Aucune liste n’est arrivée
proxy_not_usable = Le proxy n’a pas pu être utilisé
note_direct_by_proxy = Par le proxy, sans relais : le proxy a vu votre adresse et le serveur de fichiers.
note_straight = Celui qui donne la liste est interrogé directement, hors de tout chemin.
fact_host = se connecte à : { $name }
fact_proxy_address = l’adresse avec laquelle le proxy sort
fact_relay_list = quelle liste de relais vous utilisez
fact_transfer = ce que vous transférez, et avec quel serveur
list_issued = publiée { $when }
list_asked = plus récente demandée { $when }
unnamed_list = Une liste sans nom
other_lists = Autres listes gardées ici
list_kept = Gardée, pas utilisée.
list_accepted = Venue d’un code de retrait, utilisée seulement pour { $servers }.
short_list = Permettre des chemins plus faibles si la liste a trop peu de relais
short_list_about = Des relais d’un même opérateur ou d’un même réseau peuvent alors être sur le même chemin, et un relais qui a été votre premier peut être au milieu ou à la fin, ou l’inverse. « Qui a vu quoi » le dit à chaque fois.
all_tries = Le tout ensemble, sur { $count } tentatives
in_tries =
    { $count ->
        [one] en { $count } tentative
       *[other] en { $count } tentatives
    }
links_both = a pu voir votre adresse IP et le serveur
links_address = a pu voir votre adresse IP, pas le serveur
links_address_and_list = a pu voir votre adresse IP et quelle liste de relais vous utilisez, aucun transfert
links_list = a pu voir quelle liste de relais vous utilisez, aucun transfert
links_neither = n’a pu voir ni votre adresse IP ni le serveur
links_server = a pu voir le serveur, pas votre adresse IP

## Settings, options and rows besides

access_word = Mot d’accès
access_word_about = Seulement si l’exploitant du serveur vous en a donné un. Il accompagne chaque envoi vers ce serveur.
access_word_is_kept = Un mot est gardé pour ce serveur et accompagne chaque envoi.
enter_access_word = Saisir un mot
change_access_word = Modifier le mot
keep_access_word = Garder le mot
forget_access_word = Oublier le mot d’accès de
access_word_kept = Le mot d’accès est gardé.
access_word_forgotten = Le mot d’accès est oublié.
access_word_invalid =
    .what = Ce n’est pas un mot d’accès.
    .why = Un mot d’accès a de 1 à 64 lettres, chiffres et signes ASCII simples.
    .next = Saisissez-le ou collez-le tel que l’exploitant vous l’a donné.
milestone_work = Calcul
stage_work = Calcul pour le serveur, { $done }
undo = Annuler
undo_removal = Rétablir ce qui a été retiré
undone = C’est rétabli.
proxy_forgotten = Le proxy a été oublié.
relay_list_forgotten = La liste de relais a été oubliée.
removed = { $name } a été retiré.
removed_rows = { $count } transferts ont été retirés.
remedy_access_word = Saisir le mot d’accès
remedy_default_settings = Utiliser les réglages par défaut
settings_put_aside = L’ancien fichier est gardé sous { $path }.
settings_not_saved = Le fichier de la version plus récente reste tel quel ; vos choix durent jusqu’à la fermeture.
remedy_folder = Choisir un autre dossier
remedy_options = Modifier les options
remedy_paste = Coller un autre code
remedy_newer_list = Voir la liste plus récente
remedy_relays = Choisir des relais
limit_of = Jusqu’à { $size } par fichier
asks_work = demande un calcul ({ $bits } bits)
clocks_differ = L’horloge de cet ordinateur et celle du serveur diffèrent : l’heure est celle du serveur.
other_time_kept = Le serveur ne conserve pas ce fichier pour la durée choisie.
kept_usual = gardé le temps habituel du serveur
usual_keep = Le temps habituel du serveur
usual_keep_of = Habituel ({ $time })
duration_days =
    { $count ->
        [one] { $count } jour
       *[other] { $count } jours
    }
duration_hours =
    { $count ->
        [one] { $count } heure
       *[other] { $count } heures
    }
count_limit = Limité
count_limit_about = Supprimé après ce nombre de téléchargements
fewer_downloads = Moins de téléchargements
more_downloads = Plus de téléchargements
test_deleted = La suppression ({ $delete } ms) fonctionne.
test_without_delete = Ce serveur ne supprime pas à la demande.
was_kept_until = était gardé jusqu’au { $day }
filter_all = Tous
filter_shared = Partagés
filter_received = Reçus
show_earlier =
    { $count ->
        [one] Afficher { $count } transfert antérieur
       *[other] Afficher { $count } transferts antérieurs
    }
none_of_these = Il n’y en a aucun.
use_opened_pointer = Prendre l’autre
keep_pointer = Garder celui-ci
paste_here = Coller
pointer_expired =
    .what = Le serveur a sans doute supprimé ce fichier.
    .why = Il devait être gardé jusqu’au { $day }, et c’est passé.
    .next = Essayez, ou demandez un nouveau code.
other_server =
    .what = Ce fichier est sur un serveur qui n’est pas parmi les vôtres.
    .why = Il est sur { $theirs } ; vos fichiers vont sur { $chosen }.
    .next = Téléchargez-le si vous vous y attendiez.
advanced = Avancé
display = Système d’affichage
renderer = Dessiné par
automatic = Automatique
at_next_start = La fenêtre s’en sert à son prochain démarrage.
parallel_shares = Fichiers partagés en même temps
fewer_shares = Moins de fichiers en même temps
more_shares = Plus de fichiers en même temps
diagnostics_about = Ce que ce programme constate de ses réglages, dossiers, relais et serveurs : à montrer à qui vous aide. Sans clés, codes de retrait ni mots d’accès ; les dossiers et serveurs y sont nommés.
copy_diagnostics = Copier le diagnostic
diagnostics_copied =
    .what = Le diagnostic a été copié.
    .why = Il nomme vos dossiers et serveurs, sans clés, codes de retrait ni mots d’accès.
    .next = Lisez-le avant de le transmettre.
server_passed = Le dernier test de ce serveur a réussi.
server_untried = Ce serveur n’a pas été testé depuis l’ouverture de la fenêtre.
keep_longer_about = Le serveur le garde ce temps à partir de maintenant, jamais moins qu’avant.
received_here = Les fichiers reçus apparaîtront ici.
dialog_share = Choisir les fichiers à partager
dialog_folder = Choisir où enregistrer les fichiers reçus
dialog_relay_list = Choisir une liste de relais
dialog_export = Enregistrer l’historique
no_dialogs =
    .what = Ce système n’a pas de boîte de dialogue pour les fichiers.
    .why = Ni portail de bureau ni Zenity n’est installé.
    .next = Installez xdg-desktop-portal ou Zenity ; vous pouvez aussi déposer ou coller des fichiers ici.
file_too_large_here =
    .what = { $name } est trop volumineux et n’a pas été partagé.
    .why = Il fait { $length } octets ; un envoi en contient au plus { $limit }.
    .next = Réduisez-le ou découpez-le en morceaux.
files_too_large_here =
    .what = { $count } fichiers sont trop volumineux et n’ont pas été partagés.
    .why = Un envoi contient au plus { $limit } octets.
    .next = Réduisez-les ou découpez-les en morceaux.

## Settings: links

open_links = Ouvrir les liens cloakroom: avec ce programme
open_links_about = Un clic sur un tel lien ne fait que remplir « Recevoir » ; rien ne démarre ainsi.
links_refused =
    .what = Windows n’a pas enregistré quel programme ouvre ces liens.
    .why = Votre partie du registre n’a pas pu être écrite.
    .next = Réessayez ; vous pouvez toujours coller les codes de retrait.

## The chrome, Settings and sheets: places, states, what cannot be dropped

add_this_server = Ajouter ce serveur
add_this_list = Ajouter cette liste de relais
direct_switch_off_about = Une fois activé, ce serveur verrait l’adresse de cet ordinateur à chaque transfert.
list_host_sees = Ajouter une ligne télécharge la liste directement chez son hôte, qui voit une fois l’adresse de cet ordinateur et l’heure.
list_host_sees_proxy = Ajouter une ligne télécharge la liste chez son hôte par le proxy : l’hôte voit une fois l’adresse du proxy et l’heure.
named_list_host_sees = La liste est téléchargée directement chez { $host }, qui voit une fois l’adresse de cet ordinateur et l’heure.
named_list_host_sees_proxy = La liste est téléchargée chez { $host } par le proxy : cet hôte voit une fois l’adresse du proxy et l’heure.
seed_sees = L’un de ses trois nœuds d’amorçage (seed1, seed2 et seed3.getsession.org) voit l’adresse de cet ordinateur et l’heure, au plus une fois par jour.
seed_sees_proxy = L’un de ses trois nœuds d’amorçage (seed1, seed2 et seed3.getsession.org) voit l’adresse du proxy et l’heure, au plus une fois par jour.
other_seed_sees = L’un de ses nœuds d’amorçage ({ $hosts }) voit l’adresse de cet ordinateur et l’heure, au plus une fois par jour.
other_seed_sees_proxy = L’un de ses nœuds d’amorçage ({ $hosts }) voit l’adresse du proxy et l’heure, au plus une fois par jour.
list_over_http = L’adresse commence par http : la signature protège la liste, mais le réseau d’ici peut voir quelle liste est téléchargée.
server_is_added = { $name } a été ajouté et est utilisé.
list_is_used = { $name } est utilisée.
proxy_is_used = Le proxy { $name } est utilisé.
hover_list = Déposez pour utiliser { $name } comme liste de relais
hover_network = Déposez pour voir le réseau de { $name }
hover_pointer = Déposez pour utiliser le code de retrait de { $name }
use_known_list = Utiliser cette liste de relais
use_known_network = Voir ce réseau
receive_known_file = Recevoir ce fichier
share_known_file = Partager comme fichier
relay_list_dropped =
    .what = { $name } est une liste de relais.
    .why = Vos fichiers peuvent passer par ses relais, ou vous pouvez partager la liste avec quelqu’un.
    .next = Choisissez ce que vous voulez en faire.
network_file_dropped =
    .what = { $name } décrit un réseau.
    .why = Vous pouvez rejoindre ce réseau, ou partager le fichier avec quelqu’un.
    .next = Choisissez ce que vous voulez en faire.
pointer_file_dropped =
    .what = { $name } contient le code de retrait d’un fichier.
    .why = Vous pouvez recevoir ce fichier. Toute personne à qui vous transmettez le code le pourra aussi.
    .next = Choisissez ce que vous voulez en faire.
list_ends_soon =
    .what = La liste de relais de « { $name } » prend fin le { $day }.
    .why = Aucune plus récente n’est encore arrivée.
    .next = Utilisez une fois le réseau, ce qui en demande une plus récente, ou demandez-la à qui fait la liste.
list_now_used =
    .what = { $name } est utilisée.
    .why = Vos fichiers passent désormais par les relais de cette liste.
    .next = Vous pouvez choisir une autre liste dans les Réglages.
note_this_computer = C’était le réseau intégré : ses relais et son serveur de fichiers tournent tous sur cet ordinateur, et rien n’en est sorti.
if_a_drop_fails = Si un dépôt n’apporte rien
drop_promised = Un logiciel de messagerie ou un navigateur peut ne faire que promettre un fichier qui n’est pas encore sur cet ordinateur. Enregistrez-le d’abord dans un dossier, puis déposez-le depuis là ou choisissez-le avec Ctrl+O.
drop_elevated = Windows n’autorise aucun programme ordinaire à déposer des fichiers sur un programme lancé en tant qu’administrateur. Lancez Cloakroom sans droits d’administrateur, ou choisissez ou collez les fichiers.
dropped_no_file =
    .what = Rien n’a été partagé : ce qui a été déposé n’est pas un fichier de cet ordinateur.
    .why = Les logiciels de messagerie et les navigateurs promettent parfois un fichier qui n’est pas encore ici.
    .next = Enregistrez-le d’abord dans un dossier, puis déposez-le depuis là.
no_dialog_for_list =
    .what = Ce système n’a pas de boîte de dialogue pour les fichiers.
    .why = Ni portail de bureau ni Zenity n’est installé.
    .next = Tapez ou collez le chemin de la liste dans le champ ci-dessus, ou déposez son fichier ici.
no_dialog_for_folder =
    .what = Ce système n’a pas de boîte de dialogue pour les fichiers.
    .why = Ni portail de bureau ni Zenity n’est installé.
    .next = Installez xdg-desktop-portal ou Zenity ; d’ici là, le dossier reste le même.

## Rows: speed, headings, and what is said as they begin and stop

hours_left = encore { $count } h
is_so_far = { $name } : { $done }
is_cancelled = { $name } a été annulé
kept_time_until = { $time }, jusqu’au { $day }
minutes_left = encore { $count } min
misleading_badge = Nom trompeur
rows_received = Ce que vous avez reçu
rows_shared = Ce que vous avez partagé
seconds_left = encore { $count } s
speed = { $size }/s
starts_again = Nouvel essai de { $count } transferts
starts_receiving = Téléchargement de { $name }
starts_sharing_one = Partage de { $name }
starts_sharing_many = Partage de { $count } éléments

## Several things, large things, transfers in parts

as_one = Ensemble
one_each = Un par un
keep_together = S’en souvenir
keep_together_about = Cela se change dans les Réglages.
several_things = Plusieurs fichiers à la fois
several_ask = Demander
several_as_one = Ensemble
several_one_each = Un par un
choose_folder = Choisir un dossier
dialog_share_folder = Choisir un dossier à partager
not_begun = Pas commencé
pause = Suspendre
paused = Suspendu
paused_at = Suspendu, { $done } sur { $total } faits
interrupted_at = Interrompu, { $done } sur { $total } faits
resume = Reprendre
discard = Abandonner
discard_title = Abandonner { $name } ?
discard_share = Ce que le serveur en a déjà est supprimé. La reprise n’est plus possible ensuite.
discard_download = Ce qui en est déjà arrivé est supprimé. La reprise n’est plus possible ensuite.
discarding = Abandon en cours
discarded = Abandonné
some_left = Une partie n’a pas pu être supprimée du serveur. Elle disparaîtra à son expiration.
is_paused = { $name } est suspendu
is_discarded = { $name } a été abandonné
unnamed_folder = Dossier sans nom
a_folder = dossier
show_content = Voir son contenu
looking_into = Lecture du contenu
single_file = C’est un seul fichier.
entries =
    { $count ->
        [one] Un fichier ou dossier vide
       *[other] { $count } fichiers et dossiers vides
    }
entries_wanted = { $wanted } sur { $count } choisis, { $size }
content_of = Contenu de { $name }
want_all = Tout choisir
want_none = Ne rien choisir
empty_folder = dossier vide
and_more = { $names } et d’autres
now_named = { $was } s’appelle maintenant { $is }
several_came =
    .what = { $count } fichiers ou dossiers sont arrivés ensemble.
    .why = Ensemble, ils arrivent dans un dossier avec un seul code de retrait. Un par un, chacun a son propre code de retrait.
    .next = Choisissez comment les partager.
large_share =
    .what = Cela fait { $size }.
    .why = L’envoi à { $server } se fait par parties et peut durer longtemps.
    .next = Il peut être suspendu et repris plus tard, même après un redémarrage.
large_download =
    .what = Cela fait { $size }.
    .why = Le téléchargement depuis { $server } se fait par parties et peut durer longtemps.
    .next = Il peut être suspendu et repris plus tard, même après un redémarrage.
things_left_out =
    .what =
        { $count ->
            [one] Un élément a été laissé de côté : { $names }.
           *[other] { $count } éléments ont été laissés de côté : { $names }.
        }
    .why = Les liens, et ce qui est illisible ou porte un nom impossible à envoyer, ne sont pas partagés.
    .next = Tout le reste est partagé.
names_changed =
    .what =
        { $count ->
            [one] Un nom a été changé : { $names }.
           *[other] { $count } noms ont été changés : { $names }.
        }
    .why = Ce système ne peut pas les garder tels quels.
    .next = Leur contenu est le même.

## Invitations and networks that were joined

join_title = Rejoindre « { $name } » ?
join_trust = La personne qui a fait cette invitation a choisi le serveur et les relais. Si elle les gère tous, elle peut voir votre adresse et quand vous envoyez ou téléchargez, mais pas ce que contiennent vos fichiers.
join_if = Rejoignez le réseau si vous lui faites confiance.
join_if_known = Rejoignez le réseau si vous lui faites confiance, ou si les relais appartiennent à des gens que vous connaissez : { $names } (ce sont les noms qu’ils se donnent).
join_words = Les membres qui comparent ces mots trouvent les mêmes.
join_own_network = Dans votre propre réseau : le serveur et les relais ne sont pas sur Internet.
join_as_member = Cette invitation sert à ajouter un relais ; vous devenez membre.
join_member = Vous êtes déjà membre, sous le nom « { $name } ». Rejoindre de nouveau renouvelle l’adresse du serveur, le mot d’accès et les premiers relais.
join_other = Elle mène à un serveur que vous utilisez déjà, sous le nom « { $name } », par d’autres relais.
join_rules = Les règles des chemins n’en permettent aucun entre ces relais.
join = Rejoindre
join_and_receive = Rejoindre et recevoir
join_anyway = Rejoindre, laisser céder les règles
not_now = Pas maintenant
keep_my_relays = Garder les miens
replace_my_relays = Remplacer les miens
joining_title = En train de rejoindre « { $name } »
joining_list = La liste du réseau est demandée…
joining_try = Essai du serveur : un petit fichier part, revient et est supprimé…
is_invitation = Une invitation à rejoindre « { $name } » chez { $host }.
is_joined = Vous avez rejoint « { $name } ».
network_saved = « { $name } » est enregistré.
joined_works = Tout fonctionne : un petit fichier est parti, est revenu et a été supprimé.
joined_receives = Vous pouvez recevoir ; l’envoi ne fonctionne pas pour l’instant.
joined_silent = Le réseau ne répond pas pour l’instant.
session_title = Réseau de Session
session_offer = Un serveur de fichiers et des relais qui existent déjà, en service pour la messagerie Session.
session_open = Rejoindre…
session_ask = Rejoindre le réseau de Session ?
session_meaning = Son serveur de fichiers et ses nœuds de service fonctionnent pour la messagerie Session, chez des personnes à qui personne n’a parlé de ce programme. Un fichier y reste le temps que veut le serveur et personne ne peut le supprimer ; les gros fichiers peuvent dépasser le délai. Qui tient les trois nœuds d’un chemin peut voir votre adresse et quand vous envoyez ou recevez, pas ce que contiennent vos fichiers.
session_tried = Ce programme a été essayé avec des imitations de ce réseau, jamais avec le réseau lui-même.
session_joining = Adhésion au réseau de Session
session_asks_seed = Ses nœuds sont demandés à l’un de ses nœuds d’amorçage…
session_tries = Essai de son serveur : un petit fichier part et revient…
session_works = Cela fonctionne : un petit fichier est parti et revenu.
network_from_file = Depuis un fichier…
other_network = Un autre réseau de ce genre
other_network_about = Un fichier nomme son serveur de fichiers et les nœuds d’amorçage qui connaissent ses nœuds.
other_network_meaning = La personne qui a fait ce fichier a choisi son serveur de fichiers, { $host }, et ses nœuds d’amorçage. Ses nœuds de service sont les ordinateurs d’autres personnes, à qui personne n’a parlé de ce programme. Qui tient les trois nœuds d’un chemin peut voir votre adresse et quand vous envoyez ou recevez, pas ce que contiennent vos fichiers. Rejoignez-le si vous faites confiance à la personne qui vous a donné le fichier.
list_host_offer = Sa liste peut aussi être téléchargée directement chez { $host }, qui voit une fois l’adresse de cet ordinateur et l’heure.
list_host_offer_proxy = Sa liste peut aussi être téléchargée par le proxy chez { $host }, qui voit une fois l’adresse du proxy et l’heure.
fetch_list_from = Télécharger sa liste chez { $host }
done = Terminé
to_the_pointer = Continuer vers le code de retrait
share_files = Partager des fichiers
invite_entry = Inviter…
rename_entry = Renommer…
leave_entry = Quitter…
invite_title = Inviter à « { $name } »
invite_about = Toute personne qui reçoit cette invitation peut rejoindre le réseau. Elle est valable 30 jours ; qui l’a rejoint en reste membre.
invite_with_word = Avec le mot d’accès
invite_with_word_about = Qui rejoint le réseau peut alors aussi envoyer. Sans lui, on peut recevoir, et envoyer une fois le mot saisi.
making_invitation = L’invitation est en préparation…
copy_invitation = Copier l’invitation
save_invitation = Enregistrer dans un fichier…
invitation_saved = Enregistrée sous { $name }.
invitation_copied = Invitation copiée
invitation_masked = Invitation, masquée tant qu’une autre fenêtre est devant
invitation_text = Texte de l’invitation
copy_with_invitation = Copier avec l’invitation
network_name = Nom du réseau ici
rename = Renommer
is_renamed = Le réseau s’appelle maintenant « { $name } ».
leave_title = Quitter « { $name } » ?
leave_deletable =
    { $count ->
        [one] Un fichier que vous avez partagé est encore sur son serveur. Il peut y être supprimé jusqu’à son expiration, même après votre départ.
       *[other] { $count } fichiers que vous avez partagés sont encore sur son serveur. Ils peuvent y être supprimés jusqu’à leur expiration, même après votre départ.
    }
leave_under_way =
    { $count ->
        [one] Un transfert est en cours. Il ne pourra peut-être pas continuer.
       *[other] { $count } transferts sont en cours. Ils ne pourront peut-être pas continuer.
    }
leave = Quitter
delete_and_leave = Supprimer et quitter
stay = Rester
network_left = Vous avez quitté « { $name } ».
network_relays =
    { $count ->
        [one] 1 relais à lui
       *[other] { $count } relais à lui
    }
network_list_good = liste valable jusqu’au { $day }
network_list_ended = Sa liste de relais a expiré. Une plus récente sera demandée lors du prochain transfert.
no_newer_list = Sa liste de relais prend bientôt fin, et aucune plus récente n’est encore arrivée.
network_no_list = sa liste de relais viendra avec le premier transfert
use_new_list = Utiliser la nouvelle liste
use_known_invitation = Voir cette invitation
network_joined =
    .what = Vous avez rejoint « { $name } ».
    .why = Tout fonctionne : un petit fichier est parti, est revenu et a été supprimé.
    .next = Le code de retrait venu avec l’invitation est ci-dessous.
list_waits =
    .what = Une liste de relais plus récente vous attend.
    .why = Il y manque { $gone } des { $before } relais de la liste actuelle. Cela peut être normal après un long moment ; ou quelqu’un d’autre a pris le serveur.
    .next = Demandez à la personne qui gère le réseau avant de l’utiliser.
invitation_opened =
    .what = Une invitation a été ouverte.
    .why = Un lien ou un programme l’a ouverte alors qu’autre chose se trouve ici.
    .next = Choisissez ce que vous voulez voir.
invitation_not_saved =
    .what = L’invitation n’a pas été enregistrée.
    .why = Le fichier n’a pas pu être écrit à cet endroit.
    .next = Choisissez un autre endroit.
invitation_file_dropped =
    .what = { $name } contient une invitation à un réseau.
    .why = Vous pouvez rejoindre ce réseau. Toute personne à qui vous transmettez l’invitation le pourra aussi.
    .next = Choisissez ce que vous voulez en faire.
