# Looks the hosts of the arguments up by every call of Python's socket module, and prints what comes: a line each.
# --one-thread before them: without threads and a child. A child of a process with threads may wait for ever for
# the lock of libc's own resolver (fork(2): only async-signal-safe functions), which local names are looked up by.
import os, socket, sys, threading


def said(call, *arguments):
    try:
        return call(*arguments)
    except OSError as error:
        return f"{type(error).__name__} {error}"


one_thread = sys.argv[1] == "--one-thread"
hosts = sys.argv[2:] if one_thread else sys.argv[1:]
for host in hosts:
    print(host, said(socket.getaddrinfo, host, 80))
    print(host, said(socket.getaddrinfo, host, 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_CANONNAME))
    print(host, said(socket.getaddrinfo, host, None, socket.AF_INET6))
    print(host, said(socket.gethostbyname, host))
    print(host, said(socket.gethostbyname_ex, host))
    print(host, said(socket.gethostbyaddr, host))
    print(host, said(socket.getfqdn, host))
print(said(socket.getnameinfo, ("192.0.2.1", 80), socket.NI_NUMERICSERV))
print(socket.gethostname(), os.uname().nodename, socket.getfqdn())

if one_thread:
    sys.exit()

# Many threads at once, a child in between.
results = []
threads = [threading.Thread(target=lambda host=host: results.append(said(socket.getaddrinfo, host, 80))) for host in hosts * 8]
for thread in threads[: len(threads) // 2]:
    thread.start()
child = os.fork()
if child == 0:
    print("child", said(socket.getaddrinfo, hosts[0], 80), flush=True)
    os._exit(0)
for thread in threads[len(threads) // 2 :]:
    thread.start()
for thread in threads:
    thread.join()
os.waitpid(child, 0)
print(sorted(map(str, results)))
