# Starts a program and waits for it, as often as it is asked to: a line on standard input is an argument list (JSON), a line
# on standard output the milliseconds that it took. Used by bench/startup.ts, beside mirrord and under it.
import json, subprocess, sys, time

for line in sys.stdin:
    argv = json.loads(line)
    started = time.perf_counter()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    print((time.perf_counter() - started) * 1000, flush=True)
