// The shape of a group of variables that stay out of the app's environment. env_programs.ts, env_languages.ts
// and env_places.ts list the groups, env_default.ts reads them.

/** Names that stay out for one reason. */
export interface VariableGroup {
  /** The program or system that reads them, for people. */
  about: string;
  /** The manual pages or documentation that describe them. */
  source: string;
  /** Globs separated by white space; letter case counts. */
  names: string;
  /** Their program reads the names in any letter case. */
  anyCase?: true;
  /** A value that makes no program run or load anything: with it, the variable is taken. */
  harmless?: RegExp;
}
