#!/bin/sh
# need_package.sh PACKAGE PURPOSE: install a Debian package where this user may; else say what to type, and fail.
set -eu
package=$1
purpose=$2

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    as_root="none"
fi

if [ "$as_root" = "none" ] || ! command -v apt-get >/dev/null; then
    echo "The package $package is needed for $purpose, and only an administrator can install it. Type:" >&2
    echo "    sudo apt-get update && sudo apt-get install $package" >&2
    echo "(on another system than Debian, install its counterpart), then run make again." >&2
    exit 1
fi

echo "Installing Debian's package $package for $purpose." >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq </dev/null >&2
$as_root apt-get install -qq -y --no-install-recommends "$package" </dev/null >&2
