# SPDX-License-Identifier: Apache-2.0
# What the cross builds know about each architecture. Sourced by the scripts beside it.
#
#   describe_architecture NAME
#
# sets:
#   triple            the platform as SwiftPM, clang and the linker see it: Linux with glibc
#   swift_triple      the platform as swiftc sees it: the embedded standard library has no Linux
#                     triple for boards, and needs none, for it asks only for libc
#   standard_library  the triple under which the toolchain keeps that standard library
#   debian            Debian's name of the architecture; empty on x86_64, which uses the host's files
#   multiarch         Debian's name of its library folders
#   qemu              the user-mode emulator; empty where the program runs directly
#   tuning            clang options that every C and Swift file is compiled with
#   board_root        the folder with the board's headers and libraries

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

describe_architecture() {
    case $1 in
    x86_64)
        triple=x86_64-unknown-linux-gnu
        swift_triple=$triple
        standard_library=$triple
        debian=
        multiarch=x86_64-linux-gnu
        qemu=
        tuning=()
        ;;
    aarch64)
        triple=aarch64-unknown-linux-gnu
        swift_triple=aarch64-none-none-elf
        standard_library=$swift_triple
        debian=arm64
        multiarch=aarch64-linux-gnu
        qemu='qemu-aarch64-static -cpu max'
        tuning=()
        ;;
    armv7hf)
        triple=armv7-unknown-linux-gnueabihf
        swift_triple=armv7-none-none-eabihf
        standard_library=armv7-none-none-eabi
        debian=armhf
        multiarch=arm-linux-gnueabihf
        qemu='qemu-arm-static -cpu max'
        tuning=(-mfpu=neon-vfpv4)
        ;;
    *)
        echo "unknown architecture '$1': x86_64, aarch64 or armv7hf" >&2
        return 64
        ;;
    esac
    board_root=/
    [ -z "$debian" ] || board_root=$project/.cache/board-root-$debian
}
