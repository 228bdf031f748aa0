#!/usr/bin/env bash
# Installs Debian packages, as root, without letting their services start: a policy-rc.d that says no, for that time only.
# Called by ./dev and the test cluster; without packages it only removes a policy that an installation left behind which was
# killed. That one is recognised by its second line and by its lock: every installation holds it, apt-get too, and a dead process
# holds nothing. A policy that is not ours is left as it is.
# One at a time: apt-get update takes lists away that others read (tests/cluster/packages.ts takes the same lock).
set -euo pipefail

policy=/usr/sbin/policy-rc.d
mark='# Of mirrord, while it installs packages.'
lock=/run/mirrord-apt.lock

ours() { [ -f $policy ] && grep -qxF "$mark" $policy; }

# Writes mirrord's policy and locks it; waits for another installation by mirrord. Fails where there is another policy.
claim() {
	while :; do
		if [ ! -e $policy ]; then
			(set -C && printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >$policy) 2>/dev/null || continue
			chmod 755 $policy
		fi
		ours || return 1
		{ exec 9<$policy; } 2>/dev/null || continue
		flock "$@" 9 || return 1
		# It may have been removed while we waited.
		[ $policy -ef /dev/fd/9 ] && return 0
	done
}

apt=(apt-get -o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false
	-o Acquire::AllowWeakRepositories=false -o Acquire::AllowDowngradeToInsecureRepositories=false
	-o DPkg::Lock::Timeout=600)

if [ $# = 0 ]; then
	if ours && claim --nonblock; then rm -f $policy; fi
	exit 0
fi

(umask 077 && : >>$lock)
exec 8<$lock
if ! flock --nonblock 8; then
	echo 'Waiting for another ./dev that uses apt.'
	flock 8
fi
# bash runs these when apt-get has ended: dpkg is not left half-way.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'if [ -n "${claimed:-}" ]; then rm -f $policy; fi' EXIT
claimed=1
claim || claimed=
"${apt[@]}" update -q
DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -qy --no-install-recommends "$@"
