; The setup program for Windows: for one person, without administrator's rights.
;
; packaging/windows/build calls makensis with these:
;   ARCH      x86_64 or aarch64, of the programs; the setup program itself is x86_64, which Windows on ARM runs too
;   ICON      path of the icon
;   LICENCES  folder with the licences
;   NUMBERS   four numbers with dots between, for Windows to compare
;   OUT       path of the setup program
;   PICTURE   path of the picture beside the first and the last page
;   PROGRAMS  folder with cloakroom.exe and cloak.exe
;   SIGN      program that signs the file whose path it is called with
;   VERSION   of Cloakroom
;
; Options of the setup program, beside those of every NSIS setup (/S silent, /D=FOLDER last):
;   /WITHOUT=start-menu,links,invitations,send-to,explorer    leaves these out
; Options of uninstall.exe:
;   /REMOVE-DATA    deletes settings, history and its key too
; Both change nothing when one of the programs runs and nobody can be asked. The setup program ends with 3 then, and
; uninstall.exe with _?=FOLDER (last, without quotation marks): without it a copy does the work, and it ends with 0 at once.
;
; Setting up over an earlier version goes into its folder and keeps to what it has of those five.

Target amd64-unicode
!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"
!include "Sections.nsh"
!include "WinVer.nsh"
!include "x64.nsh"
!include "Win\COM.nsh"
!include "Win\Propkey.nsh"

!define ID "org.cloakroom.Cloakroom"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\${ID}"
!define CLASSES "Software\Classes"
; What opens cloakroom: links. The switch in the Settings reads and writes the same value: src/gui/platform/links.rs.
!define LINKS "${CLASSES}\cloakroom"
!define LINKS_COMMAND '"$INSTDIR\cloakroom.exe" --link "%1"'
; What opens files with invitations, *.cloakroom: Windows finds the command by the name that stands under the ending.
!define ENDING "${CLASSES}\.cloakroom"
!define INVITATION "Cloakroom.Invitation"
!define INVITATION_CLASS "${CLASSES}\${INVITATION}"
!define INVITATION_COMMAND '"$INSTDIR\cloakroom.exe" "%1"'
!define INVITATION_TYPE "application/x-cloakroom-invitation"
!define MENU "${CLASSES}\*\shell\${ID}"
!define MENU_OF_FOLDERS "${CLASSES}\Directory\shell\${ID}"
!define START_MENU_LINK "$SMPROGRAMS\Cloakroom.lnk"
!define SEND_TO_LINK "$SENDTO\Cloakroom.lnk"
!define EXIT_IN_USE 3

Name "Cloakroom"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Cloakroom"
RequestExecutionLevel user
SetCompressor /SOLID lzma
ManifestDPIAware true
; A file that cannot be written ends the setup, in silence too; else it would go on without the file.
AllowSkipFiles off
BrandingText " "
VIProductVersion "${NUMBERS}"
VIAddVersionKey "CompanyName" "the Cloakroom contributors"
VIAddVersionKey "FileDescription" "Cloakroom setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "the Cloakroom contributors"
VIAddVersionKey "ProductName" "Cloakroom"
VIAddVersionKey "ProductVersion" "${VERSION}"
; Without a comparison a signature that failed would be passed over.
!finalize '"${SIGN}" "%1"' = 0
!uninstfinalize '"${SIGN}" "%1"' = 0

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_WELCOMEFINISHPAGE_BITMAP "${PICTURE}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\cloakroom.exe"
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_COMPONENTS
!define MUI_PAGE_CUSTOMFUNCTION_PRE SkipWhenInstalled
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!define MUI_PAGE_CUSTOMFUNCTION_SHOW un.HideSpace
!insertmacro MUI_UNPAGE_COMPONENTS
!insertmacro MUI_UNPAGE_INSTFILES
; The first is for every other language of the system.
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"
!insertmacro MUI_LANGUAGE "French"
!insertmacro MUI_LANGUAGE "Spanish"
!insertmacro MUI_LANGUAGE "SimpChinese"
!include "texts.nsh"

; The folder of an earlier version; empty without one.
Var installed

; Goes on once the program at `path` has ended: Windows lets nobody write the file of one that runs. Asks, where there is
; somebody to ask.
!macro WaitForEnd path
  ${DoWhile} ${FileExists} "${path}"
    ClearErrors
    FileOpen $0 "${path}" a
    ${IfNot} ${Errors}
      FileClose $0
      ${ExitDo}
    ${EndIf}
    ${IfNot} ${Cmd} `MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(IN_USE)" /SD IDCANCEL IDRETRY`
      SetErrorLevel ${EXIT_IN_USE}
      Quit
    ${EndIf}
  ${Loop}
!macroend

; Tells Explorer that icons, menus and what opens links and files have changed.
!macro TellExplorer
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
!macroend

; Takes away whatever of the five is ours.
!macro DropLinks
  ReadRegStr $0 HKCU "${LINKS}\shell\open\command" ""
  ${If} $0 == '${LINKS_COMMAND}'
    DeleteRegKey HKCU "${LINKS}"
  ${EndIf}
!macroend
; Takes away a key that has neither keys nor values: what other programs have there stays.
!macro DropEmptyKey KEY
  ClearErrors
  EnumRegValue $0 HKCU "${KEY}" 0
  ${If} ${Errors}
    DeleteRegKey /ifempty HKCU "${KEY}"
  ${EndIf}
!macroend
!macro DropInvitations
  ReadRegStr $0 HKCU "${INVITATION_CLASS}\shell\open\command" ""
  ${If} $0 == '${INVITATION_COMMAND}'
    DeleteRegKey HKCU "${INVITATION_CLASS}"
    DeleteRegValue HKCU "${ENDING}\OpenWithProgids" "${INVITATION}"
    ReadRegStr $0 HKCU "${ENDING}" ""
    ${If} $0 == "${INVITATION}"
      DeleteRegValue HKCU "${ENDING}" ""
      DeleteRegValue HKCU "${ENDING}" "Content Type"
    ${EndIf}
    !insertmacro DropEmptyKey "${ENDING}\OpenWithProgids"
    !insertmacro DropEmptyKey "${ENDING}"
  ${EndIf}
!macroend
!macro WriteMenu KEY
  WriteRegStr HKCU "${KEY}" "" "$(SHARE_WITH)"
  WriteRegStr HKCU "${KEY}" "Icon" "$INSTDIR\cloakroom.exe,0"
  ; One call a file or folder, however many are marked: the window that is open takes them all.
  WriteRegStr HKCU "${KEY}" "MultiSelectModel" "Player"
  WriteRegStr HKCU "${KEY}\command" "" '"$INSTDIR\cloakroom.exe" "%1"'
!macroend
!macro DropExplorer
  DeleteRegKey HKCU "${MENU}"
  DeleteRegKey HKCU "${MENU_OF_FOLDERS}"
!macroend

; Gives the shortcut $0 the id that notifications of the program are shown under. Where it does not succeed the shortcut
; stays as it is; Windows 10 before 2018 then shows none.
Function GiveApplicationId
  !insertmacro ComHlpr_CreateInProcInstance ${CLSID_ShellLink} ${IID_IShellLink} r1 ""
  ${If} $1 P<> 0
    ${IUnknown::QueryInterface} $1 '("${IID_IPersistFile}",.r2)'
    ${If} $2 P<> 0
      ${IPersistFile::Load} $2 '("$0", ${STGM_READWRITE})'
      ${IUnknown::QueryInterface} $1 '("${IID_IPropertyStore}",.r3)'
      ${If} $3 P<> 0
        System::Call '*${SYSSTRUCT_PROPERTYKEY}(${PKEY_AppUserModel_ID})p.r4'
        System::Call '*${SYSSTRUCT_PROPVARIANT}(${VT_LPWSTR},,&t ${NSIS_MAX_STRLEN})p.r5'
        ; PropVariantClear frees the text, so it must come from the same allocator: 64 characters.
        System::Call 'ole32::CoTaskMemAlloc(p 128)p.r6'
        System::Call '*$6(&w64 "${ID}")'
        System::Call '*$5(&i2 ${VT_LPWSTR},&i2,&i2,&i2,p r6)'
        ${IPropertyStore::SetValue} $3 '($4,$5)'
        ${IPropertyStore::Commit} $3 ''
        System::Call 'ole32::PropVariantClear(p r5)'
        System::Free $5
        System::Free $4
        ${IUnknown::Release} $3 ''
      ${EndIf}
      ${IPersistFile::Save} $2 '("$0",1)'
      ${IUnknown::Release} $2 ''
    ${EndIf}
    ${IUnknown::Release} $1 ''
  ${EndIf}
FunctionEnd

Section "Cloakroom" section_main
  SectionIn RO
  !insertmacro WaitForEnd "$INSTDIR\cloakroom.exe"
  !insertmacro WaitForEnd "$INSTDIR\cloak.exe"
  SetOutPath "$INSTDIR"
  ; Whole beside the old ones first: a disk that is full leaves those as they are.
  File "/oname=cloakroom.exe.new" "${PROGRAMS}\cloakroom.exe"
  File "/oname=cloak.exe.new" "${PROGRAMS}\cloak.exe"
  ClearErrors
  Delete "$INSTDIR\cloakroom.exe"
  Rename "$INSTDIR\cloakroom.exe.new" "$INSTDIR\cloakroom.exe"
  Delete "$INSTDIR\cloak.exe"
  Rename "$INSTDIR\cloak.exe.new" "$INSTDIR\cloak.exe"
  ${If} ${Errors}
    ; One was started meanwhile.
    Abort "$(IN_USE)"
  ${EndIf}
  SetOutPath "$INSTDIR\licences"
  File "${LICENCES}\*.txt"
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "Cloakroom"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\cloakroom.exe,0"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "the Cloakroom contributors"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" $0
SectionEnd

Section "$(START_MENU)" section_start_menu
  CreateShortcut "${START_MENU_LINK}" "$INSTDIR\cloakroom.exe"
  StrCpy $0 "${START_MENU_LINK}"
  Call GiveApplicationId
SectionEnd

Section "$(LINKS)" section_links
  ReadRegStr $0 HKCU "${LINKS}\shell\open\command" ""
  ${If} $0 == ""
    WriteRegStr HKCU "${LINKS}" "" "URL:Cloakroom"
    WriteRegStr HKCU "${LINKS}" "URL Protocol" ""
    WriteRegStr HKCU "${LINKS}\shell\open\command" "" '${LINKS_COMMAND}'
  ${ElseIf} $0 != '${LINKS_COMMAND}'
    DetailPrint "$(LINKS_TAKEN)"
  ${EndIf}
SectionEnd

Section "$(INVITATIONS)" section_invitations
  WriteRegStr HKCU "${INVITATION_CLASS}" "" "$(INVITATION_NAME)"
  WriteRegStr HKCU "${INVITATION_CLASS}\DefaultIcon" "" "$INSTDIR\cloakroom.exe,0"
  WriteRegStr HKCU "${INVITATION_CLASS}\shell\open\command" "" '${INVITATION_COMMAND}'
  ; For "Open with", whichever program opens them.
  WriteRegStr HKCU "${ENDING}\OpenWithProgids" "${INVITATION}" ""
  ReadRegStr $0 HKCU "${ENDING}" ""
  ${If} $0 == ""
  ${OrIf} $0 == "${INVITATION}"
    WriteRegStr HKCU "${ENDING}" "" "${INVITATION}"
    WriteRegStr HKCU "${ENDING}" "Content Type" "${INVITATION_TYPE}"
  ${Else}
    DetailPrint "$(INVITATIONS_TAKEN)"
  ${EndIf}
SectionEnd

Section "$(SEND_TO)" section_send_to
  CreateShortcut "${SEND_TO_LINK}" "$INSTDIR\cloakroom.exe"
SectionEnd

Section "$(EXPLORER)" section_explorer
  !insertmacro WriteMenu "${MENU}"
  !insertmacro WriteMenu "${MENU_OF_FOLDERS}"
SectionEnd

; What an earlier version had and this time is not wanted.
Section "-unwanted"
  ${IfNot} ${SectionIsSelected} ${section_start_menu}
    Delete "${START_MENU_LINK}"
  ${EndIf}
  ${IfNot} ${SectionIsSelected} ${section_links}
    !insertmacro DropLinks
  ${EndIf}
  ${IfNot} ${SectionIsSelected} ${section_invitations}
    !insertmacro DropInvitations
  ${EndIf}
  ${IfNot} ${SectionIsSelected} ${section_send_to}
    Delete "${SEND_TO_LINK}"
  ${EndIf}
  ${IfNot} ${SectionIsSelected} ${section_explorer}
    !insertmacro DropExplorer
  ${EndIf}
  !insertmacro TellExplorer
SectionEnd

Section "un.Cloakroom" section_un_main
  SectionIn RO
  !insertmacro WaitForEnd "$INSTDIR\cloakroom.exe"
  !insertmacro WaitForEnd "$INSTDIR\cloak.exe"
  !insertmacro DropLinks
  !insertmacro DropInvitations
  !insertmacro DropExplorer
  ; The first notification wrote this one.
  DeleteRegKey HKCU "${CLASSES}\AppUserModelId\${ID}"
  DeleteRegKey HKCU "${UNINSTALL}"
  Delete "${START_MENU_LINK}"
  Delete "${SEND_TO_LINK}"
  Delete "$INSTDIR\cloakroom.exe"
  Delete "$INSTDIR\cloak.exe"
  Delete "$INSTDIR\licences\*.txt"
  RMDir "$INSTDIR\licences"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  !insertmacro TellExplorer
SectionEnd

Section /o "un.$(REMOVE_DATA)" section_un_data
  Call un.RemoveKeys
  ; The folders that the program makes there, and no others: src/app/settings/home.rs.
  RMDir /r "$APPDATA\Cloakroom\config"
  RMDir "$APPDATA\Cloakroom"
  RMDir /r "$LOCALAPPDATA\Cloakroom\data"
  RMDir "$LOCALAPPDATA\Cloakroom"
SectionEnd

; Deletes the keys of histories from the Credential Manager. Their names are "history …" before the program's id:
; src/app/kept/system_keyring.rs.
Function un.RemoveKeys
  System::Call 'advapi32::CredEnumerateW(w "history *", i 0, *i .r1, *p .r2) i .r0'
  ${If} $0 = 0
    Return
  ${EndIf}
  StrLen $8 ".${ID}"
  IntOp $1 $1 - 1
  ${ForEach} $3 0 $1 + 1
    IntOp $4 $3 * 8
    IntPtrOp $4 $2 + $4
    System::Call '*$4(p .r5)'
    ; CREDENTIALW begins with flags, the type and the name.
    System::Call '*$5(i ., i .r7, w .r6)'
    StrCpy $9 $6 "" -$8
    ${If} $9 == ".${ID}"
      System::Call 'advapi32::CredDeleteW(w r6, i r7, i 0)'
    ${EndIf}
  ${Next}
  System::Call 'advapi32::CredFree(p r2)'
FunctionEnd

; Unticks each component of the list $0, names with commas between.
Function LeaveOut
  StrCpy $1 0
  StrCpy $2 ""
  ${Do}
    StrCpy $3 $0 1 $1
    ${If} $3 != ""
    ${AndIf} $3 != ","
      StrCpy $2 "$2$3"
    ${Else}
      ${Select} $2
      ${Case} "start-menu"
        !insertmacro UnselectSection ${section_start_menu}
      ${Case} "links"
        !insertmacro UnselectSection ${section_links}
      ${Case} "invitations"
        !insertmacro UnselectSection ${section_invitations}
      ${Case} "send-to"
        !insertmacro UnselectSection ${section_send_to}
      ${Case} "explorer"
        !insertmacro UnselectSection ${section_explorer}
      ${CaseElse}
        MessageBox MB_OK|MB_ICONSTOP "/WITHOUT=$0: $2?" /SD IDOK
        SetErrorLevel 2
        Quit
      ${EndSelect}
      StrCpy $2 ""
    ${EndIf}
    IntOp $1 $1 + 1
  ${LoopUntil} $3 == ""
FunctionEnd

; Ticks a component as the earlier version has it.
!macro TickIf condition section
  ${If} ${condition}
    !insertmacro SelectSection ${section}
  ${Else}
    !insertmacro UnselectSection ${section}
  ${EndIf}
!macroend

Function .onInit
  ${IfNot} ${AtLeastWin10}
    MessageBox MB_OK|MB_ICONSTOP "$(TOO_OLD)" /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
!if "${ARCH}" == "aarch64"
  ${IfNot} ${IsNativeARM64}
    MessageBox MB_OK|MB_ICONSTOP "$(FOR_ARM)" /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
!endif
  ReadRegStr $installed HKCU "${UNINSTALL}" "InstallLocation"
  ${If} $installed != ""
  ${AndIf} ${FileExists} "$installed\cloakroom.exe"
    StrCpy $INSTDIR $installed
    !insertmacro TickIf '${FileExists} "${START_MENU_LINK}"' ${section_start_menu}
    !insertmacro TickIf '${FileExists} "${SEND_TO_LINK}"' ${section_send_to}
    ReadRegStr $0 HKCU "${LINKS}\shell\open\command" ""
    !insertmacro TickIf `$0 == '${LINKS_COMMAND}'` ${section_links}
    ReadRegStr $0 HKCU "${INVITATION_CLASS}\shell\open\command" ""
    !insertmacro TickIf `$0 == '${INVITATION_COMMAND}'` ${section_invitations}
    ReadRegStr $0 HKCU "${MENU}\command" ""
    !insertmacro TickIf '$0 != ""' ${section_explorer}
  ${Else}
    StrCpy $installed ""
  ${EndIf}
  ${GetParameters} $1
  ClearErrors
  ${GetOptions} $1 "/WITHOUT=" $0
  ${IfNot} ${Errors}
    Call LeaveOut
  ${EndIf}
FunctionEnd

Function SkipWhenInstalled
  ${If} $installed != ""
    Abort
  ${EndIf}
FunctionEnd

; Nothing half-written stays.
Function .onInstFailed
  Delete "$INSTDIR\cloakroom.exe.new"
  Delete "$INSTDIR\cloak.exe.new"
  SetOutPath "$TEMP"
  RMDir "$INSTDIR"
FunctionEnd

; Removing takes no space.
Function un.HideSpace
  ShowWindow $mui.ComponentsPage.SpaceRequired ${SW_HIDE}
FunctionEnd

Function un.onInit
  ${GetParameters} $1
  ClearErrors
  ${GetOptions} $1 "/REMOVE-DATA" $0
  ${IfNot} ${Errors}
    !insertmacro SelectSection ${section_un_data}
  ${EndIf}
FunctionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${section_main} "$(ABOUT_MAIN)"
  !insertmacro MUI_DESCRIPTION_TEXT ${section_start_menu} "$(ABOUT_START_MENU)"
  !insertmacro MUI_DESCRIPTION_TEXT ${section_links} "$(ABOUT_LINKS)"
  !insertmacro MUI_DESCRIPTION_TEXT ${section_invitations} "$(ABOUT_INVITATIONS)"
  !insertmacro MUI_DESCRIPTION_TEXT ${section_send_to} "$(ABOUT_SEND_TO)"
  !insertmacro MUI_DESCRIPTION_TEXT ${section_explorer} "$(ABOUT_EXPLORER)"
!insertmacro MUI_FUNCTION_DESCRIPTION_END
!insertmacro MUI_UNFUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${section_un_main} "$(ABOUT_MAIN)"
  !insertmacro MUI_DESCRIPTION_TEXT ${section_un_data} "$(ABOUT_REMOVE_DATA)"
!insertmacro MUI_UNFUNCTION_DESCRIPTION_END
