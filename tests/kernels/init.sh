#!/bin/sh
# The first process of a test machine (tests/kernels): makes an ordinary root out of the kernel's first one, runs
# /cases.sh and switches the machine off. What it prints goes to the serial console.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8 NO_COLOR=1 TERM=dumb
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs -o mode=755 run /run
exec </dev/null >/dev/console 2>&1
ln -sf /proc/self/fd /dev/fd
while read -r name; do busybox insmod "/modules/$name.ko"; done </modules/order
ip link set lo up
echo "@@ kernel $(uname -r) $(uname -m)"
cd /repo && sh /cases.sh
echo "@@ off"
busybox poweroff -f
