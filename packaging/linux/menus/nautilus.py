"""Puts "Share with Cloakroom" into the menu that Nautilus shows for files and folders."""

import locale
import subprocess

from gi.repository import GObject, Nautilus

# As in the desktop file.
LABELS = {
    "de": "Mit Cloakroom teilen",
    "es": "Compartir con Cloakroom",
    "fr": "Partager avec Cloakroom",
    "zh_CN": "使用 Cloakroom 分享",
}


def label():
    """The text of the menu entry in the language of the messages."""
    try:
        language = locale.getlocale(locale.LC_MESSAGES)[0] or ""
    except ValueError:
        language = ""
    return LABELS.get(language) or LABELS.get(language.split("_")[0], "Share with Cloakroom")


class CloakroomMenu(GObject.GObject, Nautilus.MenuProvider):
    """The entry for one or more files and folders."""

    def get_file_items(self, *args):
        # Nautilus 42 and older pass a window before the files.
        files = args[-1]
        if not files or any(file.get_uri_scheme() != "file" for file in files):
            return []
        item = Nautilus.MenuItem(name="Cloakroom::share", label=label(), icon="org.cloakroom.Cloakroom")
        paths = [file.get_location().get_path() for file in files]
        item.connect("activate", lambda *_: subprocess.Popen(["cloakroom", *paths], start_new_session=True))
        return [item]
