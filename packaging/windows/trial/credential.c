// Keeps, or asks for, an entry of the Credential Manager: credential.exe keep NAME, credential.exe has NAME (exit 0: it is there).
#include <windows.h>

#include <shellapi.h>
#include <wincred.h>
#include <wchar.h>

int main(void) {
    int count;
    wchar_t **args = CommandLineToArgvW(GetCommandLineW(), &count);
    CREDENTIALW entry = {0}, *found;
    if (count != 3)
        return 2;
    if (wcscmp(args[1], L"has") == 0)
        return CredReadW(args[2], CRED_TYPE_GENERIC, 0, &found) ? 0 : 1;
    entry.Type = CRED_TYPE_GENERIC;
    entry.TargetName = args[2];
    entry.UserName = args[2];
    entry.CredentialBlobSize = 1;
    entry.CredentialBlob = (LPBYTE) "x";
    entry.Persist = CRED_PERSIST_LOCAL_MACHINE;
    return CredWriteW(&entry, 0) ? 0 : 1;
}
