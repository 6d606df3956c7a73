#!/bin/sh
# The Debian packages that Foyer needs, in one place. `packages.sh GROUP...` installs what is missing of these groups.
set -eu

build='build-essential pkg-config libmosquitto-dev libsqlite3-dev libmicrohttpd-dev libcjson-dev libinih-dev
	libsystemd-dev zlib1g-dev'
run='mosquitto mosquitto-clients sqlite3 libjs-chart.js'
test='libcmocka-dev chromium curl procps'
lint='clang clang-tidy cppcheck python3'

wanted=
for group in "$@"; do
	case $group in
	build) wanted="$wanted $build" ;;
	run) wanted="$wanted $run" ;;
	test)
		wanted="$wanted $test"
		command -v node >/dev/null || wanted="$wanted nodejs"
		command -v npm >/dev/null || wanted="$wanted npm"
		;;
	lint) wanted="$wanted $lint" ;;
	*)
		echo "packages.sh: \"$group\" is no group; there are: build run test lint" >&2
		exit 2
		;;
	esac
done

missing=
for package in $wanted; do
	case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done
[ "$missing" ] || exit 0

echo "Installing from Debian:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# The brokers that tests and the demo need are their own: the package's service is not to take the port meanwhile.
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
