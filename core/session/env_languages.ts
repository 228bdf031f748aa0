// The variables by which interpreters, compilers, virtual machines and their build and package tools run a
// program, load code, or read a file of settings that can do either. Part of the list in env_default.ts. What
// only tunes a running program (PYTHONUNBUFFERED, NODE_ENV, GOMAXPROCS, DOTNET_gcServer, MIX_ENV,
// UV_THREADPOOL_SIZE) belongs to an application and is not here.

import type { VariableGroup } from "./env_group.ts";

const plainWord = /^[A-Za-z0-9][\w.-]*$|^$/;

/** Groups of reason "code". */
export const languageVariables: readonly VariableGroup[] = [
  {
    about: "Python: warning filters, whose category is imported when it has a dot",
    source: "python(1), warnings (Python standard library)",
    names: `PYTHONWARNINGS`,
    harmless: /^[^.]*$/,
  },
  {
    about: "Python",
    source:
      "Python command line and environment; documentation of pdb, pytest, coverage, IPython, Jupyter, gunicorn, uvicorn, Airflow, Numba, Pylint, debugpy",
    names: `
      PYTHON PYTHON3 PYTHONBREAKPOINT PYTHONCASEOK PYTHONDOCS PYTHONDUMPREFSFILE PYTHONEXECUTABLE PYTHONHOME PYTHONINSPECT
      PYTHONPATH PYTHONPLATLIBDIR PYTHONPYCACHEPREFIX PYTHONSTARTUP PYTHONUSERBASE PYTHON_HISTORY PYTHON_PRESITE
      __PYVENV_LAUNCHER__ PYTEST_* TOX_* NOX_* NOXSESSION COVERAGE_PROCESS_* COVERAGE_RCFILE COVERAGE_FILE COVERAGE_DEBUG* COV_CORE_* IPYTHONDIR JUPYTER_CONFIG_* JUPYTER_PATH
      JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR PYLINTRC PYLINTHOME MYPYPATH MYPY_* PYDEVD_* PYCHARM_* DEBUGPY_* DISTUTILS_*
      SETUPTOOLS_* PRE_COMMIT_* GUNICORN_CMD_ARGS UVICORN_APP_DIR UVICORN_LOG_CONFIG AIRFLOW_CONFIG AIRFLOW_HOME AIRFLOW__*_CMD
      AIRFLOW__CORE__PLUGINS_FOLDER AIRFLOW__CORE__DAGS_FOLDER NUMBA_CACHE_DIR MATPLOTLIBRC MPLCONFIGDIR HF_MODULES_CACHE
      TORCH_EXTENSIONS_DIR TORCHINDUCTOR_CACHE_DIR TRITON_CACHE_DIR THEANO_FLAGS THEANORC PYTENSOR_FLAGS CUPY_CACHE_DIR`,
  },
  {
    about: "packages of Python",
    source:
      "pip (environment variables), uv (environment variables), documentation of Poetry, PDM, Pipenv, Hatch, virtualenv",
    names: `
      PIP_* PIPX_* PIPENV_* POETRY_* PDM_PYTHON PDM_PROJECT* PDM_CONFIG_FILE PDM_CACHE_DIR PDM_PYPI_* HATCH_* VIRTUALENV_* VIRTUALENVWRAPPER_* WORKON_HOME PIXI_* TWINE_* FLIT_*
      UV UV_BUILD_* UV_CACHE_DIR UV_CONFIG_FILE UV_CONSTRAINT UV_DEFAULT_INDEX UV_ENV_FILE UV_EXTRA_INDEX_URL
      UV_FIND_LINKS UV_GIT_* UV_INDEX* UV_INSECURE_HOST UV_INSTALL* UV_KEYRING_PROVIDER UV_OVERRIDE UV_PROJECT*
      UV_PUBLISH_* UV_PYTHON* UV_TOOL_* UV_TORCH_BACKEND UV_WORKING_DIR* UVX_*`,
  },
  {
    about: "Node.js",
    source:
      "Node.js command-line API (environment variables), cluster, child_process; ts-node, Babel, nyc, esbuild, Puppeteer, Playwright, pm2",
    names: `
      NODE_CHANNEL_* NODE_COMPILE_CACHE NODE_GYP_* NODE_ICU_DATA NODE_INSPECT* NODE_OPTIONS NODE_PATH
      NODE_REDIRECT_WARNINGS NODE_REPL_EXTERNAL_MODULE NODE_REPL_HISTORY NODE_TEST_CONTEXT NODE_UNIQUE_ID NODE_V8_COVERAGE
      TS_NODE_* TSX_* BABEL_CACHE_PATH NYC_* ESBUILD_BINARY_PATH SWC_BINARY_PATH NAPI_RS_* TURBO_BINARY_PATH
      LAUNCH_EDITOR PM2_* pm_* CHROME_BIN CHROME_PATH CHROME_DEVEL_SANDBOX CHROME_EXECUTABLE* CHROME_WRAPPER CHROME_FLAGS CHROMIUM_FLAGS CHROMIUM_USER_FLAGS CHROMIUM_PATH PUPPETEER_EXECUTABLE_PATH PUPPETEER_CACHE_DIR PLAYWRIGHT_BROWSERS_PATH PLAYWRIGHT_*_EXECUTABLE_PATH PLAYWRIGHT_NODEJS_PATH PLAYWRIGHT_DOWNLOAD_* CYPRESS_*
      LEFTHOOK_* HUSKY_* MOZ_*PATH`,
  },
  {
    about: "packages of Node.js",
    source: "npm config (environment variables), Yarn configuration, pnpm settings, Corepack",
    names: `npm_* pnpm_* yarn_* corepack_*`,
    anyCase: true,
  },
  {
    about: "packages of Node.js: where a script was started",
    source: "npm run-script, npm config (prefix)",
    names: `INIT_CWD DESTDIR BERRY_BIN_FOLDER PROJECT_CWD`,
  },
  {
    about: "npm's prefix, the folder of its settings",
    source: "npm folders, npmrc(5)",
    names: `PREFIX`,
    harmless: plainWord,
  },
  {
    about: "Bun and Deno",
    source: "documentation of Bun (environment variables, bunfig.toml), deno help (environment variables)",
    names: `BUN_* DENO_* JSR_URL`,
  },
  {
    about: "Ruby",
    source:
      "ruby(1), irb(1), rake(1), bundle-config(1), gem help environment, documentation of RSpec, Bootsnap, debug, Rails Spring, Pry",
    names: `
      RUBY RUBYLIB RUBYLIB_PREFIX RUBYOPT RUBYPATH RUBYSHELL RUBYGEMS_GEMDEPS RUBY_CRASH_REPORT RUBY_DEBUG_* RUBY_REPL_* TRUFFLERUBYOPT
      IRBRC IRB_* PRYRC PRY_* RAKEOPT RAKE_SYSTEM TESTOPTS BOOTSNAP_* SPRING_SERVER_COMMAND SPRING_TMP_PATH
      SPRING_SOCKET GEM_SPEC_CACHE GEM_SKIP GEM_REQUIREMENT_* GEM_HOST_API_KEY GEMRC BUNDLE_APP_CONFIG BUNDLE_BIN BUNDLE_BIN_PATH BUNDLE_BUILD__* BUNDLE_CACHE_*
      BUNDLE_CONFIG BUNDLE_DEPLOYMENT BUNDLE_FORCE_RUBY_PLATFORM BUNDLE_FROZEN BUNDLE_GEMFILE BUNDLE_GEM_* BUNDLE_GEM__*
      BUNDLE_LOCAL__* BUNDLE_LOCKFILE BUNDLE_MIRROR__* BUNDLE_PATH__* BUNDLE_PLUGINS BUNDLE_SHEBANG BUNDLE_SYSTEM_BINDIR
      BUNDLE_TRUST_POLICY BUNDLE_USER_* BUNDLER_*`,
  },
  {
    about: "Perl",
    source: "perlrun(1), perldebug(1), perldoc(1), ExtUtils::MakeMaker, Module::Build, prove(1), cpanm",
    names: `
      PERL PERL5* PERLLIB PERLDB_* PERLDOC* PERLIO_DEBUG PERL_MM_* PERL_MB_* PERL_LOCAL_LIB_* PERL_CPANM_* PERL_CARTON_*
      PERL_RL PERL_READLINE_* PERLBREW_* PLENV_* HARNESS_* PERLCRITIC PERLTIDY`,
  },
  {
    about: "PHP",
    source:
      "PHP manual (configuration file, PHP_INI_SCAN_DIR), Composer (environment variables), Xdebug, WP-CLI",
    names:
      `PHPRC PHP_INI_SCAN_DIR PHP_BINARY PHP_PEAR_* PHP_CS_FIXER_* PHPUNIT_* COMPOSER* XDEBUG_* WP_CLI_* DRUSH_*`,
  },
  {
    about: "Java: options of start scripts",
    source:
      "Gradle application plugin, catalina.sh, Apache Maven, sbt, Apache Kafka, Apache Ant, JRuby (all NAME_OPTS)",
    names: `*_OPTS `,
  },
  {
    about: "Java",
    source:
      "java(1) (JDK_JAVA_OPTIONS), JVM Tool Interface (JAVA_TOOL_OPTIONS), OpenJ9, Apache Maven, Gradle, Spring Boot (launch script, " +
      "PropertiesLauncher), Log4j 2, catalina.sh, JBoss standalone.conf, Jetty, Spark, Hadoop",
    names: `
      CLASSPATH *_CLASSPATH JAVA JAVAC JAVACMD JAVA_ARGS JAVA_EXE JAVA_OPTIONS JAVA_TOOL_OPTIONS *_JAVA_OPTIONS JDK_*_OPTIONS
      JVM_ARGS JVM_OPTIONS MAVEN_* MVNW_* GRADLE_* ORG_GRADLE_* SBT_* COURSIER_* CLJ_* LEIN_* ANT_ARGS GROOVY_* STARTER_CONF
      CATALINA_* LOGGING_CONFIG LOGGING_MANAGER RUN_CONF STANDALONE_CONF DOMAIN_CONF JBOSS_MODULEPATH JETTY_ARGS JETTY_CONF JETTY_PROPERTIES JETTY_RUN JETTY_START* CONF_FOLDER
      JARFILE LOADER_PATH LOADER_HOME LOADER_MAIN LOADER_CONFIG_* LOG4J_CONFIGURATION_* LOG4J_ENABLE_JNDI*
      LOG4J_SCRIPT_ENABLE_LANGUAGES OTEL_JAVAAGENT_* NATIVE_IMAGE_* JYTHONPATH JYTHON_* ES_PATH_CONF SPARK_HOME SPARK_CONF_DIR
      PYSPARK_* SPARKR_* HADOOP_HOME SOLR_INCLUDE `,
  },
  {
    about: ".NET",
    source:
      ".NET environment variables, .NET startup hooks, CLR profiling, ASP.NET Core hosting startup, NuGet, Mono, PowerShell",
    names: `
      CORECLR_* COR_ENABLE_PROFILING COR_PROFILER COR_PROFILER_PATH* DOTNET_STARTUP_HOOKS DOTNET_ADDITIONAL_DEPS DOTNET_SHARED_STORE DOTNET_DiagnosticPorts DOTNET_AltJit*
      DOTNET_Jit* DOTNET_GCName DOTNET_GCPath DOTNET_Dbg* DOTNET_PerfMap* DOTNET_CLI_* DOTNET_MSBUILD_* DOTNET_TOOLS_*
      DOTNET_gcServerName DOTNET_EventPipe* COMPlus_AltJit* COMPlus_Jit* COMPlus_GCName COMPlus_GCPath COMPlus_Dbg*
      COMPlus_PerfMap* COMPlus_EventPipe* *_HOSTINGSTARTUPASSEMBLIES NUGET_* VSTEST_* MONO_PATH MONO_CONFIG MONO_CFG_DIR MONO_PROFILE MONO_ENV_OPTIONS MONO_EXTERNAL_* MONO_GAC_PREFIX MONO_DEBUG PSModulePath POWERSHELL_*
      `,
  },
  {
    about: "MSBuild, which takes variables as properties in any letter case",
    source: "MSBuild: how to use environment variables in a build; Microsoft.Common.props and .targets",
    names: `
      MSBuild* CustomBefore* CustomAfter* Directory*PropsPath Directory*TargetsPath Import*Directory* BeforeTargetFramework*
      AlternateCommonProps CommonTargetsPath LanguageTargets RoslynTargetsPath CscTool* VbcTool* FscTool* VCTargetsPath
      NuGetRestoreTargets NuGetPropsFile NuGetTargets* RestoreConfigFile RestoreSources RestorePackagesPath
      RestoreAdditional* PreBuildEvent PostBuildEvent RunCommand RunArguments BaseIntermediateOutputPath
      MSBuildProjectExtensionsPath ForceImport* CodeAnalysisTargets Before*Targets After*Targets`,
    anyCase: true,
  },
  {
    about: "Go",
    source:
      "go help environment, go help goauth, go help cacheprog, golang.org/x/tools (GOPACKAGESDRIVER), Delve",
    names: `
      GOAUTH GOCACHEPROG GOCOVERDIR GOENV GOEXPERIMENT GOFIPS140 GOFLAGS GOINSECURE GONOPROXY GONOSUMDB GONOSUMCHECK GOPACKAGESDRIVER
      GOPRIVATE GOPROXY GOSUMDB GOTELEMETRY* GOTOOLCHAIN GOTOOLDIR GOVCS GOWORK GCCGO GCCGOTOOLDIR GO_EXTLINK_ENABLED GO_LDSO
      GO_GCFLAGS GO_LDFLAGS CGO_*FLAGS* DELVE_*`,
  },
  {
    about: "Rust",
    source: "Cargo (environment variables), rustup, bindgen, sccache",
    names:
      `CARGO CARGO_* RUSTC RUSTC_* RUSTDOC RUSTDOCFLAGS RUSTFLAGS RUSTFMT RUSTUP_* RUST_GDB RUST_LLDB BINDGEN_* LIBCLANG_PATH
      LLVM_CONFIG_PATH __CARGO_* SCCACHE_* MIRIFLAGS`,
  },
  {
    about: "C and C++ compilers",
    source: "gcc(1), clang(1), ld(1), ccache(1), pkg-config(1), CMake (environment variables), Autoconf",
    names: `
      CC CXX CPP RANLIB OBJC OBJCXX OBJCOPY OBJDUMP READELF ADDR2LINE WINDRES F77 F90 CUDACXX HIPCXX
      NVCC_* HOSTCC HOSTCXX CC_FOR_BUILD CC_x86_64* CC_aarch64* CC_i686* CC_arm* CXX_* CFLAGS CXXFLAGS CPPFLAGS LDFLAGS ASFLAGS ARFLAGS FFLAGS FCFLAGS OBJCFLAGS LDLIBS 
      CPATH CPLUS_INCLUDE_PATH C_INCLUDE_PATH OBJC_INCLUDE_PATH LIBRARY_PATH COMPILER_PATH GCC_EXEC_PREFIX GCC_COMPARE_DEBUG
      GCC_COLORS COLLECT_* LTO_* DEPENDENCIES_OUTPUT SUNPRO_DEPENDENCIES CCC_* CCACHE_* DISTCC_* ICECC* PKG_CONFIG* CMAKE_*
      CTEST_* CONFIG_SITE CONFIG_SHELL ACLOCAL* AUTOCONF AUTOHEADER AUTOMAKE AUTOM4TE* AUTORECONF M4 M4PATH LIBTOOL*
      CONAN_* VCPKG_* MESON* NINJA ZIG_* BAZEL* USE_BAZEL_VERSION`,
  },
  {
    about: "make: options, and the variables of its built-in rules",
    source:
      "GNU make manual (Options/Recursion, Implicit Variables, Catalogue of Built-In Rules, The Variable MAKEFILES)",
    names: `
      MAKE MAKEFILES MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL MAKE_COMMAND MAKE_HOST MAKESHELL VPATH .* COMPILE.* LINK.* LEX.*
      LINT.* PREPROCESS.* YACC.* RM COFLAGS GFLAGS LFLAGS YACC YFLAGS LINTFLAGS PFLAGS RFLAGS 
      MAKEINFO TEXI2DVI WEAVE CWEAVE TANGLE CTANGLE LOADLIBES OUTPUT_OPTION TARGET_ARCH TARGET_MACH CHECKOUT,v`,
  },
  {
    about: "compilers and make: short names, which may be an application's",
    source: "GNU make manual (Implicit Variables)",
    names: `LD AR AS NM STRIP FC LIBS CO GET PC M2C TEX LEX LINT`,
    harmless: plainWord,
  },
  {
    about: "Lua",
    source: "lua(1), Lua manual (LUA_INIT, package.path), LuaRocks",
    names: `LUA_INIT* LUA_PATH* LUA_CPATH* LUAROCKS_*`,
  },
  {
    about: "R",
    source: "R: Startup, EnvVar; documentation of renv and reticulate",
    names: `
      R_PROFILE* R_ENVIRON* R_HOME R_LIBS* R_DEFAULT_PACKAGES R_HISTFILE R_PDFVIEWER R_*CMD R_MAKEVARS_* R_INSTALL_TAR
      R_LD_PRELOAD R_USER R_SHARE_DIR R_DOC_DIR R_INCLUDE_DIR R_ARCH R_STARTUP_* RENV_* RETICULATE_* RSTUDIO_*`,
  },
  {
    about: "Erlang and Elixir",
    source: "erl(1), escript(1), erlc(1), mix help (environment variables), iex, mix release, Rebar3",
    names: `
      ERL_* ERLC_* ESCRIPT_* BINDIR ROOTDIR EMU PROGNAME ELIXIR_* IEX_* MIX_ARCHIVES MIX_BUILD_* MIX_DEPS_PATH MIX_EXS
      MIX_HOME MIX_PATH MIX_REBAR* MIX_XDG MIX_INSTALL_* HEX_* REBAR* RELEASE_BOOT_SCRIPT* RELEASE_PROG RELEASE_*VM_ARGS RELEASE_ROOT
      RELEASE_SYS_CONFIG RELEASE_TMP RELX_* VMARGS_PATH KERL_*`,
  },
  {
    about: "other languages",
    source:
      "their manuals: Tcl, GHC, Cabal, Stack, OCaml, opam, Julia, Dart, Swift, D, Nim, Crystal, Guile, Racket, SBCL, Prolog, Octave",
    names: `
      TCLLIBPATH TCL_LIBRARY TK_LIBRARY TCL*_TM_PATH DEJAGNU GHCRTS GHC_* STACK_YAML STACK_CONFIG CABAL_* OCAMLLIB
      CAMLLIB CAML_LD_LIBRARY_PATH OCAMLPATH OCAMLFIND_* OPAM* DUNE_WORKSPACE DUNE_BUILD_DIR DUNE_CONFIG* JULIA_LOAD_PATH JULIA_DEPOT_PATH JULIA_PROJECT
      JULIA_HISTORY DART_VM_OPTIONS PUB_HOSTED_URL FLUTTER_* SWIFT_EXEC SWIFTPM_* TOOLCHAINS DFLAGS DUB_HOME NIMBLE_DIR
      CRYSTAL_PATH CRYSTAL_LIBRARY_PATH CRYSTAL_CACHE_DIR CRYSTAL_CONFIG_* SHARDS_CACHE_PATH SHARDS_INSTALL_PATH SHARDS_OVERRIDE GUILE_* PLTUSERHOME PLTADDONDIR PLTCOLLECTS PLT_* SBCL_* CL_SOURCE_REGISTRY
      CL_LAUNCH_* ASDF_OUTPUT_TRANSLATIONS SWI_* OCTAVE_* MATLABPATH MATLAB_* MAXIMA_* SAGE_ROOT SAGE_LOCAL SAGE_RC_FILE SAGE_STARTUP_FILE IDL_STARTUP IDL_PATH`,
  },
];
