// Stands in for cloakroom.exe and cloak.exe where installers are tried: writes down how it was called.
//
// --version prints a line. Anything else is appended to stub.txt in the folder that CLOAKROOM_TRIAL names, as UTF-8; with
// --wait FILE the program then runs until FILE is gone.
#include <windows.h>

#include <shellapi.h>
#include <stdio.h>
#include <wchar.h>

static int note(void) {
    wchar_t path[MAX_PATH], folder[MAX_PATH];
    char line[4096];
    if (!GetEnvironmentVariableW(L"CLOAKROOM_TRIAL", folder, MAX_PATH))
        return 1;
    swprintf(path, MAX_PATH, L"%ls\\stub.txt", folder);
    FILE *file = _wfopen(path, L"ab");
    if (!file || !WideCharToMultiByte(CP_UTF8, 0, GetCommandLineW(), -1, line, sizeof line, NULL, NULL))
        return 1;
    fprintf(file, "%s\n", line);
    return fclose(file) == 0 ? 0 : 1;
}

int main(void) {
    int count;
    wchar_t **args = CommandLineToArgvW(GetCommandLineW(), &count);
    if (count == 2 && wcscmp(args[1], L"--version") == 0)
        return puts("stand-in") < 0;
    if (count == 3 && wcscmp(args[1], L"--wait") == 0) {
        if (note() != 0)
            return 1;
        while (GetFileAttributesW(args[2]) != INVALID_FILE_ATTRIBUTES)
            Sleep(50);
        return 0;
    }
    return note();
}
