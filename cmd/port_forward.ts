// `mirrord port-forward`: ports of this machine that lead to what the target reaches, and ports of the target
// that lead here, by an agent. The walk is that of exec.ts without an app: the configuration, this machine's
// ports, the target, the agent. A lost agent is followed by another; a signal ends all in order, with 0.

import { exitCodes, MirrordError, SessionError, TargetError } from "../core/base/errors.ts";
import { pauseOrEnd } from "../core/base/pause.ts";
import { Control } from "../core/control/control.ts";
import { factsOf } from "../core/control/facts.ts";
import type { OpeningFacts } from "../core/control/record.ts";
import type { Config } from "../core/config/config.ts";
import { interruptible, Interrupts } from "../core/launch/interrupts.ts";
import { stopsInOrder } from "../core/launch/stopping.ts";
import type { Emit, SessionEvent } from "../core/session/events.ts";
import { Forwarder, type Forwards } from "../core/session/forward/forwarder.ts";
import type { Forwarding, Loss } from "../core/session/forward/forwarding.ts";
import { readLocal, readRemote } from "../core/session/forward/written.ts";
import { type IncomingRules, incomingRules } from "../core/session/incoming_rules.ts";
import { undeliveredText } from "../core/session/linger.ts";
import type { Target } from "../core/target/resolve.ts";
import type { PortForwardCommand } from "./commands.ts";
import { configOf, portForwardFlags } from "./config_flags.ts";
import { findTarget, openAgent, tell } from "./steps.ts";
import { printsEvents, showEvent } from "./ui.ts";

/** Seconds before each attempt to start another agent; the last one counts for all that follow. */
const backoffSeconds = [1, 2, 4, 8, 15, 30];
const endingSignals: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/** The user's wish that it ends. */
interface Ending {
  signal: AbortSignal;
  interrupts: Interrupts;
  /** Aborted when nothing is to be delivered any more. */
  giveUp: AbortSignal;
  /** As a signal does. */
  ask: () => void;
  /** The same, and nothing is delivered. */
  abandon: () => void;
}

/** Forwards until a signal ends it. Throws MirrordError when it could not begin, or cannot go on. */
export async function portForward(command: PortForwardCommand): Promise<number> {
  using interrupt = interruptible("forward ports");
  const forwards = readForwards(command);
  const given = await configOf(command, portForwardFlags(command, forwards.remotes.length > 0), {
    announced: true,
    runs: true,
    signal: interrupt.signal,
  });
  const config = forwardConfig(given, forwards);
  using control = new Control(); // first, so that it ends last
  const emit = (event: SessionEvent): void => {
    say(event);
    control.record.take(event);
  };
  await using forwarder = new Forwarder(forwards, {
    emit,
    requests: printsEvents(),
    details: control.record.details,
  });
  const start = { signal: interrupt.signal, forced: command.force === true };
  let connected = await connect(config, forwarder, { forwards, ...start });
  const ending = hearEnd();
  interrupt[Symbol.dispose](); // from here on signals end it in order
  control.openSoon(connected.facts, { stop: ending.ask, kill: ending.abandon });
  stopsInOrder(() => connected.forwarding.standStill);
  forwarder.announce(); // not before signals are heard
  using _ending = { [Symbol.dispose]: () => control.record.ends() };
  for (;;) {
    const loss = await untilLost(connected, { forwarder, config, ending });
    if (loss === null) return 0;
    if (loss.isFinal) throw loss.error;
    const again = await reconnect(loss, {
      emit,
      signal: ending.signal,
      connect: () => connect(config, forwarder, { forwards, ...start, signal: ending.signal }),
      endsWith: (error) => isForEver(error, given),
    });
    if (again === null) return 0;
    connected = again;
    control.record.follows(again.facts.agent);
  }
}

/** What the flags say. Throws MirrordError (exit code 2). */
function readForwards({ portMapping = [], reversePortMapping = [] }: PortForwardCommand): Forwards {
  const refuse = (message: string, help: string) =>
    new MirrordError(message, { help, exitCode: exitCodes.usage });
  if (portMapping.length + reversePortMapping.length === 0) {
    throw refuse(
      'Cannot run "port-forward": no port is named',
      "Name some: -L 5432:db:5432 for a host that the target reaches, -R 80:8080 for a port of the target.",
    );
  }
  const remotes = reversePortMapping.map(readRemote);
  const twice = remotes.find(({ port }, index) => remotes.findIndex((one) => one.port === port) < index);
  if (twice !== undefined) {
    throw refuse(
      `Cannot forward "${twice.written}": port ${twice.port} of the target is named twice`,
      "A port of the target can go to one place.",
    );
  }
  return { locals: portMapping.map(readLocal), remotes };
}

/** The configuration with what a forward asks of the target, and nothing else: no app has the rest. */
function forwardConfig(config: Config, { locals, remotes }: Forwards): Config {
  const { path = "targetless" } = config.target;
  if (path === "targetless" && (remotes.length > 0 || config.agent.pod === null)) {
    throw new MirrordError("Cannot forward ports: there is no target", {
      help: 'Name one: --target "deployment/NAME". For -L alone, "--target targetless" takes the cluster.',
      exitCode: exitCodes.config,
    });
  }
  return {
    ...config,
    env: null,
    incoming: {
      ...config.incoming,
      mode: remotes.length > 0 ? "steal" : "off",
      ports: null,
      ignorePorts: [],
      portMapping: [],
      listenPorts: [],
      filter: "",
      filterPorts: null,
    },
    outgoing: { tcp: locals.length > 0, udp: locals.length > 0, ignoreLocalhost: false, filter: null },
    dns: { enabled: locals.length > 0, filter: null, hostname: false },
    interfaces: false,
    files: { ...config.files, mode: "local" },
  };
}

interface Connected {
  forwarding: Forwarding;
  stack: AsyncDisposableStack;
  /** For programs that list sessions. */
  facts: OpeningFacts;
}

interface ConnectOptions {
  forwards: Forwards;
  signal: AbortSignal;
  forced: boolean;
}

/** From the target to forwards that work. Throws MirrordError, with nothing left. */
async function connect(
  config: Config,
  forwarder: Forwarder,
  { forwards, ...start }: ConnectOptions,
): Promise<Connected> {
  await using stack = new AsyncDisposableStack();
  const target = await findTarget(config, start.signal);
  const rules = rulesFor(config, target, forwards);
  const agent = await openAgent(config, target, stack, start);
  if (agent === null) throw new TargetError("Cannot forward ports: there is no cluster");
  const forwarding = stack.use(await forwarder.use(agent.link, rules));
  const facts = factsOf(config, { kind: "port-forward", command: wordsOf(forwards), target, agent });
  return { forwarding, stack: stack.move(), facts };
}

/** The command as it could be written. */
function wordsOf({ locals, remotes }: Forwards): string[] {
  const flags = [
    ...locals.map(({ written }) => ["-L", written]),
    ...remotes.map(({ written }) => ["-R", written]),
  ];
  return ["port-forward", ...flags.flat()];
}

/** By which rules ports of the target are stolen; null: none is. Throws TargetError. */
function rulesFor(config: Config, target: Target, { remotes }: Forwards): IncomingRules | null {
  const rules = incomingRules(config, target);
  if (rules === null) return null;
  const foreign = remotes.find(({ port }) => rules.onlyDeclared && !rules.declaredPorts.includes(port));
  if (foreign !== undefined) {
    target[Symbol.dispose]();
    throw new TargetError(
      `Cannot steal port ${foreign.port}: the pod uses its node's network and does not declare this port`,
      { help: `It declares: ${rules.declaredPorts.join(", ") || "none"}.`, exitCode: exitCodes.config },
    );
  }
  return { ...rules, declaredPorts: [] }; // every port was named on purpose
}

interface ReconnectOptions {
  emit: Emit;
  signal: AbortSignal;
  connect: () => Promise<Connected>;
  /** No later attempt would go better. */
  endsWith: (error: MirrordError) => boolean;
}

/** Starts another agent, however long that takes; null: the user ended it meanwhile. */
async function reconnect(loss: Loss, options: ReconnectOptions): Promise<Connected | null> {
  const { emit, signal, connect } = options;
  const began = performance.now();
  let reason = loss.error.message.replace(/^Cannot go on with the session: t/, "T");
  for (let attempt = 0;; attempt++) {
    const seconds = backoffSeconds[Math.min(attempt, backoffSeconds.length - 1)] ?? 0;
    const connections = attempt === 0 ? loss.connections : 0;
    emit({ type: "reconnecting", reason, connections, seconds });
    await pauseOrEnd(seconds * 1000, signal);
    if (signal.aborted) return null;
    try {
      const connected = await connect();
      emit({ type: "reconnected", milliseconds: Math.round(performance.now() - began) });
      return connected;
    } catch (error) {
      if (signal.aborted) return null;
      if (!(error instanceof MirrordError) || options.endsWith(error)) throw error;
      reason = error.message;
    }
  }
}

/** A process that has ended does not come again; a pod may. */
function isForEver(error: MirrordError, { target }: Config): boolean {
  return error instanceof TargetError && /^process\//.test(target.path ?? "");
}

/** Forwards until the agent is lost; null: the user ended it, and all is delivered. Nothing of it is left. */
async function untilLost(
  { forwarding, stack }: Connected,
  { forwarder, config, ending }: { forwarder: Forwarder; config: Config; ending: Ending },
): Promise<Loss | null> {
  await using _owned = stack;
  const asked = Promise.withResolvers<null>();
  ending.signal.addEventListener("abort", () => asked.resolve(null));
  if (ending.signal.aborted) asked.resolve(null);
  const loss = await Promise.race([forwarding.lost, asked.promise]);
  if (loss === null) await deliver(forwarder, forwarding, { config, ending });
  return loss;
}

/** Delivers what clients had sent. Throws SessionError that names what is lost. */
async function deliver(
  forwarder: Forwarder,
  forwarding: Forwarding,
  { config, ending }: { config: Config; ending: Ending },
): Promise<void> {
  await forwarder.close();
  using _lingering = ending.interrupts.linger();
  const delivered = forwarding.deliver({
    limitMs: config.agent.lingerSeconds * 1000,
    giveUp: ending.giveUp,
    asked: () => ending.interrupts.any,
  });
  await Promise.race([delivered, forwarding.lost.then(({ error }) => Promise.reject(error))]);
}

/** Hears signals from now on. The listeners stay: one that nobody listens to would end the teardown. */
function hearEnd(): Ending {
  const interrupts = new Interrupts();
  const asked = new AbortController();
  const abandoned = new AbortController();
  const ask = (): void => {
    interrupts.hear();
    asked.abort(new SessionError("Cannot go on: interrupted"));
  };
  for (const signal of endingSignals) Deno.addSignalListener(signal, ask);
  return {
    signal: asked.signal,
    interrupts,
    giveUp: AbortSignal.any([interrupts.giveUp, abandoned.signal]),
    ask,
    abandon() {
      abandoned.abort();
      ask();
    },
  };
}

/** What is delivered at the end comes from clients, not from an app. */
function say(event: SessionEvent): void {
  if (event.type === "delivering") {
    const text = `Delivering what clients had sent: ${undeliveredText(event.rests)}`;
    return showEvent(event, { level: "info", text });
  }
  if (event.type === "deliveryHurried") {
    const text = "The last bytes are still on their way; press Ctrl-C again to give them up";
    return showEvent(event, { level: "info", text });
  }
  tell(event);
}
