// A test machine: qemu with one processor, which boots a kernel of Debian's and says on its serial console
// what it does. With KVM where the processor has it, otherwise by emulation, which is some ten times slower.

import { exists } from "../../scripts/step.ts";
import { TextLineStream } from "../support/text_lines.ts";
import { whenKilled } from "../support/when_killed.ts";
import { fetchKernel, type Kernel, writeArchive } from "./guest.ts";

const memory = "2048";

/** Can qemu use the processor itself? An unchanged kernel needs more than /dev/kvm: its virtualisation. */
function hasKvm(architecture: Kernel["architecture"]): boolean {
  if (!exists("/dev/kvm")) return false;
  if (architecture === "arm64") return Deno.build.arch === "aarch64";
  return Deno.build.arch === "x86_64" &&
    /^flags\s*:.* (vmx|svm)( |$)/m.test(Deno.readTextFileSync("/proc/cpuinfo"));
}

function commandLine(kernel: Kernel, image: string, archive: string): string[] {
  const kvm = hasKvm(kernel.architecture);
  const [program, board, console] = kernel.architecture === "amd64"
    ? ["qemu-system-x86_64", "pc", "ttyS0"]
    : ["qemu-system-aarch64", "virt", "ttyAMA0"];
  return [
    ...[
      "nice",
      "-n",
      "1",
      program,
      "-M",
      board,
      "-accel",
      kvm ? "kvm" : "tcg",
      "-cpu",
      kvm ? "host" : "max",
    ],
    ...["-smp", "1", "-m", memory, "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"],
    ...["-kernel", image, "-initrd", archive],
    // Emulated, its clock counts its instructions (2 ns each) and skips what it would only wait for: however
    // busy the host is, no time runs out inside that would not run out on an idle one.
    ...(kvm ? [] : ["-icount", "shift=1,sleep=off"]),
    // A kernel that panics ends the machine; a timer that comes late on a busy host is none to panic for.
    ...["-append", `console=${console} quiet loglevel=3 panic=-1 no_timer_check rdinit=/init`],
  ];
}

/** A machine that runs `script` (sh) and switches itself off. Disposing ends it. */
export class Machine implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #end: AsyncDisposable;
  readonly #folder: string;
  /** What it says on its console, line by line; ends with the machine. */
  readonly lines: ReadableStream<string>;

  private constructor(argv: string[], folder: string) {
    const [program = "", ...args] = argv;
    this.#folder = folder;
    this.#child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "inherit" })
      .spawn();
    this.#end = whenKilled(["sh", "-c", 'kill -9 "$1"; rm -rf "$2"', "sh", String(this.#child.pid), folder]);
    this.lines = this.#child.stdout.pipeThrough(new TextLineStream());
  }

  static async boot(kernel: Kernel, script: string): Promise<Machine> {
    const fetched = await fetchKernel(kernel);
    const folder = Deno.makeTempDirSync({ prefix: "mirrord-machine-" });
    try {
      await writeArchive(`${folder}/root.cpio`, kernel, fetched, script);
      return new Machine(commandLine(kernel, fetched.image, `${folder}/root.cpio`), folder);
    } catch (error) {
      Deno.removeSync(folder, { recursive: true });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It is off already.
    }
    await this.#child.status;
    await this.#end[Symbol.asyncDispose]();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}
