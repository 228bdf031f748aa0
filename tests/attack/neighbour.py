"""neighbour.py MODE [ARGUMENT...]: a hostile container of the pod, one line of JSON for each thing that it got.

relay PORT            takes PORT before the agent does, gives it up once the client came, stands between from then on (H1)
pose PORT             takes PORT and is the agent (H1b); says what the client told it
watch BURNERS         beside agents that come and go: processes burn the processor, each agent's port is bound beside it wherever
                      the kernel lets, and its door gets what no key signed
between PORT HOW      is let between a client and the agent at PORT; HOW is one of `ways`
squat PORT            binds the names by which sessions tell each other that a port is stolen
sniff WORD...         reads loopback's packets, as root of a container may; says which words were in them
holdv6 FIRST LAST     holds ports of ::1, so that no agent has them on both families
"""
import json, multiprocessing, os, select, socket, struct, sys, threading, time

HEADER = struct.Struct("<IHHI")
CHALLENGE, PROVE, WELCOME, FAILURE, ENV, JOIN, PROOF = 1, 2, 3, 7, 16, 11, 12
END = 1


def say(**what):
    print(json.dumps(what), flush=True)


def frame(kind, body, number, flags=0):
    return HEADER.pack(len(body), kind, flags, number) + body


def text(value):
    return struct.pack("<I", len(value)) + value


def exactly(connection, count):
    got = b""
    while len(got) < count:
        part = connection.recv(count - len(got))
        if not part:
            raise EOFError
        got += part
    return got


def read_frame(connection):
    head = exactly(connection, HEADER.size)
    length, kind, flags, number = HEADER.unpack(head)
    return kind, flags, number, exactly(connection, length)


def listen(port, address="127.0.0.1"):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen()
    return listener


def dial(port):
    for _ in range(2000):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.005)
    raise SystemExit("the agent never came")


def ask_env(number):
    return frame(ENV, text(b"") + text(b""), number)


def copy(source, sink, seen):
    try:
        while part := source.recv(65536):
            seen += part
            sink.sendall(part)
    except OSError:
        pass
    for one in source, sink:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(port):
    listener = listen(int(port))
    say(state="listens")
    client, _ = listener.accept()
    listener.close()
    say(state="has the client")
    agent = dial(int(port))
    for source, sink, what in (agent, client, "challenge"), (client, agent, "proof"), (agent, client, "welcome"):
        kind, flags, number, body = read_frame(source)
        sink.sendall(frame(kind, body, number, flags))
    # The link is proven, and it is ours: a question of our own, with a number that the client does not use.
    agent.sendall(ask_env(9999))
    answer = b""
    while True:
        kind, flags, number, body = read_frame(agent)
        if number == 9999:
            answer += body
            if flags & END:
                break
    say(state="asked the agent", answer=answer.decode("latin1"))


def pose(port):
    listener = listen(int(port))
    say(state="listens")
    while True:
        client, _ = listener.accept()
        try:
            client.sendall(frame(CHALLENGE, struct.pack("<H", 3) + text(bytes(32)) + text(b"0.1.0"), 2))
            kind, flags, number, body = read_frame(client)
            client.sendall(frame(WELCOME, struct.pack("<H", 3) + text(b"6.1.0"), number, END))
            kind, flags, number, body = read_frame(client)
            client.sendall(frame(ENV, b"PYTHONWARNINGS=invented\0", number, END))
            say(state="was believed")
        except (EOFError, OSError):
            say(state="was not believed")


def burn():
    while True:
        pass


def listening():
    """Ports of others' listeners on 127.0.0.1."""
    found = set()
    for line in open("/proc/self/net/tcp").read().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[7] != str(os.getuid()) and fields[1].startswith("0100007F:"):
            found.add(int(fields[1].split(":")[1], 16))
    return found


BESIDE = [
    (socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET, "0.0.0.0"),
    (socket.AF_INET6, "::ffff:127.0.0.1"),
    (socket.AF_INET6, "::ffff:0.0.0.0"),
    (socket.AF_INET6, "::"),
    (socket.AF_INET6, "::1"),
]
SHARES = [(), (socket.SO_REUSEADDR,), (socket.SO_REUSEPORT,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)]


kept = []


def beside(port):
    """Binds and listens wherever the kernel lets it, in the agent's place, and keeps what it got: address and number of options."""
    got = []
    for family, address in BESIDE:
        for options in SHARES:
            other = socket.socket(family)
            try:
                if family == socket.AF_INET6:
                    other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if "." in address or address == "::" else 1)
                for option in options:
                    other.setsockopt(socket.SOL_SOCKET, option, 1)
                other.bind((address, port))
                other.listen()
                got.append([port, address, len(options)])
                kept.append(other)
            except OSError:
                other.close()
    return got


def knock(port):
    """Says at an agent's door what no key signed; answers to the question behind it would be a way in."""
    asks = ask_env(3)
    join = lambda sealed: frame(JOIN, struct.pack("<H", 4) + text(b"0.1.0") + b"\0\0" + sealed + text(os.urandom(32)), 1)
    said = [
        frame(PROVE, struct.pack("<H", 3) + text(bytes(64)) + text(b"0.1.0") + b"\1\0", 1) + asks,
        join(b"\1") + frame(PROOF, text(os.urandom(64)), 1) + asks,
        join(b"\0") + frame(PROOF, text(bytes(64)), 1) + asks,
        asks,
    ]
    got = b""
    for one in said:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                read_frame(connection)
                connection.sendall(one)
                while part := connection.recv(65536):
                    got += part
        except (EOFError, OSError):
            pass
    return got


def watch(burners):
    """Until its input ends."""
    for _ in range(int(burners)):
        multiprocessing.Process(target=burn, daemon=True).start()
    say(state="watches")
    known, threads, bound, got = set(), [], [], bytearray()
    finish = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), finish.set()), daemon=True).start()

    def attack(port):
        bound.extend(beside(port))
        got.extend(knock(port))

    while not finish.is_set():
        now = listening()
        for port in now - known:
            threads.append(threading.Thread(target=attack, args=(port,), daemon=True))
            threads[-1].start()
        known = now
    for thread in threads:
        thread.join(30)
    say(state="done", agents=len(threads), bound=bound, got=bytes(got).decode("latin1"))


def record(connection):
    """One record of the sealed link."""
    head = exactly(connection, 4)
    return head + exactly(connection, struct.unpack("<I", head)[0] + 16)


def same(body):
    return body


# What is changed on the way: the agent's challenge, the client's join, either proof; and what is done behind them.
ways = {
    "listen": {},
    "agent_key": {"challenge": lambda body: body[:-32] + os.urandom(32)},
    "agent_identity": {"challenge": lambda body: body[:-68] + os.urandom(32) + body[-36:]},
    "client_key": {"join": lambda body: body[:-32] + os.urandom(32)},
    "unsealed": {"join": lambda body: body[:-37] + b"\0" + body[-36:]},
    "asks_steal": {"join": lambda body: body[:-39] + b"\1" + body[-38:]},
    "client_proof": {"proof": lambda body: text(os.urandom(64))},
    "agent_proof": {"answer": lambda body: text(os.urandom(64))},
    "reflect": {"answer": None},
    "inject": {"then": lambda client, agent: agent.sendall(ask_env(9999))},
    "inject_record": {"then": lambda client, agent: agent.sendall(struct.pack("<I", 30) + os.urandom(46))},
    "inject_client": {"then": lambda client, agent: client.sendall(frame(ENV, b"PYTHONWARNINGS=invented\0", 1, END))},
    "change": {"then": lambda client, agent: agent.sendall(changed(record(client)))},
    "drop": {"then": lambda client, agent: record(client)},
    "repeat": {"then": lambda client, agent: agent.sendall(record(client) * 2)},
    "turn_back": {"then": lambda client, agent: client.sendall(record(client))},
}


def changed(one):
    return one[:8] + bytes([one[8] ^ 1]) + one[9:]


def between(port, how):
    way = ways[how]
    listener = listen(0)
    say(state="listens", port=listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        agent = dial(int(port))
        seen = bytearray()
        try:
            for source, sink, what in [
                (agent, client, "challenge"), (client, agent, "join"), (client, agent, "proof"), (agent, client, "answer"),
            ]:
                kind, flags, number, body = read_frame(source)
                if what == "proof":
                    of_client = body
                change = way.get(what, same)
                sink.sendall(frame(kind, of_client if change is None else change(body), number, flags))
            threading.Thread(target=copy, args=(agent, client, seen), daemon=True).start()
            way.get("then", lambda client, agent: None)(client, agent)
            copy(client, agent, seen)
        except (EOFError, OSError):
            pass
        for one in client, agent:
            one.close()
        say(state="over", seen=bytes(seen).decode("latin1"))


def ready(listeners):
    return select.select(listeners, [], [])[0][0].accept()


def squat(port):
    held = []
    for name in f"\0mirrord/steal/tcp/{port}", f"\0mirrord/steal/tcp/{port}/0", f"\0mirrord/steal/tcp/{port}/000000":
        lock = socket.socket(socket.AF_UNIX)
        lock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0x3FFFFFFF)
        try:
            lock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUFFORCE if hasattr(socket, "SO_RCVBUFFORCE") else 33, 0x3FFFFFFF)
        except PermissionError:
            pass
        lock.bind(name)
        lock.listen()
        held.append(lock)
    say(state="holds")
    while True:
        connection, _ = ready(held)
        connection.sendall(b"bob@laptop, since ever\n")
        connection.close()


def sniff(*words):
    """What NET_RAW shows on loopback: which of the words came by, until its input ends."""
    every_protocol = 3
    lo = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(every_protocol))
    lo.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    lo.bind(("lo", 0))
    say(state="sniffs")
    seen, packets = set(), 0
    while True:
        ready_now = select.select([lo, sys.stdin], [], [])[0]
        if lo in ready_now:
            packet = lo.recv(1 << 17)
            packets += 1
            seen |= {word for word in words if word.encode() in packet}
        elif not sys.stdin.buffer.read():
            break
    say(state="done", seen=sorted(seen), packets=packets)


def holdv6(first, last):
    held = []
    for port in range(int(first), int(last) + 1):
        one = socket.socket(socket.AF_INET6)
        one.bind(("::1", port))
        one.listen()
        held.append(one)
    say(state="holds")
    sys.stdin.read()


globals()[sys.argv[1]](*sys.argv[2:])
