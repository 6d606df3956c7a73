#!/bin/sh
# The Debian packages that Foyer needs, in one place (Debian 12 and 13). `packages.sh GROUP...` installs what is missing of these groups,
# `packages.sh --list GROUP...` names them.
set -eu

build='build-essential pkg-config libmosquitto-dev libsqlite3-dev libmicrohttpd-dev libcjson-dev libinih-dev
	libsystemd-dev zlib1g-dev libgnutls28-dev libcrypt-dev libgpiod-dev'
run='mosquitto mosquitto-clients sqlite3 libjs-chart.js'
test='libcmocka-dev chromium curl procps openssl motion ffmpeg'
bench='python3 python3-paho-mqtt python3-flask gunicorn wrk'
lint='clang clang-tidy cppcheck shellcheck python3 gcc-arm-linux-gnueabihf libc6-dev-armhf-cross'
hardware='qemu-system-x86 qemu-system-arm gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf busybox-static cpio kmod udev
	xz-utils'

list=
if [ "${1:-}" = --list ]; then
	list=yes
	shift
fi

wanted=
for group in "$@"; do
	case $group in
	build) wanted="$wanted $build" ;;
	run) wanted="$wanted $run" ;;
	test)
		wanted="$wanted $test"
		# From wherever: a newer Node than Debian's will do.
		command -v node >/dev/null || wanted="$wanted nodejs"
		command -v npm >/dev/null || wanted="$wanted npm"
		;;
	bench)
		wanted="$wanted $bench"
		command -v node >/dev/null || wanted="$wanted nodejs"
		;;
	lint) wanted="$wanted $lint" ;;
	hardware) wanted="$wanted $hardware" ;;
	*)
		echo "packages.sh: \"$group\" is no group; there are: build run test bench lint hardware" >&2
		exit 2
		;;
	esac
done

if [ "$list" ]; then
	# shellcheck disable=SC2086
	printf '%s\n' $wanted
	exit 0
fi

missing=
for package in $wanted; do
	case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done
[ "$missing" ] || exit 0

echo "Installing from Debian:$missing"
root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "This needs root and there is no sudo. As root: apt-get install$missing" >&2
		exit 1
	fi
	root=sudo
fi
$root apt-get update -q || echo 'Going on with the package lists that are there.' >&2
# Debian starts the mosquitto package's own broker on 127.0.0.1:1883. It disturbs nothing: demo and tests have theirs on other ports.
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
