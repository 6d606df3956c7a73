# shellcheck shell=bash
# Debian packages of any suite and architecture, downloaded and unpacked into a folder. Nothing is installed and root is not needed: apt works
# on lists, state and cache of our own, with the machine's own mirrors and keys.

# debian_sources SUITE: the machine's Debian sources, of that suite, as lines of a sources.list.
debian_sources() {
	local suite=$1 own key=/usr/share/keyrings/debian-archive-keyring.gpg
	# shellcheck disable=SC1091
	own=$(. /etc/os-release && echo "$VERSION_CODENAME")

	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u |
		sed -n "s|^\([^ ]*debian[^ ]*\) $own|deb [signed-by=$key] \1 $suite|p"
}

# debian_root FOLDER SUITE ARCHITECTURE: makes apt's own folder, and has it used from here on.
debian_root() {
	local root=$1

	unset APT_CONFIG # of a folder before, which may be gone
	mkdir -p "$root/lists/partial" "$root/cache/archives/partial"
	: >"$root/status"
	debian_sources "$2" >"$root/sources.list"
	cat >"$root/apt.conf" <<-CONF
		Dir::State "$root/";
		Dir::State::status "$root/status";
		Dir::State::lists "$root/lists/";
		Dir::Cache "$root/cache/";
		Dir::Etc::sourcelist "$root/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		APT::Architecture "$3";
		APT::Architectures "$3";
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
	CONF
	export APT_CONFIG=$root/apt.conf
	apt-get update -qq || echo 'Going on with the package lists that could be had.' >&2
}

# debian_fetch FOLDER PACKAGE...: these packages alone, as .deb files in the folder.
debian_fetch() {
	mkdir -p "$1"
	(cd "$1" && shift && apt-get download -qq "$@")
}

# debian_unpack FOLDER PACKAGE...: these packages and all they depend on, unpacked.
debian_unpack() {
	local folder=$1 archives
	shift
	archives=$(dirname "$APT_CONFIG")/cache/archives
	apt-get install -qq --download-only --no-install-recommends -y "$@" >/dev/null
	for deb in "$archives"/*.deb; do
		dpkg-deb -x "$deb" "$folder"
		rm "$deb"
	done
}
