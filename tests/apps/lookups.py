"""Asks for the names and addresses given, by every call that Python has for it, and prints each answer as a JSON line.

Runs unchanged in the pod and, with the pod's names, on the developer's machine.
"""

import json
import socket
import sys


def say(*words):
    print(json.dumps(words), flush=True)


def attempt(name, call, *arguments):
    try:
        say(name, *arguments, call(*arguments))
    except OSError as error:
        # A resolver's error has a number and a sentence of its own: gaierror, herror.
        say(name, *arguments, type(error).__name__, *error.args)


def ends(name, family, flags=0):
    # As bytes it goes to libc as it is.
    found = socket.getaddrinfo(name.encode(), 80, family, socket.SOCK_STREAM, 0, flags)
    # Their order follows the routes of the machine that sorts them (RFC 6724).
    return sorted((end[0], canonical) for *_, canonical, end in found)


def host(call):
    def sorted_answer(name):
        canonical, aliases, addresses = call(name.encode() if call is socket.gethostbyname_ex else name)
        return [canonical, sorted(aliases), sorted(addresses)]
    return sorted_answer


for word in sys.argv[1:]:
    if word.startswith("@"):
        attempt("gethostbyaddr", host(socket.gethostbyaddr), word[1:])
        attempt("getnameinfo", socket.getnameinfo, (word[1:], 80), socket.NI_NUMERICSERV)
        attempt("getnameinfo required", socket.getnameinfo, (word[1:], 80), socket.NI_NUMERICSERV | socket.NI_NAMEREQD)
        continue
    attempt("any", ends, word, 0)
    attempt("ipv4", ends, word, socket.AF_INET)
    attempt("ipv6", ends, word, socket.AF_INET6)
    attempt("canonical", ends, word, socket.AF_INET, socket.AI_CANONNAME)
    attempt("numeric", ends, word, 0, socket.AI_NUMERICHOST)
    attempt("gethostbyname", host(socket.gethostbyname_ex), word)
attempt("gethostname", socket.gethostname)
attempt("getfqdn", socket.getfqdn)
