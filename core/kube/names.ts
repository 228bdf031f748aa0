// The names that Kubernetes gives out. An API server that answers with others is broken or hostile: they
// would stand in messages, commands to copy and shells' completions. Called by core/target.

/**
 * DNS subdomain names (RFC 1123, section 2.1; Kubernetes, "Object Names and IDs"): of pods, deployments,
 * namespaces and containers.
 */
export function isObjectName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name);
}
