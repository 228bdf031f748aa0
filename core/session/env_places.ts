// The variables that name the user and the places of programs, libraries and state on a machine: a pod's
// value is wrong here, and points tools to files that another user may have put there. Part of the list in
// env_default.ts.

import type { VariableGroup } from "./env_group.ts";

/** Groups of reason "place". */
export const placeVariables: readonly VariableGroup[] = [
  {
    about: "the developer, and the terminal",
    source: "environ(7), login(1), XDG Base Directory Specification, X(7)",
    names: `
      HOME HOMEPATH LOGNAME OLDPWD PATH PWD SHELL SHLVL TEMP TERM TERMCAP TERMINFO TERMINFO_DIRS TMP TMPDIR USER XDG_* _
      DISPLAY WAYLAND_DISPLAY XAUTHORITY COLORTERM TERM_PROGRAM* SSH_AUTH_SOCK SSH_AGENT_PID SSH_CLIENT SSH_CONNECTION
      SSH_TTY SUDO_COMMAND SUDO_GID SUDO_UID SUDO_USER`,
  },
  {
    about: "where the C library finds time zones",
    source: "tzset(3), getconf(1)",
    names: `GETCONF_DIR TZDIR`,
  },
  {
    about: "Java: where it lies",
    source: "documentation of the JDK, Apache Maven, Gradle, Apache Tomcat",
    names: `
      JAVA_HOME JAVA_HOME_* JRE_HOME JDK_HOME GRAALVM_HOME GRADLE_HOME GRADLE_USER_HOME M2 M2_HOME CATALINA_BASE CATALINA_HOME
      CATALINA_TMPDIR SCALA_HOME KOTLIN_HOME GROOVY_HOME ANT_HOME JETTY_HOME JETTY_BASE JBOSS_HOME ANDROID_HOME
      ANDROID_SDK_ROOT ANDROID_USER_HOME`,
  },
  {
    about: "Go: where it lies",
    source: "go help environment",
    names: `GOBIN GOCACHE GOMODCACHE GOPATH GOROOT GOTMPDIR`,
  },
  {
    about: "Node.js: where it lies",
    source: "documentation of Corepack, pnpm, nvm, Volta, fnm",
    names: `COREPACK_HOME PNPM_HOME NVM_BIN NVM_INC N_PREFIX FNM_* VOLTA_HOME NODENV_ROOT`,
  },
  {
    about: "Python: where it lies",
    source: "documentation of venv, conda, pyenv",
    names:
      `VIRTUAL_ENV VIRTUAL_ENV_PROMPT CONDA_* MAMBA_* PYENV_ROOT PYENV_VERSION PYENV_DIR PYENV_HOOK_PATH`,
  },
  {
    about: "Ruby: where it lies",
    source: "gem help environment, bundle-config(1), documentation of rbenv and RVM",
    names:
      `GEM_HOME GEM_PATH BUNDLE_PATH BUNDLE_WITHOUT BUNDLE_WITH BUNDLE_ONLY BUNDLER_ORIG_* BUNDLER_VERSION
      RBENV_ROOT RBENV_VERSION RBENV_DIR RBENV_HOOK_PATH rvm_* RUBY_ROOT`,
  },
  {
    about: ".NET: where it lies",
    source: ".NET environment variables (Microsoft Learn)",
    names: `DOTNET_ROOT* DOTNET_HOST_PATH DOTNET_BUNDLE_EXTRACT_BASE_DIR DOTNET_EnableDiagnostics`,
  },
  {
    about: "Rust and other toolchains: where they lie",
    source: "documentation of rustup, Cargo, opam, Stack, Cabal, Julia, Dart",
    names: `RUSTUP_HOME CARGO_HOME OPAMROOT STACK_ROOT CABAL_DIR JULIA_BINDIR PUB_CACHE FLUTTER_ROOT ASDF_DIR
      ASDF_DATA_DIR CUDA_HOME CUDA_PATH ORACLE_HOME SDKROOT DEVELOPER_DIR`,
  },
  {
    about: "logging of the tools themselves",
    source: "env_logger (docs.rs)",
    names: `RUST_LOG`,
  },
];
