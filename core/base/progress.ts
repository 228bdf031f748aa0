// What the user waits for, step by step: a title while it is done, a sentence when it is. Called by the
// commands and rooms; cmd/ui.ts installs the sink that shows it. Without a sink nothing is shown. Invariant:
// one step at a time; a step that is disposed before it is done has failed.

/** Shows steps. */
export interface ProgressSink {
  /** `slow`: it may take seconds, so that it began is worth a line. */
  begin(title: string, slow?: boolean): void;
  /** The latest about the running step; it replaces the one before. */
  note(text: string): void;
  /** `text` undefined: the step failed, its error will be printed. */
  end(title: string, text: string | undefined): void;
  /** The terminal is another's until `resume`: a password may be asked for. */
  pause(): void;
  resume(): void;
}

/** One running step. */
export interface Step extends Disposable {
  /** It is done; `text` says with what. */
  done(text: string): void;
}

let sink: ProgressSink | undefined;
let running: string | undefined;

/** Installs the sink; undefined shows nothing from now on. */
export function setProgressSink(next: ProgressSink | undefined): void {
  sink = next;
}

/** Begins a step. */
export function beginStep(title: string, options: { slow?: boolean } = {}): Step {
  running = title;
  sink?.begin(title, options.slow ?? false);
  const end = (text: string | undefined): void => {
    if (running !== title) return;
    running = undefined;
    sink?.end(title, text);
  };
  return { done: end, [Symbol.dispose]: () => end(undefined) };
}

/** Says how the running step fares; nothing when none runs. */
export function noteStep(text: string): void {
  if (running !== undefined && text !== "") sink?.note(text);
}

/** While held, nothing is drawn: another program asks on the terminal. */
export function holdSteps(): Disposable {
  sink?.pause();
  let held = true;
  return {
    [Symbol.dispose]() {
      if (held) sink?.resume();
      held = false;
    },
  };
}
