"""Makes outgoing connections from 32 threads, a request and its answer on each. Arguments: count, host, port.

Says "warm" after the first 64 and "done" after all, on standard error, with how
many answers were right and how many descriptors it has; each time it waits for
a line before it goes on.
"""

import collections
import os
import socket
import sys
import threading

count, host, port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
address = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
results = collections.Counter()
lock = threading.Lock()


def one():
    try:
        with socket.create_connection(address, 20) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while part := connection.recv(4096):
                answer += part
        return "right" if answer.endswith(b"original nginx\n") else repr(answer[:60])
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def many(total):
    left = iter(range(total))

    def worker():
        while True:
            with lock:
                if next(left, None) is None:
                    return
            result = one()
            with lock:
                results[result] += 1

    threads = [threading.Thread(target=worker) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def say(word):
    print(word, dict(results), len(os.listdir("/proc/self/fd")), file=sys.stderr, flush=True)
    sys.stdin.readline()


many(64)
say("warm")
results.clear()
many(count)
say("done")
