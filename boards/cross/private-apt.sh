# SPDX-License-Identifier: Apache-2.0
# An apt of our own, for packages that are unpacked and never installed. Sourced by scripts.
#
#   open_private_apt ARCHITECTURE FOLDER    Debian's name of the architecture, a folder for apt's files
#   private_apt apt-get|apt-cache ...       runs that program on them
#
# The packages come from the Debian archive that this host already uses. Lists, cache and status lie
# in the folder, so nothing changes on the host, no root is needed, and the architecture is free.

private_apt() {
    local program=$1
    shift
    "$program" --quiet=2 \
        -o APT::Architecture="$private_apt_architecture" \
        -o APT::Architectures::="$private_apt_architecture" \
        -o Dir::State="$private_apt/state" -o Dir::State::status="$private_apt/status" \
        -o Dir::Cache="$private_apt/cache" -o Dir::Log="$private_apt/log" \
        -o Acquire::Languages=none -o Acquire::Retries=3 \
        -o APT::Sandbox::User=root -o Debug::NoLocking=true "$@"
}

open_private_apt() {
    private_apt_architecture=$1
    private_apt=$2
    mkdir -p "$private_apt"/{state/lists/partial,cache/archives/partial,log}
    : >"$private_apt/status"
    private_apt apt-get update || echo 'apt: some package lists did not come; trying with the others'
}
