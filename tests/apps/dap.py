"""A client of the debug adapter protocol, as an editor is one: dap.py PORT ATTACH, for tests/program/debuggers_test.ts.

Attaches by the adapter on this machine's port with the JSON object ATTACH as arguments, evaluates an expression in the program once
it stands at its breakpoint() and lets it go on. Prints a line for each: "attaching", "stopped", the value, "ended".
"""

import json
import socket
import sys

port, attach = int(sys.argv[1]), json.loads(sys.argv[2])
connection = socket.create_connection(("127.0.0.1", port), 30)
stream = connection.makefile("rwb")
number = 0


def send(command, **arguments):
    global number
    number += 1
    body = json.dumps({"seq": number, "type": "request", "command": command, "arguments": arguments}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stream.flush()


def receive():
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(stream.read(length)) if length else None


send("initialize", adapterID="debugpy", clientID="test", linesStartAt1=True, pathFormat="path")
while message := receive():
    what = message.get("event") or message.get("command")
    if message["type"] == "response" and not message["success"]:
        print("failed", what, message.get("message"), flush=True)
        sys.exit(1)
    if message["type"] == "response" and what == "initialize":
        send("attach", justMyCode=False, **attach)
        print("attaching", flush=True)
    elif what == "debugpyWaitingForServer":
        print("waiting", message["body"]["port"], flush=True)
    elif what == "initialized":
        send("configurationDone")
    elif what == "stopped":
        print("stopped", flush=True)
        thread = message["body"]["threadId"]
        send("stackTrace", threadId=thread, levels=1)
    elif what == "stackTrace":
        send("evaluate", expression="secret", context="repl", frameId=message["body"]["stackFrames"][0]["id"])
    elif what == "evaluate":
        print(message["body"]["result"], flush=True)
        send("continue", threadId=thread)
    elif what == "terminated":
        print("ended", flush=True)
        break
