// The flags of `docker`, `podman` and `nerdctl`, as far as mirrord must know them: which stand alone, and
// which take the next word. Only so can be told where the image begins. Called by command_line.ts. A flag
// that is in no list may be either, which the user is asked to write so that it is clear.

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Before `run`. */
export const globalFlags = {
  alone: words(`
    -D --debug --debug-full --experimental -h --help --insecure-registry --kube-hide-dupe --noout -r --remote
    --syslog --tls --tlsverify --transient-store -v --version`),
  valued: words(`
    -a --address --bridge-ip -c --connection --cgroup-manager --cdi-spec-dirs --cni-netconfpath --cni-path
    --config --conmon --context --data-root --dns --dns-opts --dns-search --events-backend
    --global-dns --global-dns-opts --global-dns-search -H --host --host-gateway-ip --hooks-dir --hosts-dir
    --identity --imagestore -l --log-level --module -n --namespace --network-cmd-path --network-config-dir
    --out --root --runroot --runtime --runtime-flag --selinux-enabled --snapshotter --ssh --storage-driver
    --storage-opt --tlscacert --tlscert --tlskey --tmpdir --url --userns-remap --volumepath`),
};

/** Behind `run`. */
export const runFlags = {
  alone: words(`
    -d --detach --disable-content-trust --env-host --help --http-proxy --init -i --interactive
    --no-healthcheck --no-hostname --no-hosts --oom-kill-disable --passwd --privileged -P --publish-all
    -q --quiet --read-only --read-only-tmpfs --replace --rm --rmi --rootfs --sig-proxy --tls-verify
    -t --tty --unsetenv-all --use-api-socket`),
  valued: words(`
    --add-host --annotation --arch -a --attach --authfile --blkio-weight --blkio-weight-device --cap-add
    --cap-drop --cdi-spec-dirs --cert-dir --cgroup-conf --cgroup-parent --cgroupns --cgroups
    --chrootdirs --cidfile --conmon-pidfile --cosign-key --cosign-certificate-identity
    --cosign-certificate-identity-regexp --cosign-certificate-oidc-issuer
    --cosign-certificate-oidc-issuer-regexp --cpu-count --cpu-percent --cpu-period --cpu-quota
    --cpu-rt-period --cpu-rt-runtime -c --cpu-shares --cpus --cpuset-cpus --cpuset-mems --creds
    --decryption-key --detach-keys --device --device-cgroup-rule --device-read-bps --device-read-iops
    --device-write-bps --device-write-iops --dns --dns-opt --dns-option --dns-search --domainname
    --entrypoint -e --env --env-file --env-merge --expose --gidmap --gpus --group-add --group-entry
    --health-cmd --health-interval --health-log-destination --health-max-log-count --health-max-log-size
    --health-on-failure --health-retries --health-start-interval --health-start-period
    --health-startup-cmd --health-startup-interval --health-startup-retries --health-startup-success
    --health-startup-timeout --health-timeout -h --hostname --hostuser --hosts-file --image-volume
    --init-binary --init-ctr --init-path --io-maxbandwidth --io-maxiops --ip --ip6 --ipc --ipfs-address
    --isolation --kernel-memory -l --label --label-file --link --link-local-ip --log-driver --log-opt
    --mac-address -m --memory --memory-reservation --memory-swap --memory-swappiness --mount --name --net
    --network --network-alias --net-alias --oom-score-adj --os --passwd-entry --personality --pid
    --pidfile --pids-limit --platform --pod --pod-id-file --preserve-fd --preserve-fds -p --publish
    --pull --rdt-class --requires --restart --retry --retry-delay --runtime --sdnotify --secret
    --security-opt --shm-size --shm-size-systemd --stop-signal --stop-timeout --storage-opt --subgidname
    --subuidname --sysctl --systemd --timeout --tmpfs --tz --uidmap --ulimit --umask --unsetenv -u --user
    --userns --uts --variant --verify -v --volume --volume-driver --volumes-from -w --workdir`),
};

/** The long name of a flag that has a short one, and the names that mean the same. */
export const longNames: Readonly<Record<string, string>> = {
  "-a": "--attach",
  "-c": "--cpu-shares",
  "-d": "--detach",
  "-e": "--env",
  "-h": "--hostname",
  "-i": "--interactive",
  "-l": "--label",
  "-m": "--memory",
  "-p": "--publish",
  "-P": "--publish-all",
  "-q": "--quiet",
  "-t": "--tty",
  "-u": "--user",
  "-v": "--volume",
  "-w": "--workdir",
  "--net": "--network",
  "--dns-opt": "--dns-option",
  "--net-alias": "--network-alias",
};
