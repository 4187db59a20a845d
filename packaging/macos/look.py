"""Looks at a bundle for macOS and at its programs; packaging/macos/check says what for.

usage: look.py bundle CONTENTS
       look.py program CONTENTS PROGRAM ARCH
"""

import enum
import hashlib
import pathlib
import plistlib
import re
import struct
import sys

# Of <mach-o/loader.h>, <mach/machine.h> and xnu's <kern/cs_blobs.h>.
MAGIC_64 = 0xFEEDFACF
EXECUTABLE = 2
PROCESSORS = {"x86_64": 0x01000007, "aarch64": 0x0100000C}
REQUIRED = 0x80000000
SIGNATURES, CODE_DIRECTORY = 0xFADE0CC0, 0xFADE0C02
HASHES = {1: "sha1", 2: "sha256"}
# What only the window uses.
WINDOW = ("AppKit", "Metal", "OpenGL", "UserNotifications")


class Load(enum.IntEnum):
    """What a load command says."""

    LIBRARY = 0xC
    WEAK_LIBRARY = 0x18
    RUN_PATH = 0x1C
    SIGNATURE = 0x1D
    REEXPORTED_LIBRARY = 0x1F
    OLD_VERSION = 0x24
    BUILD_VERSION = 0x32


def fail(text):
    sys.exit(f"macos: {text}")


def look_at_bundle(contents):
    properties = plistlib.loads((contents / "Info.plist").read_bytes())
    resources = contents / "Resources"
    program = contents / "MacOS" / properties["CFBundleExecutable"]
    if not (program.is_file() and program.stat().st_mode & 0o111):
        fail(f"{program.name}, which the bundle starts, is no program")
    icon = resources / properties["CFBundleIconFile"]
    if icon.read_bytes()[:4] != b"icns":
        fail(f"{icon.name} is no icon")
    if (contents / "PkgInfo").read_text() != properties["CFBundlePackageType"] + "????":
        fail("PkgInfo names another kind than Info.plist")
    if not re.fullmatch(r"[0-9]+(\.[0-9]+){0,2}", properties["CFBundleVersion"]):
        fail("CFBundleVersion is not three numbers")
    (links,) = properties["CFBundleURLTypes"]
    if links["CFBundleURLSchemes"] != ["cloakroom"]:
        fail("the bundle opens other links than cloakroom:")
    # Files with invitations, by a type that the bundle declares itself.
    (declared,) = properties["UTExportedTypeDeclarations"]
    (opened,) = properties["CFBundleDocumentTypes"]
    if opened["LSItemContentTypes"] != [declared["UTTypeIdentifier"]]:
        fail("the bundle opens another type than its own")
    if declared["UTTypeTagSpecification"] != {
        "public.filename-extension": ["cloakroom"],
        "public.mime-type": ["application/x-cloakroom-invitation"],
    }:
        fail("the type of invitations has another ending or name")
    if opened["CFBundleTypeName"] != declared["UTTypeDescription"]:
        fail("the type of invitations has two names")
    languages = properties["CFBundleLocalizations"]
    for language in languages:
        texts = (resources / f"{language}.lproj" / "InfoPlist.strings").read_text()
        if not texts.startswith(f'"{declared["UTTypeDescription"]}" = "'):
            fail(f"{language} has no name for invitations")
    there = {folder.stem for folder in resources.glob("*.lproj")}
    if there != set(languages):
        fail(f"there are texts in {sorted(there)}, and Info.plist names {sorted(languages)}")
    if properties["CFBundleDevelopmentRegion"] not in languages:
        fail("there are no texts in the first language")


def look_at_program(contents, name, arch):
    data = (contents / "MacOS" / name).read_bytes()
    magic, processor, _, kind, commands = struct.unpack_from("<5I", data)
    if (magic, kind) != (MAGIC_64, EXECUTABLE):
        fail(f"{name} is no program for macOS")
    if processor != PROCESSORS[arch]:
        fail(f"{name} is not for {arch}")
    libraries, oldest, signature, at = [], None, None, 32
    for _ in range(commands):
        command, length = struct.unpack_from("<2I", data, at)
        match command & ~REQUIRED:
            case Load.LIBRARY | Load.WEAK_LIBRARY | Load.REEXPORTED_LIBRARY:
                (name_at,) = struct.unpack_from("<I", data, at + 8)
                libraries.append(data[at + name_at : at + length].split(b"\0")[0].decode())
            case Load.RUN_PATH:
                fail(f"{name} looks for libraries in folders of its own")
            case Load.SIGNATURE:
                signature = struct.unpack_from("<2I", data, at + 8)
            case Load.BUILD_VERSION:
                (oldest,) = struct.unpack_from("<I", data, at + 12)
            case Load.OLD_VERSION:
                (oldest,) = struct.unpack_from("<I", data, at + 8)
        at += length
    foreign = [library for library in libraries if not library.startswith(("/System/Library/Frameworks/", "/usr/lib/"))]
    if foreign or not libraries:
        fail(f"{name} needs {foreign or 'no library at all'}")
    of_window = [library for library in libraries if library.rsplit("/")[-1] in WINDOW]
    if (name == "cloakroom") != bool(of_window):
        fail(f"{name} needs {of_window or 'nothing'} of what the window uses")
    properties = plistlib.loads((contents / "Info.plist").read_bytes())
    promised = properties["LSMinimumSystemVersion"]
    needed = f"{oldest >> 16}.{oldest >> 8 & 255}" if oldest else "nothing"
    if needed != promised:
        fail(f"{name} needs macOS {needed}, and Info.plist says {promised}")
    if signature is None:
        # Only ARM refuses such a program.
        if arch == "aarch64":
            fail(f"{name} is not signed at all: no Mac with ARM starts it")
        pages = "not signed"
    else:
        pages = f"{signed_pages(name, data, *signature)} pages as signed"
    print(f"macos: {arch}: {name}: {len(data) // 1000} kB, macOS {needed}, {len(libraries)} libraries of the system, {pages}")


def signed_pages(name, data, start, length):
    """The number of pages, each of which has the hash that the signature says."""
    blob = data[start : start + length]
    magic, _, count = struct.unpack_from(">3I", blob)
    if magic != SIGNATURES:
        fail(f"the signature of {name} cannot be read")
    checked = 0
    for index in range(count):
        _, begin = struct.unpack_from(">2I", blob, 12 + 8 * index)
        code = blob[begin:]
        if struct.unpack_from(">I", code)[0] != CODE_DIRECTORY:
            continue
        _, _, _, _, hashes_at, _, _, slots, limit = struct.unpack_from(">9I", code)
        hash_len, algorithm, _, page_shift = struct.unpack_from("4B", code, 36)
        for slot in range(slots):
            page = data[slot << page_shift : min((slot + 1) << page_shift, limit)]
            digest = hashlib.new(HASHES[algorithm], page).digest()[:hash_len]
            at = hashes_at + slot * hash_len
            if digest != code[at : at + hash_len]:
                fail(f"page {slot} of {name} is not as it was signed")
            checked += 1
    if checked == 0:
        fail(f"the signature of {name} signs nothing")
    return checked


match sys.argv[1:]:
    case ["bundle", folder]:
        look_at_bundle(pathlib.Path(folder))
    case ["program", folder, program_name, processor_name]:
        look_at_program(pathlib.Path(folder), program_name, processor_name)
    case _:
        sys.exit(__doc__)
