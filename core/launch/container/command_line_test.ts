// Where the image begins on an engine's command line, and what is refused there.

import assert from "node:assert/strict";
import { isOn, lastOf, readRunLine } from "./command_line.ts";

function read(line: string): ReturnType<typeof readRunLine> {
  return readRunLine(line.split(" "));
}

Deno.test("the image is found behind flags of every form", () => {
  const lines = [
    "docker run image a -b",
    "docker run -it --rm image a -b",
    "podman run -p80:80 -p 81:81 -p=82:82 image a -b",
    "nerdctl -n k8s.io run --name x --env A=B -eC=D image a -b",
    "/usr/bin/podman --root /x --log-level=debug container run -itv/a:/b image a -b",
    "docker --context far run --rm=false -d=false -- image a -b",
    "docker run --init -w /app --gpus all --mount type=bind,src=/a,dst=/b image a -b",
    "podman run --some-new-flag=5 image a -b",
  ];
  for (const line of lines) {
    const { image, rest } = read(line);
    assert.deepEqual([image, rest], ["image", ["a", "-b"]], line);
  }
});

Deno.test("flags are known by their long names, and written as they were", () => {
  const line = read("docker --config /c run -itu 5 -e A=B --net=host -d=false --rm image");
  assert.deepEqual(line.global, ["--config", "/c"]);
  assert.deepEqual(line.flags, [
    { name: "--interactive", value: null, words: ["-i"] },
    { name: "--tty", value: null, words: ["-t"] },
    { name: "--user", value: "5", words: ["-u", "5"] },
    { name: "--env", value: "A=B", words: ["-e", "A=B"] },
    { name: "--network", value: "host", words: ["--net=host"] },
    { name: "--detach", value: "false", words: ["-d=false"] },
    { name: "--rm", value: null, words: ["--rm"] },
  ]);
  assert.equal(lastOf(line, "--user"), "5");
  assert.equal(lastOf(line, "--name"), undefined);
  assert.deepEqual(["--tty", "--detach", "--privileged"].map((name) => isOn(line, name)), [
    true,
    false,
    false,
  ]);
});

Deno.test("what runs no container is refused, with what to write", () => {
  const refusals: Record<string, RegExp> = {
    "sudo docker run image": /Cannot run "sudo": mirrord starts the engine itself/,
    "npm start": /Cannot run "npm": it is none of docker, podman and nerdctl/,
    "docker": /Cannot run "docker": its command is missing/,
    "docker ps": /Cannot run "docker ps": only run is supported/,
    "podman create image": /Cannot run "podman create": a session lasts as long as the container runs/,
    "docker compose up": /Cannot run "docker compose": mirrord runs one container/,
    "docker run": /Cannot run "docker run": the image is missing/,
    "docker run -it": /Cannot run "docker run": the image is missing/,
    "docker run -e": /Cannot use "-e": its value is missing/,
    "docker run --some-new-flag 5 image":
      /Cannot use "--some-new-flag": mirrord does not know whether a value/,
    "docker run -iZ image": /Cannot use "-Z": mirrord does not know this flag/,
  };
  for (const [line, said] of Object.entries(refusals)) assert.throws(() => read(line), said, line);
});
