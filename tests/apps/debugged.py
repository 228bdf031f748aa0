"""A program that stops at its breakpoint() when a debugger is there, for tests/program/debuggers_test.ts."""

secret = "of the app"
breakpoint()
print("went on", flush=True)
