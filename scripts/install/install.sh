#!/bin/sh
# Installs, replaces or removes mirrord: curl -fsSL @DOWNLOAD_BASE@/latest/install.sh | sh
# It downloads the program of this machine's system and processor with the release's checksums and their signature, verifies
# both, and renames the program into its folder: at every moment the folder has the old program, the new one or none.
# scripts/release.ts fills in the words between @. POSIX sh; works in dash, busybox and bash.
set -eu

version=@VERSION@
homepage=@HOMEPAGE@
base=${MIRRORD_DOWNLOAD_BASE:-@DOWNLOAD_BASE@}
# minisign's form of the release's Ed25519 key; empty where a release has none.
public_key=@PUBLIC_KEY@

work=
weak_tls=

usage() {
	cat <<TEXT
Installs mirrord $version or a later release.
  --version V   this version instead of the newest
  --to DIR      into this folder instead of /usr/local/bin (as root or where it is writable) or ~/.local/bin
  --uninstall   remove mirrord (from --to, otherwise from those two folders)
  --help        show this
TEXT
}

say() { printf '%s\n' "$*"; }

# fail ACTION VALUE STATE [HELP]
fail() {
	printf 'Cannot %s "%s": %s\n' "$1" "$2" "$3" >&2
	[ $# -lt 4 ] || printf '  help: %s\n' "$4" >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

clean_up() {
	if [ -n "$work" ]; then rm -rf "$work"; fi
}

# Prints what files and builds are named after: "linux-x86_64".
platform() {
	case $(uname -s) in
	Linux) os=linux ;;
	Darwin) os=macos ;;
	*) fail install mirrord "there is no build for $(uname -s)" "mirrord runs on Linux and macOS; see $homepage" ;;
	esac
	case $(uname -m) in
	x86_64 | amd64) cpu=x86_64 ;;
	aarch64 | arm64) cpu=aarch64 ;;
	*) fail install mirrord "there is no build for the processor $(uname -m)" "Builds are for x86_64 and aarch64." ;;
	esac
	# A shell that Rosetta translates sees an Intel processor.
	if [ $os = macos ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || :)" = 1 ]; then cpu=aarch64; fi
	say "$os-$cpu"
}

check_base() {
	case $base in
	*@*) fail download "$base" "this address is not one of a release" \
		"Use install.sh of a release, or set MIRRORD_DOWNLOAD_BASE." ;;
	https://*) ;;
	http://127.0.0.1[:/]* | http://localhost[:/]* | 'http://[::1]'[:/]*) ;;
	*) fail download "$base" "only https is safe enough" "Set MIRRORD_DOWNLOAD_BASE to an https address." ;;
	esac
}

# Downloads $1 to the file $2; a third argument shows progress where somebody looks.
fetch() {
	schemes='=https'
	case $base in http:*) schemes='=http,https' ;; esac
	: >"$work/log"
	if have curl; then
		set -- "$@" ''
		if [ -n "$3" ] && [ -t 2 ]; then
			curl --fail --location --progress-bar --proto "$schemes" --output "$2" "$1" && return
		else
			curl --fail --location --silent --show-error --proto "$schemes" --output "$2" "$1" 2>"$work/log" && return
		fi
	elif have wget; then
		# The wget of busybox does not check certificates.
		if wget --help 2>&1 | grep -qi busybox; then weak_tls=1; fi
		wget -O "$2" "$1" 2>"$work/log" && return
	else
		fail download "$1" "neither curl nor wget is installed" "Install one of them, then run this again."
	fi
	if grep -q 404 "$work/log"; then
		fail download "$1" "the server has no such file (404)" "The releases are listed at $homepage; choose one with --version."
	fi
	state=$(sed -n '/[^[:space:]]/s/^[a-z]*: *//p' "$work/log" | tail -n 1)
	fail download "$1" "${state:-the transfer failed}" "Check the connection and proxy, then run this again."
}

# Prints the SHA-256 of a file.
sha256() {
	if have sha256sum; then
		sha256sum <"$1"
	elif have shasum; then
		shasum -a 256 <"$1"
	else
		openssl dgst -sha256 -r <"$1"
	fi | cut -d ' ' -f 1
}

openssl_knows() {
	have openssl && openssl pkeyutl -help 2>&1 | grep -q -e -rawin &&
		printf '' | openssl dgst -blake2b512 >/dev/null 2>&1
}

# bytes FILE FROM COUNT: COUNT bytes of FILE behind the first FROM.
bytes() { dd if="$1" bs=1 skip="$2" count="$3" 2>/dev/null; }

# Verifies minisign's signature of checksums.txt and that of its comment.
openssl_verifies() {
	(
		cd "$work"
		printf '%s' "$public_key" | openssl base64 -d -A >key
		sed -n 2p checksums.txt.minisig | tr -d '\r\n' | openssl base64 -d -A >signature
		sed -n 4p checksums.txt.minisig | tr -d '\r\n' | openssl base64 -d -A >signature2
		# Both name the key by eight bytes; "ED" is Ed25519 over BLAKE2b-512.
		[ "$(bytes signature 0 2)" = ED ] && bytes key 2 8 >id && bytes signature 2 8 | cmp -s - id || exit 1
		# The SubjectPublicKeyInfo of RFC 8410 around the key's 32 bytes.
		{ printf '\060\052\060\005\006\003\053\145\160\003\041\000' && bytes key 10 32; } >key.der
		bytes signature 10 64 >signature1
		openssl dgst -blake2b512 -binary checksums.txt >text1
		{ cat signature1 && sed -n 's/^trusted comment: //p' checksums.txt.minisig | tr -d '\r\n'; } >text2
		for one in 1 2; do
			openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in text$one -sigfile signature$one || exit 1
		done
	) >/dev/null 2>&1
}

# Sets "verified" to what was verified besides the checksum, or fails.
verify_signature() {
	verified=
	if [ -z "$public_key" ]; then
		lacking='this install.sh has no public key'
	elif have minisign; then
		minisign -V -q -P "$public_key" -m "$work/checksums.txt" -x "$work/checksums.txt.minisig" >/dev/null 2>&1 ||
			bad_signature
		verified=signature
	elif openssl_knows; then
		openssl_verifies || bad_signature
		verified=signature
	else
		lacking='neither minisign nor OpenSSL 3 is installed'
	fi
	if [ -z "$verified" ] && [ -n "$weak_tls" ]; then
		case $base in https:*) fail verify checksums.txt \
			"$lacking, and the wget of busybox does not check whom it downloads from" "Install curl, minisign or OpenSSL 3." ;;
		esac
	fi
}

bad_signature() {
	fail verify checksums.txt "its signature is not that of mirrord's key; nothing was installed" \
		"Do not use what was downloaded. Try again from another network, and report it: $homepage"
}

# Prints the folder to install into.
default_folder() {
	if [ "$(id -u)" = 0 ] || { [ -d /usr/local/bin ] && [ -w /usr/local/bin ]; }; then
		say /usr/local/bin
	elif [ -n "${HOME:-}" ]; then
		say "$HOME/.local/bin"
	else
		fail install mirrord "/usr/local/bin is not writable and HOME is not set" "Name a folder with --to."
	fi
}

# A package manager's file stays its own.
check_owner() {
	[ -L "$1" ] || return 0
	case $(readlink "$1") in
	*Cellar*) fail change "$1" "Homebrew installed it" "Use: brew upgrade mirrord, or brew uninstall mirrord" ;;
	esac
}

# Removes $1/mirrord; returns 1 where there is none.
remove_from() {
	[ -e "$1/mirrord" ] || [ -L "$1/mirrord" ] || return 1
	check_owner "$1/mirrord"
	rm -f "$1/mirrord" 2>/dev/null || fail remove "$1/mirrord" "you may not write to its folder" "Run this with sudo."
	say "Removed $1/mirrord"
}

uninstall() {
	found=
	if [ -n "$folder" ]; then
		if remove_from "$folder"; then found=1; fi
	else
		if remove_from /usr/local/bin; then found=1; fi
		if [ -n "${HOME:-}" ] && remove_from "$HOME/.local/bin"; then found=1; fi
	fi
	[ -n "$found" ] || fail remove mirrord "it is not in ${folder:-/usr/local/bin or ~/.local/bin}" "Name its folder with --to."
}

install() {
	name=mirrord-$(platform)
	check_base
	have sha256sum || have shasum || have openssl ||
		fail verify mirrord "this machine has no sha256sum, shasum or openssl" "Install one of them, then run this again."
	[ -n "$folder" ] || folder=$(default_folder)
	check_owner "$folder/mirrord"
	if [ -d "$folder/mirrord" ]; then fail install "$folder/mirrord" "it is a folder" "Name another folder with --to."; fi
	mkdir -p "$folder" 2>/dev/null || fail create "$folder" "you may not, or it is no folder" "Run this with sudo, or name another folder with --to."
	work=$(mktemp -d "$folder/.mirrord-install.XXXXXX" 2>/dev/null) ||
		fail write "$folder" "you may not, or it is read-only" "Run this with sudo, or name another folder with --to."

	# A release without a key has no signature that could name it: the newest is the one that this script is of.
	case $public_key in @*) public_key= ;; esac
	[ -n "$public_key$wanted" ] || wanted=$version
	from=$base/latest
	[ -z "$wanted" ] || from=$base/v$wanted
	fetch "$from/checksums.txt" "$work/checksums.txt"
	[ -z "$public_key" ] || fetch "$from/checksums.txt.minisig" "$work/checksums.txt.minisig"
	verify_signature
	release=$wanted
	if [ -n "$public_key" ]; then
		# The signed comment names the release, so an older one cannot be passed off as the one that was asked for.
		release=$(sed -n 's/^trusted comment: mirrord \([0-9A-Za-z.+-]*\).*$/\1/p' "$work/checksums.txt.minisig")
		[ -n "$release" ] || fail verify checksums.txt.minisig "it names no release" "Run this again; report it if it stays: $homepage"
		if [ -n "$wanted" ] && [ "$release" != "$wanted" ]; then
			fail install "mirrord $wanted" "the server sent release $release in its place" "Report it: $homepage"
		fi
	fi
	expected=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1; exit }' "$work/checksums.txt")
	if [ -z "$expected" ]; then
		fail install "$name" "release $release has no such build" "See $homepage"
	fi

	say "Downloading mirrord $release (${name#mirrord-})"
	fetch "$base/v$release/$name" "$work/mirrord" shown
	if [ "$(sha256 "$work/mirrord")" != "$expected" ]; then
		fail verify "$name" "its checksum is wrong; nothing was installed" \
			"The file was damaged or changed on its way: run this again, from another network if it stays."
	fi
	if [ -n "$verified" ]; then
		say "Verified: signature and checksum"
	else
		say "Verified: the checksum alone, which came from the same server ($lacking, so its signature was not verified)"
	fi
	chmod 755 "$work/mirrord"
	answer=$("$work/mirrord" --version 2>&1) || fail run "$name" "$(say "$answer" | tail -n 1)" \
		"mirrord needs glibc (on Linux) and a folder from which programs may be run."
	mv -f "$work/mirrord" "$folder/mirrord" || fail write "$folder/mirrord" "it could not be replaced" "Run this with sudo."
	say "Installed $answer as $folder/mirrord"

	case :$PATH: in
	*":$folder:"*) ;;
	*) say "$folder is not in PATH. Add this line to ~/.profile: export PATH=\"$folder:\$PATH\"" ;;
	esac
	other=$(command -v mirrord || :)
	case $other in
	"" | "$folder/mirrord") ;;
	*) say "Another mirrord comes first in PATH: $other" ;;
	esac
}

main() {
	folder=
	wanted=
	verb=install
	while [ $# -gt 0 ]; do
		case $1 in
		--version | --to)
			[ -n "${2:-}" ] || fail use "$1" "its value is missing" "See --help."
			if [ "$1" = --to ]; then folder=$2; else wanted=${2#v}; fi
			shift
			;;
		--uninstall) verb=uninstall ;;
		--help | -h)
			usage
			return
			;;
		*) fail use "$1" "there is no such option" "See --help." ;;
		esac
		shift
	done
	case $wanted in
	*[!0-9A-Za-z.+-]* | .*) fail use "$wanted" "it is no version" "For example: --version 0.1.0" ;;
	esac
	case $folder in
	"" | /) ;;
	*/) folder=${folder%/} ;;
	esac
	case $folder in "" | /*) ;; *) folder=$PWD/$folder ;; esac
	trap clean_up EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	$verb
}

main "$@"
