// What the API server's refusals mean, in words that say what to do. Called by client.ts; deploy/ reads the
// server's own text from an ApiError to tell an admission refusal from a missing right.

import { exitCodes, KubeError } from "../base/errors.ts";
import { isTable } from "./kubeconfig_file.ts";

/** What a call wants to do, for its error: `action` reads after "Cannot". */
export interface Purpose {
  action: string;
  verb: "get" | "list" | "watch" | "patch" | "create" | "delete";
  /** As in a role: "pods", "pods/ephemeralcontainers". */
  resource: string;
  group?: string;
}

/** The server answered, and said no. */
export class ApiError extends KubeError {
  /** The server's machine-readable reason ("NotFound", "Forbidden"). */
  readonly reason: string;
  /** The server's own sentence. */
  readonly said: string;

  constructor(
    message: string,
    options: { status: number; reason: string; said: string; help?: string; exitCode?: number },
  ) {
    super(message, options);
    this.reason = options.reason;
    this.said = options.said;
  }
}

/** Where the request went. */
interface Place {
  name: string;
  server: string;
  namespace: string;
  /** The kubeconfig's authority; undefined: this machine's count. */
  authority?: string | undefined;
}

/** Reads the body of a failed answer (a Kubernetes Status) into an ApiError. */
export async function apiError(response: Response, purpose: Purpose, place: Place): Promise<ApiError> {
  const text = (await response.text().catch(() => "")).slice(0, 4096);
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch {
    status = undefined;
  }
  const said = isTable(status) && typeof status["message"] === "string" ? status["message"] : text.trim();
  const reason = isTable(status) && typeof status["reason"] === "string" ? status["reason"] : "";
  const facts = { status: response.status, reason, said };
  const { action } = purpose;
  switch (response.status) {
    case 401:
      return new ApiError(
        `Cannot ${action}: the cluster does not accept the login of the context "${place.name}"`,
        {
          ...facts,
          exitCode: exitCodes.permission,
          help: "Log in to the cluster again, or choose another context with --context.",
        },
      );
    case 403: {
      // RBAC's refusal names verb and resource; an admission plugin's is a 403 as well, in its own words.
      const denied = /cannot (\w+) resource "([^"]+)" in API group "([^"]*)"/.exec(said);
      if (denied === null) return new ApiError(`Cannot ${action}: the cluster refused it: ${said}`, facts);
      const [, verb, resource, group] = denied;
      const where = /at the cluster scope/.test(said)
        ? "all namespaces"
        : `the namespace "${place.namespace}"`;
      return new ApiError(
        `Cannot ${action}: you may not "${verb}" the resource "${resource}" in ${where}`,
        {
          ...facts,
          help: "Ask for a role with this rule: " +
            `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]}.`,
        },
      );
    }
    default:
      return new ApiError(`Cannot ${action}: ${said || `the cluster answered ${response.status}`}`, facts);
  }
}

/** No answer: refused, no route, unknown name, untrusted certificate, too slow. */
export function unreachable(place: Place, cause: unknown, action: string): KubeError {
  const { state, help } = reasonOf(cause, place);
  return new KubeError(
    `Cannot ${action}: the cluster at "${place.server}" (context "${place.name}") ${state}`,
    {
      help,
      cause,
    },
  );
}

function reasonOf(cause: unknown, { authority }: Place): { state: string; help: string } {
  const text = chain(cause);
  const check =
    "Check that the cluster is up and that this machine reaches it (VPN, proxy), or use another --context.";
  if (/UnknownIssuer|BadSignature|CaUsedAsEndEntity|self.signed/i.test(text)) {
    if (authority === undefined) {
      return {
        state:
          "shows a certificate that is not signed by the authority in the kubeconfig, which names none, nor by this machine's",
        help: "Put the cluster's authority into the kubeconfig (certificate-authority-data).",
      };
    }
    return {
      state: "shows a certificate that is not signed by the authority in the kubeconfig",
      help: "Check certificate-authority-data of the cluster in the kubeconfig.",
    };
  }
  const name = /certificate not accepted for "([^"]*)"/.exec(text)?.[1];
  if (name !== undefined) {
    return {
      state: `shows a certificate that is not accepted for "${name}"`,
      help: "Check tls-server-name and certificate-authority-data of the cluster in the kubeconfig.",
    };
  }
  if (/NotValidForName|certificate not valid for name/i.test(text)) {
    return {
      state: "shows a certificate for another name",
      help: "Use the name in the certificate as the server, or set tls-server-name in the kubeconfig to it.",
    };
  }
  if (/certificate.*expired|\bExpired\b/i.test(text)) {
    return {
      state: "shows a certificate that is out of date",
      help: "Check the clock and the cluster's certificates.",
    };
  }
  if (/CertificateRequired|BadCertificate|UnknownCA|AccessDenied|CertificateUnknown/i.test(text)) {
    return { state: "does not accept the client certificate", help: "Log in to the cluster again." };
  }
  if (/refused/i.test(text)) return { state: "refuses the connection", help: check };
  if (/dns error|failed to lookup|name or service/i.test(text)) {
    return { state: "has a name that cannot be resolved", help: check };
  }
  if (/no answer in time|timed out/i.test(text)) return { state: "does not answer", help: check };
  return { state: `cannot be reached: ${text.slice(0, 300)}`, help: check };
}

function chain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause === undefined ? cause.message : `${cause.message}: ${chain(cause.cause)}`;
}
