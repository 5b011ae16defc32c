#!/bin/sh
# need_package.sh "PACKAGE…" PURPOSE: install Debian packages where this user may; else say what to type, and fail.
set -eu
packages=$1
purpose=$2

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    as_root="none"
fi

if [ "$as_root" = "none" ] || ! command -v apt-get >/dev/null; then
    echo "Needed for $purpose: $packages. Only an administrator can install that. Type:" >&2
    echo "    sudo apt-get update && sudo apt-get install $packages" >&2
    echo "(on another system than Debian, install the counterpart), then run make again." >&2
    exit 1
fi

echo "Installing Debian's $packages for $purpose." >&2
$as_root apt-get update -qq </dev/null >&2
# The list of packages is meant to be split into words.
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $packages </dev/null >&2
