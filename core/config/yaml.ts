// The YAML library, to be loaded lazily by `await import("./yaml.ts")`: a CommonJS package imported
// dynamically by its own name loses its named exports in the bundle.

export { isMap, isNode, isPair, isScalar, isSeq, parse, parseDocument } from "yaml";
