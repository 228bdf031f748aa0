// The errors a user sees. Each room of core whose failure a caller tells apart has a subclass; bugs stay
// built-in errors. A MirrordError is printed once, by cmd/ui.ts, and ends the program with its exit code.

/**
 * Exit codes of mirrord's own failures; the app's own code passes through otherwise (README, "Exit codes").
 */
export const exitCodes = {
  usage: 2,
  unavailable: 69,
  bug: 70,
  machine: 71,
  linkLost: 74,
  conflict: 75,
  permission: 77,
  config: 78,
  notExecutable: 126,
  notFound: 127,
} as const;

/** What to do next, the cause, and the exit code (one of `exitCodes`). */
export interface MirrordErrorOptions {
  help?: string;
  cause?: unknown;
  exitCode?: number;
}

/** A failure worth a sentence: `Cannot <action> "<value>": <state>`; `help` says what to do next. */
export class MirrordError extends Error {
  readonly help: string | undefined;
  readonly exitCode: number;

  constructor(message: string, options: MirrordErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = new.target.name;
    this.help = options.help;
    this.exitCode = options.exitCode ?? exitCodes.bug;
  }
}

/** The configuration (file, variables or flags) cannot be used. */
export class ConfigError extends MirrordError {
  constructor(message: string, options: MirrordErrorOptions = {}) {
    super(message, { exitCode: exitCodes.config, ...options });
  }
}

/** The target does not exist or is not fit to be one. */
export class TargetError extends MirrordError {
  constructor(message: string, options: MirrordErrorOptions = {}) {
    super(message, { exitCode: exitCodes.unavailable, ...options });
  }
}

/** The cluster did not do what was asked. */
export class KubeError extends MirrordError {
  /** HTTP status of the API server's answer, if it gave one. */
  readonly status: number | undefined;

  constructor(message: string, options: MirrordErrorOptions & { status?: number } = {}) {
    super(message, {
      exitCode: options.status === 403 ? exitCodes.permission : exitCodes.unavailable,
      ...options,
    });
    this.status = options.status;
  }
}

/** The agent could not be brought to the target. */
export class DeployError extends MirrordError {
  constructor(message: string, options: MirrordErrorOptions = {}) {
    super(message, { exitCode: exitCodes.unavailable, ...options });
  }
}

/** The running session failed: the agent is gone, or two sessions want the same. */
export class SessionError extends MirrordError {
  constructor(message: string, options: MirrordErrorOptions = {}) {
    super(message, { exitCode: exitCodes.linkLost, ...options });
  }
}
