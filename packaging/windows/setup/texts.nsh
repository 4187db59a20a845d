; What the setup program says, beside what NSIS has itself. Five languages, as the program; packaging/windows/check compares.

!macro Text name english german french spanish chinese
  LangString ${name} ${LANG_ENGLISH} "${english}"
  LangString ${name} ${LANG_GERMAN} "${german}"
  LangString ${name} ${LANG_FRENCH} "${french}"
  LangString ${name} ${LANG_SPANISH} "${spanish}"
  LangString ${name} ${LANG_SIMPCHINESE} "${chinese}"
!macroend

!insertmacro Text IN_USE \
  "Cloakroom is running. Close its window and end every cloak command, then try again." \
  "Cloakroom läuft noch. Schließen Sie das Fenster, beenden Sie jeden Befehl „cloak“ und versuchen Sie es erneut." \
  "Cloakroom est ouvert. Fermez sa fenêtre, arrêtez toute commande « cloak », puis réessayez." \
  "Cloakroom está abierto. Cierre su ventana, termine cada orden «cloak» y vuelva a intentarlo." \
  "Cloakroom 正在运行。请关闭其窗口，结束所有 cloak 命令，然后重试。"
!insertmacro Text TOO_OLD \
  "Cloakroom needs Windows 10 or newer." \
  "Cloakroom braucht Windows 10 oder neuer." \
  "Cloakroom exige Windows 10 ou plus récent." \
  "Cloakroom necesita Windows 10 o posterior." \
  "Cloakroom 需要 Windows 10 或更新的版本。"
!insertmacro Text FOR_ARM \
  "This setup is for Windows on ARM. Get the one for x86-64." \
  "Diese Installation ist für Windows auf ARM. Nehmen Sie die für x86-64." \
  "Cette installation est pour Windows sur ARM. Prenez celle pour x86-64." \
  "Esta instalación es para Windows en ARM. Use la de x86-64." \
  "此安装程序适用于 ARM 版 Windows。请使用 x86-64 版。"
!insertmacro Text START_MENU \
  "Start menu" "Startmenü" "Menu Démarrer" "Menú Inicio" "“开始”菜单"
!insertmacro Text LINKS \
  "cloakroom: links" "cloakroom:-Links" "Liens cloakroom:" "Enlaces cloakroom:" "cloakroom: 链接"
!insertmacro Text INVITATIONS \
  "Files with invitations" "Dateien mit Einladungen" "Fichiers d’invitation" "Archivos de invitación" "邀请文件"
!insertmacro Text INVITATION_NAME \
  "Cloakroom invitation" "Cloakroom-Einladung" "Invitation Cloakroom" "Invitación de Cloakroom" "Cloakroom 邀请"
!insertmacro Text SEND_TO \
  "Send to" "Senden an" "Envoyer vers" "Enviar a" "发送到"
!insertmacro Text EXPLORER \
  "Menu of files and folders" "Menü von Dateien und Ordnern" "Menu des fichiers et dossiers" \
  "Menú de archivos y carpetas" "文件和文件夹的右键菜单"
!insertmacro Text SHARE_WITH \
  "Share with Cloakroom" "Mit Cloakroom teilen" "Partager avec Cloakroom" "Compartir con Cloakroom" "使用 Cloakroom 分享"
!insertmacro Text REMOVE_DATA \
  "Settings and history" "Einstellungen und Verlauf" "Réglages et historique" "Ajustes e historial" "设置和历史记录"
!insertmacro Text LINKS_TAKEN \
  "Another program opens cloakroom: links; it stays so." \
  "Ein anderes Programm öffnet cloakroom:-Links; das bleibt so." \
  "Un autre programme ouvre les liens cloakroom: ; il les garde." \
  "Otro programa abre los enlaces cloakroom: y los conserva." \
  "另一个程序正在打开 cloakroom: 链接，保持不变。"
!insertmacro Text INVITATIONS_TAKEN \
  "Another program opens files that end in .cloakroom; it stays so." \
  "Ein anderes Programm öffnet Dateien, die auf .cloakroom enden; das bleibt so." \
  "Un autre programme ouvre les fichiers en .cloakroom ; il les garde." \
  "Otro programa abre los archivos .cloakroom y los conserva." \
  "另一个程序正在打开 .cloakroom 文件，保持不变。"
!insertmacro Text ABOUT_MAIN \
  "The window, and cloak for the command line." \
  "Das Fenster, und cloak für die Befehlszeile." \
  "La fenêtre, et cloak pour la ligne de commande." \
  "La ventana, y cloak para la línea de órdenes." \
  "窗口程序，以及命令行程序 cloak。"
!insertmacro Text ABOUT_START_MENU \
  "A shortcut in the Start menu. Older versions of Windows 10 show notifications only with it." \
  "Eine Verknüpfung im Startmenü. Ältere Versionen von Windows 10 zeigen nur mit ihr Benachrichtigungen." \
  "Un raccourci dans le menu Démarrer. Les anciennes versions de Windows 10 ne montrent des notifications qu’avec lui." \
  "Un acceso directo en el menú Inicio. Las versiones antiguas de Windows 10 solo muestran notificaciones con él." \
  "“开始”菜单中的快捷方式。较旧的 Windows 10 只有这样才显示通知。"
!insertmacro Text ABOUT_LINKS \
  "A click on such a link in a message only fills Receive. The Settings have the same switch." \
  "Ein Klick auf einen solchen Link füllt nur „Empfangen“. Die Einstellungen haben denselben Schalter." \
  "Un clic sur un tel lien ne fait que remplir « Recevoir ». Les réglages ont le même interrupteur." \
  "Un clic en un enlace así solo rellena «Recibir». Los ajustes tienen el mismo interruptor." \
  "点击这种链接只会填入“接收”。“设置”中有同一个开关。"
!insertmacro Text ABOUT_INVITATIONS \
  "Opening a file with an invitation, NAME.cloakroom, only fills Receive." \
  "Eine Datei mit einer Einladung, NAME.cloakroom, füllt beim Öffnen nur „Empfangen“." \
  "Ouvrir un fichier d’invitation, NOM.cloakroom, ne fait que remplir « Recevoir »." \
  "Abrir un archivo de invitación, NOMBRE.cloakroom, solo rellena «Recibir»." \
  "打开邀请文件（名称.cloakroom）只会填入“接收”。"
!insertmacro Text ABOUT_SEND_TO \
  "Cloakroom under “Send to”, for files that you right-click." \
  "Cloakroom unter „Senden an“, bei einem Rechtsklick auf Dateien." \
  "Cloakroom sous « Envoyer vers », par un clic droit sur des fichiers." \
  "Cloakroom en «Enviar a», al pulsar archivos con el botón derecho." \
  "右键单击文件时，“发送到”中有 Cloakroom。"
!insertmacro Text ABOUT_EXPLORER \
  "“Share with Cloakroom” in the menu of a file or folder that you right-click." \
  "„Mit Cloakroom teilen“ im Menü einer Datei oder eines Ordners, wenn Sie rechts darauf klicken." \
  "« Partager avec Cloakroom » dans le menu d’un fichier ou d’un dossier, par un clic droit." \
  "«Compartir con Cloakroom» en el menú de un archivo o una carpeta, con el botón derecho." \
  "右键单击文件或文件夹时，菜单中有“使用 Cloakroom 分享”。"
!insertmacro Text ABOUT_REMOVE_DATA \
  "Deletes your settings, your history and its key. Pointers that stand only there are lost. Received files stay." \
  "Löscht Ihre Einstellungen, Ihren Verlauf und dessen Schlüssel. Abholcodes, die nur dort stehen, sind verloren. Empfangene Dateien bleiben." \
  "Supprime vos réglages, votre historique et sa clé. Les codes qui ne sont que là sont perdus. Les fichiers reçus restent." \
  "Borra sus ajustes, su historial y la clave de este. Los códigos que solo están ahí se pierden. Los archivos recibidos quedan." \
  "删除设置、历史记录及其密钥。只保存在其中的取件码将丢失。已接收的文件会保留。"
