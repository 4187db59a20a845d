#!/bin/sh
# Installs what lies beside this script, and removes it again.
#
# usage: ./install.sh [--prefix FOLDER] [--remove]
#
# FOLDER is /usr/local for root and ~/.local for everybody else, unless given. A version that is there is replaced. What
# was installed is listed in FOLDER/share/cloakroom/installed; a copy of this script lies beside the list, so that
# removing needs no archive: sh FOLDER/share/cloakroom/install.sh --remove. Settings, keys and files of yours stay.
set -eu
umask 022

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
remove=false prefix=''
while [ "$#" -gt 0 ]; do
    case $1 in
    --remove) remove=true ;;
    --prefix)
        prefix=${2:-}
        [ -n "$prefix" ] || fail "--prefix needs a folder"
        shift
        ;;
    --prefix=?*) prefix=${1#--prefix=} ;;
    *)
        sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    esac
    shift
done
if [ -z "$prefix" ]; then
    if [ -f "$here/installed" ]; then
        prefix=$(cd "$here/../.." && pwd)
    elif [ "$(id -u)" -eq 0 ]; then
        prefix=/usr/local
    else
        prefix=${HOME:?}/.local
    fi
fi
case $prefix in
/*) ;;
*) prefix=$(pwd)/$prefix ;;
esac
[ ! -d "$prefix" ] || prefix=$(cd "$prefix" && pwd -P)
# What would have a meaning of its own in a desktop file, or in the list.
case $prefix in
*[\"\\\$\`%\|\&\']* | *'
'*) fail "a folder with one of \" ' \\ \$ \` % | & or a line break in its name cannot be installed into: $prefix" ;;
esac
list=$prefix/share/cloakroom/installed
readonly type=share/mime/packages/org.cloakroom.Cloakroom.xml

# Each line of the list is `file PATH` or `folder PATH`, relative to the prefix; folders that were there before are not in it.
listed() { [ ! -f "$list" ] || sed -n "s/^$1 //p" "$list"; }

# Whether the type of invitations was installed; without the window there is none.
has_type() { listed file | grep -qxF "$type"; }

# Tells the desktop what has changed. Without these programs it finds out by itself, some of it later.
tell_desktop() {
    applications=$prefix/share/applications
    if [ -d "$applications" ] && command -v update-desktop-database >/dev/null 2>&1; then
        update-desktop-database -q "$applications" || true
    fi
    if has_type && command -v update-mime-database >/dev/null 2>&1; then
        # It has remarks about every folder that is not in its search path.
        update-mime-database "$prefix/share/mime" >/dev/null 2>&1 || true
    fi
    [ ! -d "$prefix/share/icons/hicolor" ] || touch "$prefix/share/icons/hicolor"
}

if $remove; then
    [ -f "$list" ] || fail "nothing was installed into $prefix by this script; --prefix names another folder"
    folders=$(listed folder | sort -r)
    listed file | while IFS= read -r path; do
        rm -f "$prefix/$path"
    done
    tell_desktop
    # What those programs have left, where nothing else is.
    if [ "$(ls -A "$prefix/share/applications" 2>/dev/null)" = mimeinfo.cache ]; then
        rm -f "$prefix/share/applications/mimeinfo.cache"
    fi
    if has_type && [ -z "$(ls -A "$prefix/share/mime/packages" 2>/dev/null)" ]; then
        for name in XMLnamespaces aliases generic-icons globs globs2 icons magic mime.cache subclasses treemagic types version; do
            rm -f "$prefix/share/mime/$name"
        done
        rmdir "$prefix/share/mime/application" 2>/dev/null || true
    fi
    rm -f "$list"
    printf '%s\n' "$folders" | while IFS= read -r path; do
        [ -z "$path" ] || rmdir "$prefix/$path" 2>/dev/null || true
    done
    echo "Removed from $prefix."
    exit 0
fi

[ -d "$here/bin" ] || fail "there is nothing to install beside this script: unpack the archive and run the one in it"
for program in "$here"/bin/*; do
    said=$("$program" --version 2>&1) || fail "${program##*/} does not start on this computer, so nothing was installed: $said"
done
{ mkdir -p "$prefix" && [ -w "$prefix" ]; } || fail "$prefix cannot be written; --prefix names another folder"

new=$(mktemp) part=''
trap 'rm -f "$new" ${part:+"$part"}' EXIT
trap 'exit 1' HUP INT TERM
(cd "$here" && find bin share ! -type d | sort && echo share/cloakroom/install.sh) >"$new"

# What somebody else has put there is not overwritten, and not removed later. All of it is named before anything is written.
old=$(listed file)
foreign=false
while IFS= read -r path; do
    { [ -e "$prefix/$path" ] || [ -L "$prefix/$path" ]; } || continue
    if [ -d "$prefix/$path" ] || ! printf '%s\n' "$old" | grep -qxF "$path"; then
        echo "install.sh: $prefix/$path is there already, and not by this script" >&2
        foreign=true
    fi
done <"$new"
! $foreign || fail "nothing was installed: move that away, or name another folder with --prefix"

# The list comes first, with the old version's files, so that whatever breaks off can be removed or done again.
folders=$(listed folder)
for path in $(cd "$here" && find bin share -type d | sort) share/cloakroom; do
    if [ ! -d "$prefix/$path" ]; then
        folders=$(printf '%s\n%s' "$folders" "$path")
    fi
done
mkdir -p "$prefix/share/cloakroom"
write_list() {
    part=$(mktemp "$list.XXXXXX")
    {
        printf '%s\n' "$folders" | sort -u | sed -n 's/^./folder &/p'
        printf '%s\n' "$1" | cat - "$new" | sort -u | sed -n 's/^./file &/p'
    } >"$part"
    chmod 644 "$part"
    mv -f "$part" "$list"
}
write_list "$old"

# place FROM PATH: a copy under a new name, moved into its place, since a running program cannot be written
place() {
    part=$prefix/$2
    mkdir -p "${part%/*}"
    part=$(mktemp "$prefix/$2.XXXXXX")
    case $2 in
    share/applications/*.desktop | share/Thunar/* | share/kio/* | share/nemo/* | share/nautilus-python/*)
        sed "$absolute" "$1" >"$part"
        ;;
    *) cp "$1" "$part" ;;
    esac
    case $2 in
    bin/* | *.sh) chmod 755 "$part" ;;
    *) chmod 644 "$part" ;;
    esac
    mv -f "$part" "$prefix/$2"
}

# Programs that a desktop starts do not always have the folder in their PATH.
program=$prefix/bin/cloakroom
case $program in
*[!A-Za-z0-9/._-]*) quoted="\"$program\"" ;;
*) quoted=$program ;;
esac
absolute="s|^Exec=cloakroom |Exec=$quoted |; s|^Dependencies=cloakroom;|Dependencies=$program;|; s|Popen(\\[\"cloakroom\"|Popen([\"$program\"|"
while IFS= read -r path; do
    case $path in
    share/cloakroom/install.sh) place "$here/install.sh" "$path" ;;
    *) place "$here/$path" "$path" ;;
    esac
done <"$new"

# Files that only the version before had.
printf '%s\n' "$old" | while IFS= read -r path; do
    [ -z "$path" ] || grep -qxF "$path" "$new" || rm -f "$prefix/$path"
done
write_list ''
tell_desktop
echo "Installed into $prefix. To remove it: sh \"$prefix/share/cloakroom/install.sh\" --remove"
case :$PATH: in
*":$prefix/bin:"*) ;;
*) echo "$prefix/bin is not in your PATH: add it to start the programs by name." ;;
esac
