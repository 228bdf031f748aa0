// A package of VS Code (.vsix): a zip archive in the form of the Open Packaging Conventions. Its manifest
// names what the editor reads from package.json again, so it is written from that. Called by vscode.ts.

import { strToU8, zipSync } from "fflate";

/** What the package says of itself, out of package.json. */
export interface ExtensionManifest {
  name: string;
  publisher: string;
  version: string;
  displayName: string;
  description: string;
  categories: string[];
  engines: { vscode: string };
  extensionKind: string[];
}

/** Types of the files that an extension may have, by their endings. */
const contentTypes: Record<string, string> = {
  json: "application/json",
  js: "application/javascript",
  md: "text/markdown",
  txt: "text/plain",
  vsixmanifest: "text/xml",
};

/** The archive with `files` (path in the extension → bytes): always the same bytes for the same files. */
export function vsix(manifest: ExtensionManifest, files: Map<string, Uint8Array>): Uint8Array {
  const all: [string, Uint8Array][] = [
    ["extension.vsixmanifest", strToU8(packageManifest(manifest))],
    ["[Content_Types].xml", strToU8(contentTypesFile())],
    ...[...files].map(([path, bytes]): [string, Uint8Array] => [`extension/${path}`, bytes]),
  ];
  // The first date that a zip archive can hold.
  return zipSync(Object.fromEntries(all), { level: 9, mtime: new Date(1980, 0, 1) });
}

function packageManifest(manifest: ExtensionManifest): string {
  const { name, publisher, version, displayName, description, categories, engines, extensionKind } = manifest;
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${xml(name)}" Version="${xml(version)}" Publisher="${xml(publisher)}"/>
    <DisplayName>${xml(displayName)}</DisplayName>
    <Description xml:space="preserve">${xml(description)}</Description>
    <Categories>${xml(categories.join(","))}</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${xml(engines.vscode)}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="${xml(extensionKind.join(","))}"/>
    </Properties>
    <License>extension/LICENSE.txt</License>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true"/>
  </Assets>
</PackageManifest>
`;
}

function contentTypesFile(): string {
  const defaults = Object.entries(contentTypes).map(([ending, type]) =>
    `  <Default Extension=".${ending}" ContentType="${type}"/>\n`
  );
  return `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
${defaults.join("")}</Types>
`;
}

function xml(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => names[character] ?? character);
}
