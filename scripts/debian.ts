// Debian's packages as builds and tests fetch them: what apt must insist on, and what it says of a package.
// Used by the agent's image and the test cluster; install_packages.sh installs some on this machine.

/**
 * Options for apt, stronger than this machine's own: no list without the archive's signature, no package that
 * no signed list names. With them the SHA-256 of a package comes from a signed list.
 */
export const signedOnly = [
  "APT::Get::AllowUnauthenticated=false",
  "Acquire::AllowInsecureRepositories=false",
  "Acquire::AllowWeakRepositories=false",
  "Acquire::AllowDowngradeToInsecureRepositories=false",
  "Acquire::ForceHash=SHA256",
];

/** A package that apt would fetch, as a signed list describes it. */
export interface ListedPackage {
  name: string;
  file: string;
  sha256: string;
}

/**
 * Lines of `apt-get --print-uris`: 'URI' file-name size checksum. A package without a SHA-256 is an error.
 */
export function parseUris(printed: string): ListedPackage[] {
  const found: ListedPackage[] = [];
  for (const line of printed.split("\n")) {
    const [, file, sum = ""] = line.match(/^'[^']+' (\S+\.(?:deb|dsc|tar\.\w+)) \d+ ?(\S*)/) ?? [];
    if (file === undefined) continue;
    const sha256 = sum.match(/^SHA256:([0-9a-f]{64})$/)?.[1];
    if (sha256 === undefined) {
      throw new Error(`Cannot use "${file}": the package list has no SHA-256 of it, but "${sum}"`);
    }
    found.push({ name: file.slice(0, file.indexOf("_")), file, sha256 });
  }
  return found;
}
