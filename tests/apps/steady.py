"""A steady load: RATE requests a second, each on a connection of its own and given up after LIMIT seconds.

Arguments: HOST PORT [RATE [LIMIT]]. A line for each request, when it is over: when it began (seconds since the epoch) and
who answered, or "!" and how it failed. It goes on until standard input ends, and waits for the requests that are open.
"""

import asyncio
import json
import sys
import time

host, port = sys.argv[1], int(sys.argv[2])
rate = float(sys.argv[3]) if len(sys.argv) > 3 else 50
limit = float(sys.argv[4]) if len(sys.argv) > 4 else 3


async def exchange(number):
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"GET /%d HTTP/1.1\r\nHost: pod\r\nX-Load: 1\r\nConnection: close\r\n\r\n" % number)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return json.loads(await reader.readexactly(length))["by"]
    finally:
        writer.close()


async def request(number):
    began = time.time()
    try:
        answer = await asyncio.wait_for(exchange(number), limit)
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, IndexError, ValueError) as error:
        answer = "! " + type(error).__name__
    print(f"{began:.3f} {answer}", flush=True)


async def main():
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    began, number, open_requests = time.monotonic(), 0, set()
    while not over.done():
        task = asyncio.create_task(request(number))
        open_requests.add(task)
        task.add_done_callback(open_requests.discard)
        number += 1
        await asyncio.sleep(max(0, began + number / rate - time.monotonic()))
    await asyncio.gather(*open_requests)


asyncio.run(main())
