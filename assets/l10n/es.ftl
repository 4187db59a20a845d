# Cloakroom in Spanish, translated from en.ftl.
#
# Ids are those of the tables in src/app/words/texts.rs and src/gui/text/texts.rs. `.what`, `.why` and `.next` are the three
# sentences of a message: what happened, why, what to do next. Share, Receive and Seal are the words for what a person does;
# relay, guard, pointer and file server are terms and keep one translation each.

## The window

share = Compartir
receive = Recibir
settings = Ajustes
screen = Pantalla
drop_here = Suelte archivos o carpetas en esta ventana
choose_or_paste = Elija o pegue archivos o carpetas
sealed_here = Cada uno se rellena y se sella en este equipo antes de salir.
choose_files = Elegir archivos
drop_more = Suelte o elija más
choose_more = Elegir más
built_in = Red integrada
built_in_stays = Se queda en este equipo
pointer = Código de recogida
receive_title = Pegue el código que ha recibido
receive_empty = Un código de recogida o una invitación a una red. Verá de qué se trata antes de que se descargue nada. No importa que haya más texto alrededor.
download = Descargar
clear = Vaciar
unnamed_file = Archivo sin nombre
transfers = Transferencias
cancel = Cancelar
copy_pointer = Copiar código
copy_local = Copiar (solo sirve en este equipo)
copied = Copiado
choose_server = Elegir servidor
retry = Reintentar
remove = Quitar
more = Más opciones
remove_from_list = Quitar de la lista
show_original = Ver el original
who_saw_what = Quién vio qué
qr = Código QR
pointer_masked = Código de recogida, oculto mientras haya otra ventana delante
pointer_text = Texto del código de recogida
pointer_copied = Código de recogida copiado
open = Abrir
show_in_folder = Ver en la carpeta
verified = Verificado
waiting = En espera de su turno
cancelled = Cancelado
interrupted = Interrumpido: sin terminar cuando se cerró Cloakroom
failed = Ha fallado
file_servers = Servidores de archivos
file_servers_about = Aquí se dejan sus archivos. Un servidor ve bloques rellenados y sellados, pero nunca quién los envió.
built_in_about = Dentro de este programa. Nada sale de este equipo.
add_server = Añadir un servidor
add = Añadir
test = Probar
testing = Probando la subida y la descarga…
in_use = En uso
use_it = Usar
relays_title = Relés
relays_about = Cada solicitud pasa por tres. Solo ocultan quién es usted si los gestionan personas distintas.
no_relay_list = Relés integrados
no_relay_list_about = En este equipo, solo para la red integrada.
relays_of = Relés de { $name }
from_its_server = los mantiene su servidor
choose_list = Elegir una lista
forget_list = Olvidar esta lista
downloads = Descargas
downloads_about = Los archivos recibidos se guardan aquí; nunca se sobrescribe ninguno.
change = Cambiar
appearance = Apariencia
theme = Tema
system = Sistema
light = Claro
dark = Oscuro
contrast = Contraste
language = Idioma
motion = Movimiento
reduced = Reducido
text_size = Tamaño
larger = Más grande
smaller = Más pequeño
privacy = Privacidad
about_and_licences = Información y licencias
keys = Atajos de teclado
normal = Normal
high = Alto
about = Acerca de
about_text = Intercambio privado de archivos. Licencia MIT o Apache-2.0. Sin auditar.
welcome = Deje un archivo, llévese un código
start = Empezar
keep_running = Continuar
stop_and_quit = Detener y salir
closing_body = Si sale ahora, lo que está en curso se detendrá. Los archivos grandes y las carpetas podrán reanudarse al volver a abrir; de lo demás no quedará nada a medias.
dismiss = Descartar
no_display = cloakroom: no hay pantalla en la que abrir una ventana; la línea de comandos `cloak` hace lo mismo sin ella.
name_in_pointer = Nombre del archivo en el código
name_in_pointer_about = Quien lea el código verá el nombre antes de descargar. El archivo sellado lo conserva en cualquier caso.
copy_when_done = Copiar el código en cuanto esté listo
copy_when_done_about = Sustituye a lo que haya en el portapapeles.
clear_clipboard = Vaciar el portapapeles tras un minuto
clear_clipboard_about = Si el código sigue en él. Al cerrar la ventana también se vacía.
mask_pointers = Ocultar los códigos si hay otra ventana delante
mask_pointers_about = Se muestran como puntos hasta que usted vuelva.

## Options of a share, managing, relays

keep_longer = Ampliar plazo
downloads_so_far = Descargas hasta ahora
delete_from_server = Eliminar del servidor
keep_it = Conservar
delete_body = Después nadie podrá recogerlo con este código.
copies_stay = Las copias ya recogidas seguirán en manos de quien las recogió.
asking_server = Preguntando al servidor
gone = Eliminado del servidor
options = Opciones
hide_options = Ocultar opciones
keep_for = Conservar
options_about = Estas opciones se aplican a los próximos archivos que comparta.
count_downloads = Contar descargas
count_no = No
count_yes = Sí
count_about = El recuento depende de la cortesía: un destinatario puede recoger el archivo sin avisar.
use_senders_list = Usar la lista del remitente
add_relay_list = Añadir lista propia
proxy = Proxy SOCKS5
proxy_about = El primer relé ve entonces la dirección del proxy en lugar de la de este equipo. Para Tor, o donde la red no deja salir nada más.
use_proxy = Usar proxy
forget_proxy = Dejar de usar el proxy
relay_line = Añadir una lista de relés
relay_line_about = La línea que le dio su autor, o la ruta de un archivo de este equipo.
list_maker_chooses = Quien hace la lista elige los relés que usted usa.
session_network = Nodos de servicio de Session
session_about = Equipos de otras personas, al servicio de la mensajería Session. Los archivos grandes pueden tardar demasiado y fallar.
service_nodes = Nodos de servicio
service_nodes_about = Equipos de otras personas, que funcionan para otra red. Con archivos grandes puede agotarse el tiempo.
new_guard = Nuevo primer relé
show_relays = Mostrar relés
hide_relays = Ocultar relés
asking_relays = Preguntando…
list_ended = La lista ha caducado y no ha llegado otra más reciente.
list_missing = La lista aún no se ha obtenido.
list_problem_many_gone = Llegó una lista a la que le falta más de la mitad de los relés; espera a que la mire.
list_problem_no_answer = Se pidió una lista más reciente, pero no llegó respuesta.
list_problem_no_list = Se pidió una lista más reciente, pero la respuesta no contenía ninguna.
list_problem_other = Se pidió una lista más reciente y no llegó.
list_problem_refused = Llegó una lista y fue rechazada: es más antigua, ha caducado o no está firmada por su autor.
list_in_pointer = Indicar la lista en los códigos
list_in_pointer_about = Así pueden usarla los destinatarios que no tienen relés. Quien lea el código verá qué lista usa usted.
tell_sender = Avisar al remitente de la recogida
tell_sender_about = El remitente lo ha pedido. Sabrá que el archivo se recogió, pero no quién lo hizo.
direct_switch = Sin relés
direct_switch_about = Este servidor ve la dirección de este equipo en cada transferencia.

## History, opening files, notifications

history_title = Guardar un historial
export_history = Exportar, con claves
wipe_history = Borrar historial
notify = Avisar al terminar una transferencia
notify_about = Con una notificación del sistema, mientras esta ventana esté detrás de otras.
notify_names = Nombre del archivo en el aviso
notify_names_about = Otras personas pueden ver la pantalla, y el sistema puede conservar el aviso.
wipe_title = ¿Borrar el historial?
wipe_body = Se eliminan el archivo del historial y su clave, y las transferencias guardadas desaparecen de la lista. Los códigos que no tenga en ningún otro sitio se pierden; sus archivos quedan donde están.
keep_history = Conservar
open_program_title = Este archivo podría ejecutar un programa
open_program_why = Los archivos de este tipo pueden ejecutar lo que contienen.
open_anyway = Abrir igualmente
do_not_open = No abrir

## Sheets: who saw what, QR code, keys, licences

close = Cerrar
you = Usted
recipient = Quien recibe
sender = Remitente
recipient_learns = abre el archivo; no ve la dirección de este equipo
sender_learns = selló el archivo; no ve la dirección de este equipo
you_know = el archivo, el código, la ruta
saw = Vio
did_not_see = No vio
tries = Solicitudes e intentos
shown_about = Tomado de lo que este programa envió realmente. Aun así, quien observe ambos extremos puede comparar los tiempos.
shown_outcome = { $outcome }. { $about }
perhaps_saw = Quizá vio
saw_nothing = No vio nada
ended_before = el intento terminó antes
nothing_sent = No se envió nada.
qr_about = El código de recogida completo, en mayúsculas. Quien lo fotografíe puede recoger y abrir el archivo.
qr_masked = Oculto mientras haya otra ventana delante.
qr_too_long = Este código de recogida es demasiado largo para un código QR. Cópielo como texto.
shortcuts = Atajos de teclado
anywhere = En todas partes
on_a_transfer = En una transferencia
close_window = Cerrar la ventana
copy_of_row = Copiar el código de una transferencia
escape = Cerrar lo que esté encima o vaciar el campo
next_region = Ir a la parte siguiente de la ventana
paste = Pegar un código o archivos
paste_pointer = Pegar un código en Recibir
retry_failed = Reintentar todo lo que ha fallado
reset_zoom = Tamaño habitual
show_keys = Mostrar estos atajos
licences = Licencias
licence_of_program = Cloakroom se distribuye bajo la licencia MIT o Apache-2.0, a su elección.
fonts = Fuentes e iconos
fonts_about = Inter, JetBrains Mono y Noto Sans, bajo la SIL Open Font License 1.1; iconos de Lucide, bajo la licencia ISC.
crates = Bibliotecas
crates_about = Las bibliotecas de Rust que forman parte del programa, por licencia.
welcome_drop = Suelte un archivo y obtenga un código.
welcome_drop_about = El archivo se rellena y se sella en este equipo antes de enviarse.
welcome_pointer = Quien tenga el código de recogida obtiene el archivo.
welcome_pointer_about = Déselo solo a la persona a quien va destinado.
welcome_built_in = De momento todo se queda en este equipo.
welcome_built_in_about = Para llegar a otras personas, pegue una invitación en Recibir. O añada un servidor de archivos y relés en Ajustes.
no_renderer = cloakroom: los gráficos de este equipo no pueden dibujar una ventana ({ $error }). En Debian y Ubuntu, instale mesa-vulkan-drivers o libgl1-mesa-dri, o use la línea de comandos `cloak`.
no_window = cloakroom: no se pudo abrir la ventana: { $error }. La línea de comandos `cloak` no la necesita.
no_window_library = cloakroom: no se pudo abrir la ventana: falta la biblioteca { $library }. En Debian y Ubuntu, instale libegl1, libfontconfig1, libwayland-client0, libx11-6, libx11-xcb1, libxcursor1, libxi6, libxkbcommon-x11-0 y libxrandr2. La línea de comandos `cloak` no la necesita.
closing_title =
    { $count ->
        [one] Aún hay una transferencia en curso
       *[other] Aún hay { $count } transferencias en curso
    }

## A running transfer: names of its steps under the bar, and what it is doing

milestone_pad = Rellenar
milestone_seal = Sellar
milestone_find_path = Ruta
milestone_upload = Subir
milestone_stored = Almacenado
milestone_download = Descargar
milestone_verify = Verificar
milestone_open = Abrir
milestone_save = Guardar
stage_pad = Rellenando
stage_seal = Sellando
stage_find_path = Buscando una ruta
stage_find_path_slow = Buscando una ruta. Esperando la respuesta de { $server }
stage_find_relays_slow = Buscando una ruta. Esperando la lista de relés
stage_connect_relay = Conectando con el primer relé
stage_connect_relay_slow = Esperando la respuesta del primer relé
stage_connect_server = Conectando con { $server }
stage_connect_server_slow = Esperando la respuesta de { $server }
stage_upload = Subiendo, { $done }
stage_upload_slow = Subiendo, { $done }. Esperando al primer relé
stage_upload_slow_direct = Subiendo, { $done }. Esperando a { $server }
stage_crossing = Enviado. Esperando la confirmación de { $server }
stage_crossing_slow = Aún se espera la confirmación de { $server }
stage_asked = Esperando la respuesta de { $server }
stage_asked_slow = Aún se espera la respuesta de { $server }
stage_download = Descargando, { $done }
stage_download_slow = Descargando, { $done }. Esperando a { $server }
stage_parts_sent = Subiendo, { $done } de { $total } confirmados
stage_parts_sent_slow = Subiendo, { $done } de { $total } confirmados. Esperando la parte siguiente
stage_parts_fetched = Descargando, { $done } de { $total }
stage_parts_fetched_slow = Descargando, { $done } de { $total }. Esperando la parte siguiente
stage_waiting =
    { $secs ->
        [one] Nada llega a { $server }. Próximo intento en un segundo
       *[other] Nada llega a { $server }. Próximo intento en { $secs } segundos
    }
stage_verify = Verificando
stage_open = Abriendo el sello
stage_save = Guardando

## Rows and cards

kept_until = se conserva hasta el { $day }
about_file = { $verb }: { $name }
progress_of = Progreso de { $name }
goes_now = Servidor de archivos: { $server }
goes_to = A { $host } a través de tres relés
comes_from = de { $server }
will_be_saved_in = Se guardará en { $folder }
home_folder = su carpeta personal
saved_in = guardado en { $folder }
is_shared = { $name } ya se puede recoger
is_received = { $name } se ha verificado y guardado
has_failed = { $name }: { $what }
test_passed = La subida ({ $upload } ms) y la descarga ({ $download } ms) funcionan.
relays =
    { $count ->
        [one] 1 relé
       *[other] { $count } relés
    }
hover_title = Suelte para compartir
hover_title_one = Suelte para compartir { $name }
hover_title_many = Suelte para compartir { $count } elementos

## Sizes, days, shares of a whole

percent = { $number } %
decimal = { $whole },{ $tenth }
thousands = .
list_comma = {", "}
newer_list_waits = Una lista de relés más reciente de «{ $network }» le espera. Le faltan { $gone } de los { $before } relés en uso, y puede que los demás no les pasen nada.
see_newer_list = Mire la lista más reciente. Pregunte a quien gestiona la red; úsela entonces e inténtelo de nuevo.
titled = { $title }: { $text }
two_sentences = { $first } { $second }
size_empty = vacío
size_bytes =
    { $count ->
        [one] 1 byte
       *[other] { $count } bytes
    }
size_kilo = { $number } kB
size_mega = { $number } MB
size_giga = { $number } GB
exact_size = { $number } B
size_sent = { $size }, enviado como { $sent }
sent_as = enviado como { $sent }
date = { $day } { $month } { $year }
day_and_time = { $day }, { $hour }:{ $minute } UTC
month_1 = ene
month_2 = feb
month_3 = mar
month_4 = abr
month_5 = may
month_6 = jun
month_7 = jul
month_8 = ago
month_9 = sept
month_10 = oct
month_11 = nov
month_12 = dic
in_minutes =
    { $count ->
        [one] dentro de 1 minuto
       *[other] dentro de { $count } minutos
    }
in_hours =
    { $count ->
        [one] dentro de 1 hora
       *[other] dentro de { $count } horas
    }
in_days =
    { $count ->
        [one] dentro de 1 día
       *[other] dentro de { $count } días
    }
minutes_ago =
    { $count ->
        [one] hace 1 minuto
       *[other] hace { $count } minutos
    }
hours_ago =
    { $count ->
        [one] hace 1 hora
       *[other] hace { $count } horas
    }
days_ago =
    { $count ->
        [one] hace 1 día
       *[other] hace { $count } días
    }

## Managing a shared file

delete_title = ¿Eliminar { $name } del servidor?
managed_deleted = La copia del servidor ya no existe.
managed_gone_already = El servidor ya no tenía ninguna copia.
managed_deleted_but =
    { $parts ->
        [one] El archivo ya no se puede descargar. No se pudo borrar una de sus partes; desaparece cuando el archivo habría caducado.
       *[other] El archivo ya no se puede descargar. No se pudieron borrar { $parts } de sus partes; desaparecen cuando el archivo habría caducado.
    }
managed_extended = El servidor lo conserva hasta el { $day }.
managed_not_extended = El servidor lo conserva hasta el { $day }, no más que antes.
downloads_of = Los destinatarios han comunicado { $told } de { $allowed } descargas.
downloads_told =
    { $told ->
        [one] Los destinatarios han comunicado 1 descarga.
       *[other] Los destinatarios han comunicado { $told } descargas.
    }
downloads_not_counted = Sus descargas no se cuentan.
kept_for = se conserva { $time }

## Relays in Settings

list_fetched = obtenida { $when }
list_ends = caduca { $when }
list_has_ended = caducó { $when }
standing_former_guard = fue su primer relé; en reposo, vuelve { $when }
standing_guard = su primer relé desde el { $day }
standing_guard_waiting = uno de sus primeros relés desde el { $day }, en espera
standing_kept_back = reservado como futuro primer relé
standing_not_reached = apartado, vuelve { $when }: otro relé no pudo contactar con él
standing_strikes = apartado, vuelve { $when }: falló tres veces
standing_usable = disponible
standing_worked = funcionó { $when }
new_guard_refused =
    .what = El primer relé no cambia.
    .why = Ha cambiado tres veces en 24 horas; se sorteará uno nuevo cuando el más antiguo de los tres lleve un día.
    .next = Inténtelo de nuevo mañana: cada nuevo primer relé es uno más que ve la dirección de este equipo.
new_guard_nobody_left =
    .what = El primer relé no cambia.
    .why = Todos los demás relés han estado hace poco en medio o al final de una ruta, o han fallado: como primer relé, uno de ellos podría saber quién es usted y qué servidor usa.
    .next = Use una lista con más relés, o inténtelo de nuevo dentro de unos días.

## The history

history_off = Desactivado. Lo guardado hasta ahora permanece hasta que usted lo borre.
history_waiting = Esperando al llavero de este sistema.
history_kept = Solo en este equipo, sellado con una clave guardada en el llavero de este sistema.
history_session = Solo hasta que salga del programa. { $why }
list_session = Esta lista se conserva solo hasta que salga del programa. { $why }
keyring_missing = Este sistema no tiene llavero.
keyring_refused = El llavero de este sistema está bloqueado o denegó el acceso.
keyring_silent = El llavero de este sistema no respondió.
history_file_fails = Su archivo no se puede leer o escribir. { $why }
history_file_newer = Una versión más reciente de Cloakroom escribió su archivo, que se deja como está.
file_is_damaged = está dañado
file_is_newer = lo escribió una versión más reciente
history_damaged =
    .what = No se pudo leer el historial de transferencias anteriores.
    .why = El archivo no se puede usar: { $why }.
    .next = Se ha empezado uno nuevo; el archivo antiguo es { $path }.
history_damaged_left =
    .what = No se pudo leer el historial de transferencias anteriores.
    .why = El archivo no se puede usar: { $why }.
    .next = Se ha dejado como está, y no se guardará nada hasta que usted lo borre.
history_no_key =
    .what = No se pudo leer el historial de transferencias anteriores.
    .why = El llavero de este sistema ya no tiene su clave.
    .next = Se ha empezado uno nuevo; el archivo antiguo es { $path }.
history_no_key_left =
    .what = No se pudo leer el historial de transferencias anteriores.
    .why = El llavero de este sistema ya no tiene su clave.
    .next = Se ha dejado como está, y no se guardará nada hasta que usted lo borre.
history_wiped =
    .what = El historial se ha borrado.
    .why = Su archivo y su clave ya no existen.
    .next = Los archivos recibidos y lo que conservan los servidores siguen como estaban.
history_key_not_wiped =
    .what = El historial no se ha borrado por completo.
    .why = Su archivo ya no existe, pero su clave puede seguir en el llavero. { $why }
    .next = Inténtelo de nuevo, o quite history.sealed de la carpeta de datos por su cuenta.
history_file_not_wiped =
    .what = El historial no se ha borrado por completo.
    .why = Su archivo puede seguir ahí. { $why }
    .next = Inténtelo de nuevo, o quite history.sealed de la carpeta de datos por su cuenta.
history_exported =
    .what =
        { $count ->
            [one] Se ha escrito 1 transferencia en el archivo.
           *[other] Se han escrito { $count } transferencias en el archivo.
        }
    .why = Contiene claves: quien lo lea puede recoger y leer los archivos que usted compartió.
    .next = Guárdelo como guardaría esos archivos, y elimínelo cuando ya no lo necesite.
history_not_exported =
    .what = El historial no se ha exportado.
    .why = No se pudo escribir el archivo, o no hay nada guardado.
    .next = Elija otro lugar.
saved_file_gone =
    .what = No se pudo abrir el archivo.
    .why = Ya no está donde se guardó, o no se puede leer.
    .next = Busque adónde se ha movido, o pídalo de nuevo.
open_program = { $name }: { $why } Ábralo solo si conoce al remitente y esperaba este archivo.

## What the desktop says when nobody looks at the window

file_is_shared = Ya se puede recoger un archivo
has_arrived = { $name } ha llegado
file_has_arrived = Ha llegado un archivo
did_not_arrive = No se pudo transferir { $name }
file_did_not_arrive = No se pudo transferir un archivo
notify_shared = Su código de recogida espera en Cloakroom.
notify_received = Se ha verificado y guardado.
notify_failed = Cloakroom indica el motivo.

## Notices

drop_while_modal =
    .what = Los archivos que soltó no se han compartido.
    .why = Había una pregunta abierta.
    .next = Respóndala y suéltelos de nuevo.
pointer_opened =
    .what = Se ha abierto otro código de recogida.
    .why = Un enlace o un programa lo ha abierto mientras este está aquí.
    .next = Elija cuál quiere ver.
clipboard_empty =
    .what = No se ha pegado nada.
    .why = En el portapapeles no hay ningún código de recogida ni ningún archivo.
    .next = Copie primero un código o un archivo.
picture_not_taken =
    .what = La imagen no se ha compartido.
    .why = Una imagen en el portapapeles aún no es un archivo.
    .next = Guárdela primero como archivo y suéltelo o elíjalo aquí.
clipboard_refused =
    .what = El código de recogida no se ha copiado.
    .why = El portapapeles del sistema no lo aceptó.
    .next = Inténtelo de nuevo; si otro programa ocupa el portapapeles, ciérrelo.
opener_failed =
    .what = No se pudo mostrar el archivo.
    .why = Ningún programa de este sistema lo aceptó.
    .next = Búsquelo en su carpeta de descargas.
defect =
    .what = La transferencia se detuvo.
    .why = Este programa ha cometido un error.
    .next = Inténtelo de nuevo; si vuelve a detenerse, comuníquelo.
no_network_for_list =
    .what = No se usó la lista de relés.
    .why = Lo que comparte se queda en este equipo: no hay ninguna red a la que puedan llevar esos relés.
    .next = Añada antes un servidor de archivos en Ajustes, o únase a una red con una invitación.
relays_missing =
    .what = Todavía no se puede acceder a este servidor.
    .why = Todavía ningún relé lleva a su red.
    .next = Elija una lista de relés en la que confíe.
file_missing =
    .what = No se ha encontrado { $name }, así que no se ha compartido.
    .why = Puede que se haya movido, o que este programa no tenga permiso para leerlo.
    .next = Elíjalo de nuevo en el lugar donde está ahora.
files_missing =
    .what = No se han encontrado { $count } archivos, así que no se han compartido.
    .why = Puede que se hayan movido, o que este programa no tenga permiso para leerlos.
    .next = Elíjalos de nuevo en el lugar donde están ahora.
entry_elsewhere =
    .what = { $name } no es un archivo de este equipo, así que no se ha compartido.
    .why = Es un enlace, o está en un lugar que este programa no puede leer.
    .next = Guárdelo primero en una carpeta y suéltelo desde ahí.
entries_elsewhere =
    .what = { $count } elementos no son archivos de este equipo y no se han compartido.
    .why = Son enlaces, o están en lugares que este programa no puede leer.
    .next = Guárdelos primero en una carpeta y suéltelos desde ahí.

## Who saw what

role_guard = Primer relé
role_middle = Relé intermedio
role_last = Último relé
role_server = Servidor de archivos
asked_delete = Eliminar el archivo
asked_download = Recoger el archivo
asked_extend = Pedir más plazo
asked_file_info = Consultar el archivo
asked_receipt = Avisar al remitente
asked_relay_list = Obtener la lista de relés
asked_server_info = Consultar qué admite el servidor
asked_status = Consultar las descargas
asked_upload = Almacenar el archivo
asked_again = { $what }, intento { $number }
answered = Con respuesta
answered_with = Respuesta: { $code }
no_answer = Sin respuesta: { $why }
note_direct = Sin relés: el servidor de archivos vio la dirección de este equipo.
note_same_bytes_back = La respuesta tenía el mismo aspecto en cada tramo: estos relés no sellan lo que devuelven.
relaxed_guard_is_last = El último relé fue su primer relé hace menos de diez días: la lista tiene muy pocos relés.
relaxed_guard_is_middle = El relé intermedio fue su primer relé hace menos de diez días: la lista tiene muy pocos relés.
relaxed_guard_is_new = El primer relé es nuevo en su selección de esta lista: en la lista no hay ningún otro.
relaxed_guard_returned = Ha vuelto un primer relé descartado: en la lista no hay ningún otro.
relaxed_guard_stood_elsewhere = El primer relé ocupó otro puesto en sus rutas hace menos de diez días: la lista tiene muy pocos relés.
relaxed_kept_back = Un relé reservado como futuro primer relé se usó en otro puesto: la lista tiene muy pocos relés.
relaxed_same_network = Hay relés de esta ruta en una misma red: la lista es demasiado pequeña.
relaxed_same_operator = Hay relés de esta ruta con un mismo operador: la lista es demasiado pequeña.
relaxed_set_aside = Se usó un relé que había fallado antes: en la lista no hay ningún otro.
fact_client_address = la dirección IP de este equipo
fact_content = nombre, tipo, tamaño exacto, contenido
fact_file_id = qué archivo
fact_next = relé siguiente: { $name }
fact_before = relé anterior: { $name }
fact_server = servidor { $name }
fact_up = { $bytes } de ida
fact_back = { $bytes } de vuelta
fact_when = cuándo: { $time }

## Keys on a transfer

row_key_arrows = Ir a la transferencia de arriba o de abajo
row_key_enter = Copiar el código, abrir el archivo o reintentar
row_key_delete = Cancelar o quitar de la lista
row_key_menu = Todo lo demás que se puede hacer
row_key_tab = Ir a los botones de la transferencia

## Errors: the person's own files and settings

was_cancelled =
    .what = Cancelado.
    .why = Usted lo detuvo.
    .next = Empiece de nuevo cuando quiera.
built_in_busy =
    .what = La red integrada no se ha iniciado.
    .why = { $why }
    .next = Cierre las demás ventanas de Cloakroom e inténtelo de nuevo.
built_in_no_locks =
    .what = La red integrada no se ha iniciado.
    .why = { $why }
    .next = Elija un servidor de archivos en Ajustes, o haga que CLOAKROOM_HOME nombre una carpeta en un disco de este equipo.
built_in_fails =
    .what = La red integrada no se ha iniciado.
    .why = { $why }
    .next = Compruebe que se puede escribir en la carpeta de datos e inténtelo de nuevo, o elija un servidor de archivos en Ajustes.
folder_of_another =
    .what = La carpeta { $folder } pertenece a otro usuario.
    .why = El dueño de esta carpeta podría leer sus códigos de recogida y elegir sus relés.
    .next = Inicie Cloakroom con el usuario al que pertenece, sin sudo, o haga que CLOAKROOM_HOME nombre una carpeta suya.
folder_open_to_others =
    .what = Otros usuarios pueden cambiar el contenido de la carpeta { $folder }.
    .why = Podrían leer sus códigos de recogida y elegir sus relés.
    .next = Compruebe que no haya nada ajeno en ella y ejecute: chmod go-w "{ $folder }". O haga que CLOAKROOM_HOME nombre una carpeta suya.
settings_not_kept =
    .what = No se pudieron guardar los ajustes.
    .why = { $why }
    .next = { $next }
no_home =
    .what = Cloakroom no tiene carpeta para sus ajustes.
    .why = Esta cuenta no tiene carpeta personal.
    .next = Indique una carpeta propia en CLOAKROOM_HOME.
settings_not_read =
    .what = No se pueden leer sus ajustes, así que no se envía nada.
    .why = { $why } Están en { $file }.
    .next = { $next }
relay_memory_not_read =
    .what = No se conocen sus primeros relés, así que no se envía nada por relés.
    .why = { $why } Está en { $file }.
    .next = Corríjalo o mueva el archivo a otro lugar: entonces se elegirán nuevos primeros relés, que verán la dirección de este equipo.
built_in_key_fails =
    .what = La red integrada no se ha iniciado.
    .why = { $why }
    .next = Después, inténtelo de nuevo o elija un servidor de archivos en los ajustes.
default_settings_used =
    .what = Ahora se usan los ajustes predeterminados.
    .why = { $why }
    .next = Elija de nuevo servidor, relés y proxy, o corrija el archivo antiguo.
settings_read_again =
    .what = Sus ajustes se pueden leer de nuevo y ya están en uso.
    .why = Su archivo se ha corregido entretanto.
    .next = Intente de nuevo lo que falló antes.
own_record_fails =
    .what = No se puede usar el registro de los archivos que ha compartido.
    .why = { $why }
    .next = { $next }
not_owner =
    .what = Eso solo puede hacerlo quien compartió este archivo.
    .why = En este equipo no consta que se compartiera: se hizo desde otro lugar, lo hizo otra persona o el servidor no reconoce propietarios.
    .next = Hágalo en el equipo y con la cuenta que se usaron para compartir el archivo.
file_changed =
    .what = El archivo no se ha compartido.
    .why = Cambió mientras se leía.
    .next = Espere a que ya no se escriba en él y compártalo de nuevo.
file_is_none =
    .what = Esto no se puede compartir.
    .why = No es un archivo normal.
    .next = Elija un archivo.
file_not_read =
    .what = No se pudo leer el archivo.
    .why = { $why }
    .next = { $next }
file_of_wrong_size =
    .what = El archivo no se ha compartido.
    .why = Según el sistema tiene { $said } bytes, y se leyeron { $read }.
    .next = Cópielo en una carpeta propia y comparta la copia.
file_too_large =
    .what = El archivo es demasiado grande para compartirlo.
    .why = Tiene { $length } bytes; a este servidor se pueden enviar hasta { $limit }.
    .next = Comparta solo una parte.
names_too_long =
    .what = La carpeta es demasiado grande para compartirla.
    .why = Los nombres de sus archivos son demasiado largos en conjunto.
    .next = Comparta una parte de ella.
nothing_to_share =
    .what = No hay nada que compartir.
    .why = No se ha elegido nada, o la carpeta no contiene ningún archivo que se pueda compartir.
    .next = Elija un archivo o una carpeta que contenga archivos.
one_of_several =
    .what = Lo que ha elegido no se ha compartido.
    .why = Se trata de { $path }. { $why }
    .next = { $next }
too_many_entries =
    .what = La carpeta es demasiado grande para compartirla.
    .why = Contiene más de { $limit } archivos y carpetas vacías.
    .next = Comparta una parte de ella, o comprímala en un solo archivo.
no_place =
    .what = Ahí no se puede guardar nada, así que no se recogió nada.
    .why = { $why }
    .next = Elija otra carpeta.
not_saved =
    .what = El archivo llegó entero, pero no se pudo guardar.
    .why = { $why }
    .next = Elija otra carpeta o libere espacio, y recójalo de nuevo.

## Errors: pointers and what they describe

pointer_changed =
    .what = Este código de recogida se ha alterado por el camino.
    .why = Su suma de comprobación no cuadra: se cambiaron, perdieron o añadieron caracteres.
    .next = Pida al remitente que lo envíe de nuevo, como una sola línea de texto.
pointer_cut_off =
    .what = Este código de recogida está cortado.
    .why =
        { $missing ->
            [one] Falta al menos 1 carácter al final.
           *[other] Faltan al menos { $missing } caracteres al final.
        }
    .next = Cópielo de nuevo, hasta el final.
pointer_newer =
    .what = Este código de recogida se creó con una versión más reciente.
    .why = Contiene entradas que esta versión no conoce.
    .next = Use una versión más reciente de Cloakroom.
pointer_not_found =
    .what = En este texto no hay ningún código de recogida.
    .why = Un código de recogida es una sola palabra que empieza por cloak1.
    .next = Copie el código entero y péguelo aquí.
pointer_text_too_long =
    .what = Este texto es demasiado largo.
    .why = Los códigos de recogida se buscan en textos de hasta 64 KiB.
    .next = Pegue solo el código.
pointer_invalid =
    .what = Este código de recogida no se puede usar.
    .why = Llegó entero, pero lo que contiene no forma un código de recogida.
    .next = Pida al remitente que comparta el archivo de nuevo.
foreign_built_in =
    .what = Este archivo no se puede recoger desde aquí.
    .why = El código se creó en la red integrada de otro equipo, que nunca sale de ese equipo.
    .next = Pida al remitente que elija un servidor de archivos y comparta el archivo de nuevo. Si ese servidor funciona en este equipo, añada en su lugar su lista de relés.
needs_newer =
    .what = Esta versión no puede recoger lo que describe el código.
    .why = { $why }
    .next = Use una versión más reciente de Cloakroom.
why_newer_words = Está protegido con palabras.
other_digest =
    .what = El archivo descargado no corresponde a su código. No se ha guardado nada.
    .why = Su SHA-256 es otro: el archivo se alteró en el servidor o por el camino.
    .next = Recójalo una vez más; si vuelve a ocurrir, pida al remitente que lo comparta de nuevo.
other_description =
    .what = El archivo descargado no corresponde a su código. No se ha guardado nada.
    .why = El código no describe este archivo: el nombre, el tipo o la longitud difieren de los sellados.
    .next = No confíe en este código; pida otro al remitente.
other_key =
    .what = El archivo descargado no corresponde a su código. No se ha guardado nada.
    .why = La clave del código no es la de este archivo.
    .next = Pida otra vez el código al remitente.
newer_seal =
    .what = Este archivo se selló con una versión más reciente. No se ha guardado nada.
    .why = Su cabecera contiene entradas que esta versión no conoce.
    .next = Use una versión más reciente de Cloakroom.
broken_seal =
    .what = El archivo descargado no corresponde a su código. No se ha guardado nada.
    .why = El sello está roto, o lo que hay dentro no es un archivo sellado.
    .next = Recójalo una vez más; si vuelve a ocurrir, pida al remitente que lo comparta de nuevo.
other_folder =
    .what = La carpeta descargada no es válida. No se ha guardado nada.
    .why = Su lista de archivos incumple las reglas que protegen los demás archivos de este equipo.
    .next = No confíe en este código; pida otro al remitente.
other_parts =
    .what = El archivo descargado no corresponde a su código.
    .why = La lista de sus partes, o una de las partes, no es la que debería ser.
    .next = No confíe en este código; pida otro al remitente.
broken_part =
    .what = Una parte del archivo no corresponde a la lista de partes.
    .why = Su SHA-256 es otro: la parte se modificó en el servidor o por el camino.
    .next = Descárguelo otra vez; si vuelve a ocurrir, pida al remitente que lo comparta de nuevo.
no_such_entry =
    .what = No se descargó nada.
    .why = No hay nada en { $path } dentro de la carpeta.
    .next = Mire la lista de lo que contiene y escriba la ruta como aparece allí.
unfinished_damaged =
    .what = Esta transferencia no puede continuar.
    .why = El registro de hasta dónde llegó está dañado.
    .next = Descártela y empiece la transferencia de nuevo.
unfinished_newer =
    .what = Esta transferencia no puede continuar.
    .why = La empezó una versión más reciente de Cloakroom.
    .next = Use esa versión o descarte la transferencia.
unfinished_other_key =
    .what = Esta transferencia no puede continuar.
    .why = Ya no está la clave que abre el registro de hasta dónde llegó.
    .next = Descártela y empiece la transferencia de nuevo.
unfinished_unknown =
    .what = No existe esa transferencia sin terminar.
    .why = Ya terminó o se descartó.
    .next = Mire la lista de transferencias sin terminar.
unfinished_under_way =
    .what = Esta transferencia ya está en curso.
    .why = Otra ventana u otra orden de Cloakroom continúa con ella.
    .next = Espere a que termine.
unfinished_not_read =
    .what = Esta transferencia no puede continuar.
    .why = No se puede leer el registro de hasta dónde llegó: { $why }
    .next = { $next }
unfinished_not_written =
    .what = La transferencia se detuvo.
    .why = No se puede anotar hasta dónde llegó: { $why }
    .next = { $next }
misleading_name =
    .what = Este archivo no es lo que dice su nombre.
    .why = Por su nombre es { $name }; por su contenido, { $content }.
    .next = Ábralo solo si sabe por qué el remitente lo llamó así.
an_archive = un archivo comprimido
a_document = un documento
a_medium = un archivo de sonido o vídeo
a_picture = una imagen
a_program = un programa
a_script = un script
a_text = un texto
a_web_page = una página web
a_java_program = un programa para Java o Android
a_linux_program = un programa para Linux
a_mac_program = un programa para macOS
a_shortcut = un acceso directo que inicia otra cosa
a_windows_program = un programa para Windows

## Errors: addresses, proxies and relay lists

no_server_address =
    .what = Esto no es la dirección de un servidor de archivos.
    .why = { $why }
    .next = Péguela tal como la dio su operador: http://host:port#p= y 64 letras y cifras.
no_proxy_address =
    .what = Esto no es la dirección de un proxy.
    .why = { $why }
    .next = Escríbala como socks5://host:port; la de Tor es socks5://127.0.0.1:9050.
no_relay_line =
    .what = Esto no es la línea de una lista de relés.
    .why = { $why }
    .next = Péguela tal como la dio su autor: https://host/relays.json#k= y 64 letras y cifras.
proxy_no_socks =
    .what = No se pudo usar el proxy; no se envió nada.
    .why = Lo que responde en { $proxy } no habla SOCKS5.
    .next = Corrija la dirección del proxy, o prescinda de él.
proxy_refused =
    .what = El proxy rechazó la conexión; no se envió nada.
    .why = { $proxy } no acepta este nombre de usuario y esta contraseña, o los exige.
    .next = Corríjalos: socks5://user:password@host:port.
proxy_unreachable =
    .what = No se pudo contactar con el proxy; no se envió nada.
    .why = Nada responde en { $proxy }.
    .next = Inícielo, corrija su dirección o prescinda de él.
no_relays =
    .what = Ninguno de sus relés da acceso a este servidor.
    .why = No se envió nada: sin relés, el servidor vería la dirección IP de este equipo.
    .next = Pida una invitación a esa red o añada una lista de relés; o, si el servidor puede conocer la dirección de este equipo, conéctese directamente.
relays_offered =
    .what = Ninguno de sus relés da acceso a este servidor, pero el código indica una lista de relés.
    .why = Al obtener la lista, { $host } ve una vez la dirección de este equipo; quien la firma elige los relés que usted usa.
    .next = Acepte la lista para este servidor o añada relés propios.
relay_file_fails =
    .what = No se pudo leer la lista de relés.
    .why = { $why }
    .next = { $next }
relay_list_refused =
    .what = No se ha aceptado la lista de relés.
    .why = { $why }
    .next = Pida una nueva a quien la hizo.
newer_relay_list_refused =
    .what = No se ha aceptado la lista de relés.
    .why = { $why }
    .next = Revise la línea, o pida una lista nueva a quien la firma; si aquí ya hay una, se sigue usando.
relay_list_ended =
    .what = No hay relés que usar.
    .why = La lista de relés ha caducado, y ningún servidor ha entregado otra más reciente.
    .next = Vuelva a añadir su línea para obtenerla del sitio que la publica, o elija otros relés.
relay_list_not_fetched =
    .what = No se pudo obtener la lista de relés.
    .why = Se preguntó a { $host }. { $why }
    .next = Compruebe la red y la línea, e inténtelo de nuevo.
relay_list_not_here =
    .what = No hay relés que usar.
    .why = Los ajustes indican una lista de relés que nunca se obtuvo en este equipo.
    .next = Vuelva a añadir su línea para obtenerla del sitio que la publica.
many_relays_gone =
    .what = No se envía nada en esta red hasta que mire su lista de relés más reciente.
    .why = Le faltan { $gone } de los { $before } relés de la anterior. Después de mucho tiempo puede ser normal; o alguien se ha apoderado del servidor.
    .next = Pregunte a quien gestiona la red y acepte después la lista.
relay_lists_not_read =
    .what = No se pueden leer sus listas de relés, así que no se envía nada por ellos.
    .why = { $why } Está en { $file }.
    .next = Corríjalo, o mueva el archivo a otro lugar y vuelva a añadir sus listas.
relay_list_not_stored =
    .what = No se pudo guardar la lista de relés.
    .why = { $why }
    .next = { $next }
service_node_file_wrong =
    .what = El archivo no describe ninguna red de nodos de servicio.
    .why = { $why }
    .next = Pida el archivo completo a quien lo hizo.
seeds_fail =
    .what = No se pudieron pedir los nodos de servicio de la red.
    .why = Se preguntó al último de sus nodos semilla. { $why }
    .next = Compruebe la red e inténtelo más tarde, o elija otros relés.

## Errors: invitations and networks

invitation_changed =
    .what = Esta invitación se ha alterado por el camino.
    .why = Su suma de comprobación no cuadra: se cambiaron, perdieron o añadieron caracteres.
    .next = Pídala de nuevo, en una sola línea de texto o como archivo.
invitation_cut_off =
    .what = Esta invitación está cortada.
    .why = Faltan al menos { $missing } caracteres al final.
    .next = Cópiela de nuevo, hasta el final.
invitation_expired =
    .what = Esta invitación ha caducado.
    .why = Ya nadie se une con ella. Quien se ha unido sigue siendo miembro.
    .next = Pida una nueva.
invitation_invalid =
    .what = Esta invitación no se puede usar.
    .why = Sus partes no encajan.
    .next = Pida una nueva a quien gestiona la red.
invitation_malformed =
    .what = Esta invitación no se puede usar.
    .why = Está completa, pero no tiene la forma de una invitación.
    .next = Pida una nueva a quien gestiona la red.
invitation_newer =
    .what = Esta invitación se creó con una versión más reciente.
    .why = Contiene entradas que esta versión no conoce.
    .next = Use una versión más reciente de Cloakroom.
invitation_not_found =
    .what = En este texto no hay ninguna invitación.
    .why = Una invitación empieza por cloakin1.
    .next = Copie todo el mensaje, o elija el archivo.
invitation_text_too_long =
    .what = Este texto es demasiado largo para buscar en él una invitación.
    .why = Tiene más de 64 KiB.
    .next = Copie solo la parte con la invitación.
invite_list_ended =
    .what = Ahora no hay invitación.
    .why = La lista de relés de la red ha caducado.
    .next = Comparta o recoja antes algo en esta red: eso trae la lista nueva.
invite_none_serves =
    .what = Todavía no hay invitación.
    .why = Ningún relé de la red atiende a su servidor; uno tiene que ser el último de una ruta.
    .next = Espere a que se una un relé así.
invite_not_made =
    .what = No hay invitación.
    .why = La dirección del servidor y el nombre son demasiado largos juntos.
    .next = Dé a la red un nombre más corto.
invite_too_few =
    .what = Todavía no hay invitación.
    .why = Se conocen { $relays } de 3 relés.
    .next = Espere a que la red tenga tres relés y vuelva a intentarlo.
invite_without_path =
    .what = Todavía no hay invitación.
    .why = Ningún trío de relés de la red forma una ruta: ninguno puede compartir operador, o parte de internet, con otro.
    .next = Espere a que se unan otros relés.
join_for_relays =
    .what = No se ha unido a la red.
    .why = Esta invitación es para añadir un relé y nombra muy pocos relés para usar la red.
    .next = Pida una invitación para personas.
join_other_relays =
    .what = No se ha unido a la red.
    .why = Ya usa su servidor, como «{ $name }», a través de otros relés.
    .next = Conserve los suyos, o sustitúyalos si confía en quien eligió los otros.
join_private_relays =
    .what = No se ha unido a la red.
    .why = Menos de tres de sus relés tienen direcciones en internet.
    .next = Pida una invitación nueva a quien gestiona la red.
join_without_path =
    .what = No se ha unido a la red.
    .why = Sus relés no forman ninguna ruta que le oculte. { $why }
    .next = Pida una invitación con otros relés, o deje que las reglas cedan en esta red.
join_wrong_access_word =
    .what = No se ha unido a la red.
    .why = Su servidor rechazó la palabra de acceso de la invitación.
    .next = Pida una invitación nueva.
no_invitation =
    .what = No hay invitación.
    .why = Los relés de este servidor vienen de un archivo o de la red de Session; nadie más podría comprobar la lista.
    .next = Use una lista de relés con dirección, o únase a una red que lleve su propia lista.

## Errors: what the server says

access_word_wanted =
    .what = El archivo no se ha almacenado.
    .why = El servidor solo almacena archivos de quien conoce su palabra de acceso.
    .next = Pida la palabra a su operador e introdúzcala.
access_word_wrong =
    .what = El archivo no se ha almacenado.
    .why = La palabra de acceso no es la que pide el servidor.
    .next = Revise la palabra, y pregunte al operador del servidor si ha cambiado.
server_asks_differently =
    .what = El archivo no se ha enviado.
    .why = El servidor pidió una cosa una vez y otra la siguiente. Un servidor que pide a cada cual algo distinto podría distinguir a las personas.
    .next = Si su operador acaba de cambiar los ajustes, inténtelo de nuevo; si sigue así, elija otro servidor.
server_full =
    .what = El archivo no se ha almacenado.
    .why = El servidor está lleno.
    .next = Inténtelo más tarde, o elija otro servidor.
server_too_full =
    .what = No se envió nada.
    .why = Ocupa { $needed } en el servidor, al que le quedan { $free }.
    .next = Elija otro servidor o comparta solo una parte.
server_without_owners =
    .what = Este servidor no permite gestionar los archivos.
    .why = No sabe quién compartió un archivo; olvida cada uno cuando vence su plazo.
    .next = La próxima vez, comparta por medio de un servidor de Cloakroom.
file_not_extendable =
    .what = Este servidor no conserva este archivo por más tiempo.
    .why = Da a los archivos como este un plazo fijo que nadie puede cambiar.
    .next = Si se necesita más tiempo, vuelva a compartirlo antes de que venza.
server_without_receipts =
    .what = El archivo no se ha compartido.
    .why = Este servidor no puede contar ni limitar las descargas.
    .next = Comparta sin recuento ni límite, o elija otro servidor.
file_not_there =
    .what = El servidor no tiene este archivo.
    .why = Puede haber caducado, haberse eliminado o haber alcanzado su número de descargas.
    .next = Pida al remitente que lo comparta de nuevo.
server_nonsense =
    .what = La respuesta del servidor no corresponde a la solicitud.
    .why = Confirmó bytes distintos de los enviados, o envió algo que no se puede leer.
    .next = Inténtelo de nuevo; si sigue igual, elija otro servidor.
server_busy =
    .what = El servidor está ocupado o tiene problemas.
    .why = Respondió { $code } cada vez que se le preguntó.
    .next = Inténtelo más tarde.
server_refused =
    .what = El servidor rechazó la solicitud.
    .why = Respondió { $code }.
    .next = Elija otro servidor, o pregunte a su operador.
file_still_there =
    .what = El servidor no elimina lo que dice eliminar.
    .why = Siguió entregando el archivo de prueba después de confirmar su eliminación.
    .next = Avise al operador del servidor, o elija otro servidor.
too_large_for_server =
    .what = El archivo es demasiado grande para este servidor.
    .why = No indicó cuánto admite.
    .next = Elija otro servidor, o un archivo más pequeño.
too_large_for_server_of =
    .what = El archivo es demasiado grande para este servidor.
    .why = Admite hasta { $limit } bytes, contados después de rellenar.
    .next = Elija otro servidor, o un archivo más pequeño.
time_refused =
    .what = El servidor no conserva archivos durante ese tiempo.
    .why = Los conserva de 1 a { $hours } horas.
    .next = Pida un tiempo entre esos dos.
time_maybe_refused =
    .what = El servidor lo ha rechazado.
    .why = Ha respondido 400 sin decir por qué. Puede que no conserve archivos durante { $time }.
    .next = Pida un tiempo más corto o el habitual del servidor.
unknown_work =
    .what = El archivo no se ha almacenado.
    .why = El servidor pide un tipo de cálculo que esta versión no conoce: es de otra versión, como la 0.1.
    .next = Pida a su operador que lo actualice, actualice Cloakroom o elija otro servidor.
work_refused =
    .what = El archivo no se ha almacenado.
    .why = El servidor no aceptó el cálculo que había pedido.
    .next = Inténtelo de nuevo; si sigue igual, elija otro servidor.

## Errors: on the way. `tried` stands inside sentences as { $tried }.

tried =
    { $count ->
        [one] una vez
       *[other] { $count } veces
    }
network_blocks =
    .what = Esta red bloquea los relés.
    .why = No respondió ninguno de sus primeros relés, ni los tres que se pueden probar en su lugar en un día.
    .next = Compruebe que este equipo tiene conexión, o pruebe desde otra red.
connection_broke =
    .what = La conexión se cortó antes de acabar la transferencia.
    .why = Se intentó { $tried }.
    .next = Compruebe la red e inténtelo de nuevo.
request_not_built =
    .what = No se pudo construir la solicitud.
    .why = El nombre o la clave del servidor no sirven para una solicitud cebolla.
    .next = Elija otro servidor.
direct_unreachable =
    .what = No se pudo llegar al servidor de archivos.
    .why = Se intentó { $tried }: el servidor está apagado, su nombre no lleva a ninguna parte o esta red lo bloquea.
    .next = Compruebe la red y la dirección del servidor e inténtelo de nuevo.
direct_foreign_answer =
    .what = Otra cosa respondió en lugar del servidor de archivos.
    .why = La respuesta no estaba sellada por el servidor; se intentó { $tried }. Las redes de hoteles y trenes responden con una página de acceso.
    .next = Abra un navegador, inicie sesión en la red e inténtelo de nuevo.
first_unreachable =
    .what = No se pudo contactar con el primer relé.
    .why = Se intentó { $tried }: el relé está apagado, tiene una clave distinta de la de su lista o esta red lo bloquea.
    .next = Compruebe la red y la lista de relés, e inténtelo de nuevo.
answer_malformed =
    .what = La respuesta del servidor no se puede leer.
    .why = Quizá no sea un servidor de archivos, o sea uno más reciente.
    .next = Compruebe la dirección del servidor.
answer_plain =
    .what = No volvió ninguna respuesta del servidor.
    .why = Alguien en la ruta respondió { $status }, { $tried }; nadie avala esa respuesta.
    .next = Inténtelo más tarde, o use otra lista de relés.
relay_failed =
    .what = Falló un relé de la ruta.
    .why = Respondió { $status }; se intentó { $tried }, por relés distintos donde los hay.
    .next = Inténtelo más tarde, o use otra lista de relés.
relay_unreachable =
    .what = No se pudo contactar con un relé de la ruta.
    .why = Lo comunicó el relé anterior; se intentó { $tried }.
    .next = Inténtelo más tarde, o use otra lista de relés.
server_plain =
    .what = Otra cosa respondió en lugar del servidor de archivos.
    .why = Respondió { $status } sin abrir la solicitud; se intentó { $tried }.
    .next = Inténtelo más tarde, o pregunte al operador del servidor.
server_not_served =
    .what = El último relé no da acceso a este servidor.
    .why = Su operador permite otros servidores, o ninguno.
    .next = Use una lista cuyos relés den acceso a este servidor.
server_unreachable =
    .what = No se pudo contactar con el servidor de archivos.
    .why = Lo comunicó el último relé; se intentó { $tried }.
    .next = Inténtelo más tarde, o pregunte al operador del servidor.
server_wrong_key =
    .what = El servidor de archivos no tiene la clave de su dirección.
    .why = Su dirección es errónea, su clave ha cambiado u otra cosa responde en su lugar.
    .next = Pida la dirección a su operador.
answer_tampered =
    .what = Una respuesta se alteró por el camino y se ha rechazado.
    .why = Un relé de la ruta está averiado o es hostil; se intentó { $tried }.
    .next = Inténtelo de nuevo; si sigue igual, use otra lista de relés.
timed_out =
    .what = La transferencia tardó demasiado y se ha interrumpido.
    .why = No llegó ninguna respuesta durante demasiado tiempo; se intentó { $tried }. Quizá el servidor esté bloqueado o el camino hasta él sea lento.
    .next = Inténtelo más tarde. Si otros servidores funcionan, pregunte al operador de este.
no_path_guard =
    .what = No hay ruta hasta este servidor.
    .why = No quedó ningún relé para el primer puesto: { $reasons }.
    .next = Use una lista con más relés, de los que al menos uno dé acceso a este servidor; o permita rutas más débiles para esta lista corta.
no_path_middle =
    .what = No hay ruta hasta este servidor.
    .why = No quedó ningún relé para el puesto intermedio: { $reasons }.
    .next = Use una lista con más relés, de los que al menos uno dé acceso a este servidor; o permita rutas más débiles para esta lista corta.
no_path_last =
    .what = No hay ruta hasta este servidor.
    .why = No quedó ningún relé para el último puesto: { $reasons }.
    .next = Use una lista con más relés, de los que al menos uno dé acceso a este servidor; o permita rutas más débiles para esta lista corta.
rejected_not_serving = { $count } sin acceso a este servidor
rejected_on_this_path = { $count } ya en la ruta
rejected_is_guard =
    { $count ->
        [one] { $count } primer relé actual o reciente
       *[other] { $count } primeros relés actuales o recientes
    }
rejected_dropped =
    { $count ->
        [one] { $count } primer relé descartado
       *[other] { $count } primeros relés descartados
    }
rejected_kept_back =
    { $count ->
        [one] { $count } reservado como primer relé
       *[other] { $count } reservados como primeros relés
    }
rejected_not_a_guard =
    { $count ->
        [one] { $count } que no es un primer relé
       *[other] { $count } que no son primeros relés
    }
rejected_same_network = { $count } en la red de otro
rejected_same_operator = { $count } del operador de otro
rejected_set_aside =
    { $count ->
        [one] { $count } apartado por fallos
       *[other] { $count } apartados por fallos
    }
rejected_stood_elsewhere = { $count } en medio o al final hace poco
rejected_too_many_new = { $count } sin consultar, pues hoy ya hubo tres primeros relés nuevos
rejected_too_new = { $count } de incorporación muy reciente para ser primer relé
rejected_failed =
    { $count ->
        [one] { $count } que acaba de fallar
       *[other] { $count } que acaban de fallar
    }

## Errors: the reason under another error, each a whole sentence

why_built_in_busy = Otro proceso tiene ocupada la red integrada y no responde.
why_built_in_no_locks = El disco de su carpeta no admite bloqueos: dos ventanas podrían ejecutarla a la vez y dañarla.
why_built_in_folder = No se puede usar la carpeta de la red integrada.
why_settings_invalid = No se entienden los ajustes: { $reason }.
why_settings_line_invalid = No se entiende la línea { $line } de los ajustes: { $reason }.
why_settings_misplaced = Línea { $line } de los ajustes: «{ $key }» no tiene efecto en ese lugar.
why_settings_misspelled = Línea { $line } de los ajustes: no hay ningún ajuste llamado «{ $key }»; probablemente se quiso escribir «{ $meant }».
why_settings_newer = Los ajustes los escribió una versión más reciente.
why_no_home = No hay carpeta personal.
why_settings_unreadable = No se pueden leer los ajustes.
why_settings_unwritable = No se pueden escribir los ajustes.
why_record_damaged = El registro de lo que ha compartido está dañado.
why_record_newer = El registro de los archivos compartidos lo escribió una versión más reciente.
why_record_unreadable = No se puede leer el registro de los archivos compartidos.
why_record_unwritable = No se puede escribir el registro de los archivos compartidos.
why_relays_damaged = El registro de sus relés está dañado.
why_relays_newer = El registro de sus relés lo escribió una versión más reciente.
why_relays_unreadable = No se puede leer el registro de sus relés.
why_fetch_broken = La conexión se cortó.
why_fetch_cancelled = Se canceló.
why_fetch_redirected = Remite a otra dirección, que no se sigue.
why_fetch_status = Respondió { $status }.
why_fetch_timed_out = Tardó demasiado.
why_fetch_too_large = Lo que respondió es demasiado grande.
why_fetch_unreachable = No se puede contactar con él, o no demuestra ser el que debería.
why_nodes_malformed = Su respuesta no se puede leer.
why_nodes_too_few =
    { $count ->
        [one] Indicó 1 nodo utilizable; una ruta necesita tres.
       *[other] Indicó { $count } nodos utilizables; una ruta necesita tres.
    }
why_list_backwards = La lista caduca antes de la fecha en que se emite.
why_list_duplicate = Dos entradas tienen la misma clave.
why_list_entry = La entrada { $index } no es un relé: { $what }.
why_list_expired = La lista ha caducado.
why_list_malformed = Esto no es una lista de relés: { $what }.
why_list_newer = La lista se creó con una versión más reciente.
why_list_not_yet = La lista lleva una fecha futura; si no lo es, el reloj de este equipo va mal.
why_list_older = La lista es más antigua que la que ya se tiene.
why_list_same_date = La lista no es la que ya se tiene, aunque ambas llevan la misma fecha; quien la hace debe fecharla de nuevo.
why_list_too_few =
    { $count ->
        [0] La lista no tiene relés; una ruta necesita tres.
        [one] La lista tiene 1 relé; una ruta necesita tres.
       *[other] La lista tiene { $count } relés; una ruta necesita tres.
    }
why_list_too_large = La lista es más grande de lo que los servidores de archivos pueden entregar.
why_list_too_long = La lista es más grande de lo permitido.
why_list_unsigned = La lista no está firmada.
why_list_wrongly_signed = La lista no está firmada con la clave con la que se añadió.
why_proxy_behind = No puede haber nada detrás del puerto.
why_proxy_host = Falta el host.
why_proxy_login = El nombre de usuario y la contraseña deben tener de 1 a 255 bytes cada uno.
why_proxy_port = Falta el puerto; Tor escucha en el puerto 9050.
why_proxy_scheme = Solo se puede usar un proxy SOCKS5.
why_save_altered = Lo que ya había llegado se ha modificado o borrado entretanto.
why_save_create = No se puede crear ningún archivo en la carpeta.
why_save_folder = No se puede usar la carpeta.
why_save_names = Todos los nombres como este están ocupados.
why_save_no_room = Se necesitan { $needed } y quedan { $free } libres.
why_save_no_regular_file = Ese nombre es el de una tubería, un dispositivo o un socket.
why_save_rename = No se puede dar al archivo su nombre.
why_save_too_long = Un archivo de { $size } es demasiado grande para el sistema de archivos de este disco, como para FAT32 a partir de 4 GB.
why_save_write = No se puede escribir el archivo.
why_url_host = El host o el puerto no se pueden usar.
why_url_id = El identificador de un archivo consta de 1 a 64 letras, cifras, guiones bajos y guiones.
why_url_key = Una clave tiene 64 caracteres, de 0 a 9 y de a a f. Esta no los tiene, o no sirve: copie la línea entera.
why_url_no_file = La URL debe indicar un archivo y nada detrás de él.
why_url_no_list_key = Falta la clave de la lista (#k=…).
why_url_no_server_key = Falta la clave del servidor (#p=…).
why_url_none = Esto no es una URL.
why_url_not_canonical = La URL no está en su única forma canónica.
why_url_path = La URL tiene una ruta, una consulta o un fragmento que no le corresponde.
why_url_scheme = La URL debe empezar por http:// o https://.
why_url_user = La URL contiene un nombre de usuario o una contraseña.
why_line_too_long = La línea es más larga de lo permitido.
next_newer = Use la versión más reciente de Cloakroom que lo escribió.
next_settings_invalid = Corríjalo y reinicie el programa, o continúe con los ajustes predeterminados: el archivo antiguo se conserva.
next_record_damaged = Ponga en su lugar una copia de owned.json o muévalo: lo que compartió antes ya no podrá eliminarse desde aquí.
next_not_found = Compruebe el nombre y que el disco esté conectado.
next_permission_denied = Dese permiso o elija otro lugar.
next_storage_full = Libere espacio en ese disco.
next_read_only = Elija un lugar en el que se pueda escribir.
next_too_many_files = Cierre algunas ventanas o programas e inténtelo de nuevo.
next_other = Inténtelo de nuevo. Si vuelve a ocurrir, compruebe el disco y su conexión.
io_already_exists = Ya existe algo con ese nombre.
io_not_a_folder = Una parte de la ruta no es una carpeta.
io_not_found = No existe ese archivo o carpeta.
io_other = El sistema dice: { $detail }.
io_permission_denied = El sistema no lo permite.
io_read_only = Está en un lugar de solo lectura.
io_storage_full = No queda espacio.

## Who saw what besides, and lists that are kept

role_proxy = Proxy
role_list_host = Equipo de la lista
role_seed = Nodo semilla
asked_list_host = Obtener una lista de relés de su equipo
asked_session_nodes = Pedir los nodos de servicio a un nodo semilla
no_list_came = No llegó ninguna lista
proxy_not_usable = No se pudo usar el proxy
note_direct_by_proxy = Por el proxy, sin relés: el proxy vio la dirección de este equipo y el servidor de archivos.
note_straight = A quien da la lista se le pregunta directamente, sin ruta.
fact_host = conecta con: { $name }
fact_proxy_address = la dirección con la que sale el proxy
fact_relay_list = qué lista de relés usa
fact_transfer = qué transfiere y con qué servidor
list_issued = publicada { $when }
list_asked = se pidió otra más reciente { $when }
unnamed_list = Una lista sin nombre
other_lists = Otras listas guardadas aquí
list_kept = Guardada, no se usa.
list_accepted = De un código de recogida, se usa solo con { $servers }.
short_list = Permitir rutas más débiles donde la lista tenga muy pocos relés
short_list_about = Entonces puede haber en una misma ruta relés de un mismo operador o de una misma red, y un relé que fue su primero puede estar en medio o al final, o al revés. «Quién vio qué» lo indica cada vez.
all_tries = Todo en conjunto, en { $count } intentos
in_tries =
    { $count ->
        [one] en 1 intento
       *[other] en { $count } intentos
    }
links_both = pudo ver la dirección IP de este equipo y el servidor
links_address = pudo ver la dirección IP de este equipo, no el servidor
links_address_and_list = pudo ver la dirección IP de este equipo y qué lista de relés usa, ninguna transferencia
links_list = pudo ver qué lista de relés usa, ninguna transferencia
links_neither = no pudo ver ni la dirección IP de este equipo ni el servidor
links_server = pudo ver el servidor, no la dirección IP de este equipo

## Settings, options and rows besides

access_word = Palabra de acceso
access_word_about = Solo si el operador del servidor le dio una. Va con cada envío a este servidor.
access_word_is_kept = Hay una guardada para este servidor y va con cada envío.
enter_access_word = Introducir palabra
change_access_word = Cambiar la palabra
keep_access_word = Guardar la palabra
forget_access_word = Olvidar la palabra de acceso de
access_word_kept = La palabra de acceso está guardada.
access_word_forgotten = La palabra de acceso está olvidada.
access_word_invalid =
    .what = Esto no es una palabra de acceso.
    .why = Una palabra de acceso tiene de 1 a 64 letras, cifras y signos de ASCII simple.
    .next = Escríbala o péguela tal como se la dio el operador.
milestone_work = Trabajo
stage_work = Trabajando para el servidor, { $done }
undo = Deshacer
undo_removal = Recuperar lo quitado
undone = Ha vuelto.
proxy_forgotten = El proxy se ha olvidado.
relay_list_forgotten = La lista de relés se ha olvidado.
removed = Se ha quitado { $name }.
removed_rows = Se han quitado { $count } transferencias.
remedy_access_word = Introducir la palabra de acceso
remedy_default_settings = Usar los ajustes predeterminados
settings_put_aside = El archivo antiguo se conserva como { $path }.
settings_not_saved = El archivo de la versión más reciente queda como está; lo que elija dura hasta que salga.
remedy_folder = Elegir otra carpeta
remedy_options = Cambiar las opciones
remedy_paste = Pegar otro código
remedy_newer_list = Ver la lista más reciente
remedy_relays = Elegir relés
limit_of = Hasta { $size } por archivo
asks_work = pide un cálculo ({ $bits } bits)
clocks_differ = El reloj de este equipo y el del servidor no coinciden: la hora es la del servidor.
other_time_kept = El servidor no conserva este archivo durante el tiempo elegido.
kept_usual = se guarda el tiempo habitual del servidor
usual_keep = El tiempo habitual del servidor
usual_keep_of = Habitual ({ $time })
duration_days =
    { $count ->
        [one] { $count } día
       *[other] { $count } días
    }
duration_hours =
    { $count ->
        [one] { $count } hora
       *[other] { $count } horas
    }
count_limit = Limitado
count_limit_about = Se elimina tras tantas descargas
fewer_downloads = Menos descargas
more_downloads = Más descargas
test_deleted = El borrado ({ $delete } ms) funciona.
test_without_delete = Este servidor no borra a petición.
was_kept_until = se guardaba hasta el { $day }
filter_all = Todas
filter_shared = Compartidas
filter_received = Recibidas
show_earlier =
    { $count ->
        [one] Mostrar { $count } transferencia anterior
       *[other] Mostrar { $count } transferencias anteriores
    }
none_of_these = No hay ninguna.
use_opened_pointer = Usar el otro
keep_pointer = Conservar este
paste_here = Pegar
pointer_expired =
    .what = Es probable que el servidor haya borrado este archivo.
    .why = Debía guardarse hasta el { $day }, y eso ya pasó.
    .next = Inténtelo, o pida un código nuevo.
other_server =
    .what = Este archivo está en un servidor que no es de los suyos.
    .why = Está en { $theirs }; sus archivos van a { $chosen }.
    .next = Descárguelo si lo esperaba.
advanced = Avanzado
display = Sistema de pantalla
renderer = Dibujado con
automatic = Automático
at_next_start = La ventana los usa desde su próximo inicio.
parallel_shares = Archivos compartidos a la vez
fewer_shares = Menos archivos a la vez
more_shares = Más archivos a la vez
diagnostics_about = Lo que este programa observa de sus ajustes, carpetas, relés y servidores: para mostrarlo a quien le ayude. No contiene claves, códigos de recogida ni palabras de acceso; nombra carpetas y servidores.
copy_diagnostics = Copiar diagnóstico
diagnostics_copied =
    .what = El diagnóstico se ha copiado.
    .why = Nombra sus carpetas y servidores, y no contiene claves, códigos de recogida ni palabras de acceso.
    .next = Léalo antes de pasarlo a otros.
server_passed = La última prueba de este servidor salió bien.
server_untried = Este servidor no se ha probado desde que se abrió la ventana.
keep_longer_about = El servidor lo guarda ese tiempo desde ahora, nunca menos que antes.
received_here = Los archivos recibidos aparecerán aquí.
dialog_share = Elija los archivos que quiere compartir
dialog_folder = Elija dónde guardar los archivos recibidos
dialog_relay_list = Elija una lista de relés
dialog_export = Guardar el historial
no_dialogs =
    .what = Este sistema no tiene un diálogo de archivos.
    .why = No está instalado ni un portal de escritorio ni Zenity.
    .next = Instale xdg-desktop-portal o Zenity; también puede soltar o pegar archivos aquí.
file_too_large_here =
    .what = { $name } es demasiado grande y no se compartió.
    .why = Tiene { $length } bytes; una subida admite hasta { $limit }.
    .next = Reduzca su tamaño o divídalo en partes.
files_too_large_here =
    .what = { $count } archivos son demasiado grandes y no se compartieron.
    .why = Una subida admite hasta { $limit } bytes.
    .next = Reduzca su tamaño o divídalos en partes.

## Settings: links

open_links = Abrir los enlaces cloakroom: con este programa
open_links_about = Un clic en un enlace así solo rellena «Recibir»; nada empieza por ello.
links_refused =
    .what = Windows no ha registrado qué programa abre esos enlaces.
    .why = No se pudo escribir en su parte del registro.
    .next = Inténtelo de nuevo; los códigos se pueden pegar de todos modos.

## The chrome, Settings and sheets: places, states, what cannot be dropped

add_this_server = Añadir este servidor
add_this_list = Añadir esta lista de relés
direct_switch_off_about = Si lo activa, este servidor vería la dirección de este equipo en cada transferencia.
list_host_sees = Al añadir una línea, la lista se obtiene directamente del sitio que la publica, que ve una vez la dirección de este equipo y la hora.
list_host_sees_proxy = Al añadir una línea, la lista se obtiene a través del proxy: el sitio que la publica ve una vez la dirección del proxy y la hora.
named_list_host_sees = La lista se obtiene directamente de { $host }, que ve una vez la dirección de este equipo y la hora.
named_list_host_sees_proxy = La lista se obtiene de { $host } a través del proxy: ese sitio ve una vez la dirección del proxy y la hora.
seed_sees = Uno de sus tres nodos semilla (seed1, seed2 y seed3.getsession.org) ve la dirección de este equipo y la hora, como mucho una vez al día.
seed_sees_proxy = Uno de sus tres nodos semilla (seed1, seed2 y seed3.getsession.org) ve la dirección del proxy y la hora, como mucho una vez al día.
other_seed_sees = Uno de sus nodos semilla ({ $hosts }) ve la dirección de este equipo y la hora, como mucho una vez al día.
other_seed_sees_proxy = Uno de sus nodos semilla ({ $hosts }) ve la dirección del proxy y la hora, como mucho una vez al día.
list_over_http = La dirección empieza por http: la firma protege la lista, pero la red de aquí puede ver qué lista se obtiene.
server_is_added = Se ha añadido { $name } y está en uso.
list_is_used = { $name } está en uso.
proxy_is_used = El proxy { $name } está en uso.
hover_list = Suelte para usar { $name } como lista de relés
hover_network = Suelte para ver la red de { $name }
hover_pointer = Suelte para usar el código de recogida de { $name }
use_known_list = Usar esta lista de relés
use_known_network = Ver esta red
receive_known_file = Recibir este archivo
share_known_file = Compartir como archivo
relay_list_dropped =
    .what = { $name } es una lista de relés.
    .why = Sus archivos pueden pasar por sus relés, o puede compartir la lista con alguien.
    .next = Elija qué quiere hacer con este archivo.
network_file_dropped =
    .what = { $name } describe una red.
    .why = Puede unirse a esa red, o compartir el archivo con alguien.
    .next = Elija qué quiere hacer con este archivo.
pointer_file_dropped =
    .what = { $name } contiene el código de recogida de un archivo.
    .why = Puede recibir ese archivo. Quien reciba de usted el código también podrá hacerlo.
    .next = Elija qué quiere hacer con este archivo.
list_ends_soon =
    .what = La lista de relés de «{ $name }» termina el { $day }.
    .why = Todavía no ha llegado otra más nueva.
    .next = Use la red una vez, con lo que se pide una lista más nueva, o pídala a quien la hace.
list_now_used =
    .what = { $name } está en uso.
    .why = A partir de ahora, sus archivos pasan por los relés de esta lista.
    .next = Puede elegir otra lista en Ajustes.
note_this_computer = Era la red integrada: sus relés y su servidor de archivos funcionan todos en este equipo, y nada salió de él.
if_a_drop_fails = Si al soltar no llega nada
drop_promised = Un programa de correo o un navegador puede limitarse a prometer un archivo que aún no está en este equipo. Guárdelo primero en una carpeta y suéltelo desde ahí, o elíjalo con Ctrl+O.
drop_elevated = Windows no permite que un programa normal suelte archivos en uno que se ejecuta como administrador. Inicie Cloakroom sin permisos de administrador, o elija o pegue los archivos.
dropped_no_file =
    .what = No se ha compartido nada: lo que soltó no es un archivo de este equipo.
    .why = Los programas de correo y los navegadores a veces prometen un archivo que aún no está aquí.
    .next = Guárdelo primero en una carpeta y suéltelo desde ahí.
no_dialog_for_list =
    .what = Este sistema no tiene un diálogo de archivos.
    .why = No está instalado ni un portal de escritorio ni Zenity.
    .next = Escriba o pegue la ruta de la lista en el campo de arriba, o suelte aquí su archivo.
no_dialog_for_folder =
    .what = Este sistema no tiene un diálogo de archivos.
    .why = No está instalado ni un portal de escritorio ni Zenity.
    .next = Instale xdg-desktop-portal o Zenity; hasta entonces la carpeta no cambia.

## Rows: speed, headings, and what is said as they begin and stop

hours_left = quedan { $count } h
is_so_far = { $name }: { $done }
is_cancelled = { $name } se ha cancelado
kept_time_until = { $time }, hasta el { $day }
minutes_left = quedan { $count } min
misleading_badge = Nombre engañoso
rows_received = Lo que ha recibido
rows_shared = Lo que ha compartido
seconds_left = quedan { $count } s
speed = { $size }/s
starts_again = Reintentando { $count } transferencias
starts_receiving = Descargando { $name }
starts_sharing_one = Compartiendo { $name }
starts_sharing_many = Compartiendo { $count } elementos

## Several things, large things, transfers in parts

as_one = Juntos
one_each = Uno por uno
keep_together = Recordarlo
keep_together_about = Se puede cambiar en Ajustes.
several_things = Varios archivos a la vez
several_ask = Preguntar
several_as_one = Juntos
several_one_each = Uno por uno
choose_folder = Elegir una carpeta
dialog_share_folder = Elija la carpeta que quiere compartir
not_begun = Sin empezar
pause = Pausar
paused = En pausa
paused_at = En pausa, { $done } de { $total } hechos
interrupted_at = Interrumpido, { $done } de { $total } hechos
resume = Reanudar
discard = Abandonar
discard_title = ¿Abandonar { $name }?
discard_share = Se elimina lo que el servidor ya tiene. Después no se puede reanudar.
discard_download = Se elimina lo que ya ha llegado. Después no se puede reanudar.
discarding = Abandonando
discarded = Abandonado
some_left = Una parte no se pudo eliminar del servidor. Desaparecerá cuando caduque.
is_paused = { $name } está en pausa
is_discarded = { $name } se ha abandonado
unnamed_folder = Carpeta sin nombre
a_folder = carpeta
show_content = Ver el contenido
looking_into = Mirando el contenido
single_file = Es un solo archivo.
entries =
    { $count ->
        [one] Un archivo o carpeta vacía
       *[other] { $count } archivos y carpetas vacías
    }
entries_wanted = { $wanted } de { $count } elegidos, { $size }
content_of = Contenido de { $name }
want_all = Elegir todo
want_none = No elegir nada
empty_folder = carpeta vacía
and_more = { $names } y más
now_named = { $was } se llama ahora { $is }
several_came =
    .what = { $count } archivos o carpetas han llegado juntos.
    .why = Juntos llegan en una carpeta con un solo código de recogida. Uno por uno, cada cual tiene su propio código.
    .next = Elija cómo compartirlos.
large_share =
    .what = Son { $size }.
    .why = Va a { $server } por partes y puede tardar mucho.
    .next = Se puede pausar y reanudar más tarde, también tras reiniciar.
large_download =
    .what = Son { $size }.
    .why = Viene de { $server } por partes y puede tardar mucho.
    .next = Se puede pausar y reanudar más tarde, también tras reiniciar.
things_left_out =
    .what =
        { $count ->
            [one] Se ha omitido un elemento: { $names }.
           *[other] Se han omitido { $count } elementos: { $names }.
        }
    .why = No se comparten los enlaces ni lo que no se puede leer o tiene un nombre que no se puede enviar.
    .next = Todo lo demás se ha compartido.
names_changed =
    .what =
        { $count ->
            [one] Se ha cambiado un nombre: { $names }.
           *[other] Se han cambiado { $count } nombres: { $names }.
        }
    .why = Este sistema no los admite tal como eran.
    .next = Su contenido es el mismo.

## Invitations and networks that were joined

join_title = ¿Unirse a «{ $name }»?
join_trust = Quien hizo esta invitación eligió el servidor y los relés. Si los gestiona todos, puede ver su dirección y cuándo envía o descarga, pero no lo que hay en sus archivos.
join_if = Únase si confía en esa persona.
join_if_known = Únase si confía en esa persona, o si los relés son de gente que conoce: { $names } (así se llaman ellos mismos).
join_words = Los miembros que comparan estas palabras encuentran las mismas.
join_own_network = En su propia red: el servidor y los relés no están en internet.
join_as_member = Esta invitación es para añadir un relé; usted se une como miembro.
join_member = Ya es miembro, como «{ $name }». Unirse de nuevo renueva la dirección del servidor, la palabra de acceso y los primeros relés.
join_other = Lleva a un servidor que ya usa, como «{ $name }», a través de otros relés.
join_rules = Las reglas de las rutas no permiten ninguna entre estos relés.
join = Unirse
join_and_receive = Unirse y recibir
join_anyway = Unirse y dejar que las reglas cedan
not_now = Ahora no
keep_my_relays = Conservar los míos
replace_my_relays = Cambiar los míos
joining_title = Uniéndose a «{ $name }»
joining_list = Pidiendo la lista de la red…
joining_try = Probando su servidor: un archivo pequeño va, vuelve y se borra…
is_invitation = Una invitación para unirse a «{ $name }» en { $host }.
is_joined = Se ha unido a «{ $name }».
network_saved = «{ $name }» está guardada.
joined_works = Funciona: un archivo pequeño fue, volvió y se borró.
joined_receives = Puede recibir; enviar no funciona ahora.
joined_silent = No responde ahora.
session_title = Red de Session
session_offer = Un servidor de archivos y relés que ya existen, en servicio para la aplicación de mensajería Session.
session_open = Unirse…
session_ask = ¿Unirse a la red de Session?
session_meaning = Su servidor de archivos y sus nodos de servicio funcionan para la aplicación de mensajería Session, a cargo de personas a las que nadie preguntó por este programa. Un archivo queda el tiempo que decida el servidor y nadie puede eliminarlo; con archivos grandes puede agotarse el tiempo. Quien tenga los tres nodos de una ruta puede ver la dirección de este equipo y cuándo envía o recibe, no lo que hay en los archivos.
session_tried = Este programa se probó con imitaciones de esa red, nunca con la red misma.
session_joining = Uniéndose a la red de Session
session_asks_seed = Se preguntan los nodos a uno de sus nodos semilla…
session_tries = Se prueba su servidor: un archivo pequeño va y vuelve…
session_works = Funciona: un archivo pequeño fue y volvió.
network_from_file = Desde un archivo…
other_network = Otra red de este tipo
other_network_about = Un archivo indica su servidor de archivos y los nodos semilla que conocen sus nodos.
other_network_meaning = Quien hizo este archivo eligió su servidor de archivos, { $host }, y sus nodos semilla. Sus nodos de servicio son equipos de otras personas, a las que nadie preguntó por este programa. Quien tenga los tres nodos de una ruta puede ver la dirección de este equipo y cuándo envía o recibe, no lo que hay en los archivos. Únase si confía en quien le dio el archivo.
list_host_offer = Su lista también se puede obtener directamente de { $host }, que ve una vez la dirección de este equipo y la hora.
list_host_offer_proxy = Su lista también se puede obtener a través del proxy de { $host }, que ve una vez la dirección del proxy y la hora.
fetch_list_from = Obtener su lista de { $host }
done = Listo
to_the_pointer = Seguir con el código
share_files = Compartir archivos
invite_entry = Invitar…
rename_entry = Cambiar nombre…
leave_entry = Salir…
invite_title = Invitar a «{ $name }»
invite_about = Quien reciba esta invitación puede unirse. Vale 30 días; quien se ha unido sigue siendo miembro.
invite_with_word = Con la palabra de acceso
invite_with_word_about = Quien se una podrá también enviar. Sin ella podrá recibir, y enviar cuando introduzca la palabra.
making_invitation = Preparando la invitación…
copy_invitation = Copiar invitación
save_invitation = Guardar en un archivo…
invitation_saved = Guardada como { $name }.
invitation_copied = Invitación copiada
invitation_masked = Invitación, oculta mientras haya otra ventana delante
invitation_text = Texto de la invitación
copy_with_invitation = Copiar con invitación
network_name = Nombre de la red aquí
rename = Cambiar nombre
is_renamed = Ahora se llama «{ $name }».
leave_title = ¿Salir de «{ $name }»?
leave_deletable =
    { $count ->
        [one] Un archivo que compartió sigue en su servidor. Se puede borrar de allí hasta que caduque, también después de salir.
       *[other] { $count } archivos que compartió siguen en su servidor. Se pueden borrar de allí hasta que caduquen, también después de salir.
    }
leave_under_way =
    { $count ->
        [one] Hay una transferencia en curso. Quizá no pueda continuar.
       *[other] Hay { $count } transferencias en curso. Quizá no puedan continuar.
    }
leave = Salir
delete_and_leave = Borrar y salir
stay = Quedarse
network_left = Ha salido de «{ $name }».
network_relays =
    { $count ->
        [one] 1 relé propio
       *[other] { $count } relés propios
    }
network_list_good = lista válida hasta el { $day }
network_list_ended = Su lista de relés ha caducado. Se pedirá una más reciente con la próxima transferencia.
no_newer_list = Su lista de relés termina pronto y todavía no ha llegado otra más nueva.
network_no_list = su lista de relés llega con la primera transferencia
use_new_list = Usar la lista nueva
use_known_invitation = Ver esta invitación
network_joined =
    .what = Se ha unido a «{ $name }».
    .why = Funciona: un archivo pequeño fue, volvió y se borró.
    .next = El código que vino con la invitación está abajo.
list_waits =
    .what = Una lista de relés más reciente le espera.
    .why = Le faltan { $gone } de los { $before } relés de la actual. Puede ser correcto después de mucho tiempo; o alguien tomó el servidor.
    .next = Pregunte a quien gestiona la red antes de usarla.
invitation_opened =
    .what = Se ha abierto una invitación.
    .why = Un enlace o un programa la ha abierto mientras hay otra cosa aquí.
    .next = Elija qué quiere ver.
invitation_not_saved =
    .what = La invitación no se ha guardado.
    .why = No se pudo escribir el archivo en ese lugar.
    .next = Elija otro lugar.
invitation_file_dropped =
    .what = { $name } contiene una invitación a una red.
    .why = Puede unirse a esa red. Quien reciba de usted la invitación también podrá hacerlo.
    .next = Elija qué quiere hacer con este archivo.
