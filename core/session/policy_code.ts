// Files that are code, or settings by which a tool runs code, recognized by their names: they come from the
// developer's machine wherever they lie. Part of the lists of policy_default.ts, beside upstream's entries
// there. Tools look for the named files in every folder up to the root, so a target could put one where a
// tool of this machine finds it. Data that a program may treat as code (pickles, templates, SQL) is the
// target's: the program asked for it.

/** Ends of names by language; the case of letters does not count. */
const endings = `
  .cjs .mjs .ts .tsx .mts .cts .jsx .node .wasm .coffee .litcoffee .vue .svelte .astro .jsc
  .pyo .pyw .pyi .pyd .pyx .pxd .pyz .egg .whl .egg-link
  .rbw .rake .gemspec .ru .erb .rhtml .haml .slim .jbuilder .thor .podspec
  .php .phtml .phar .php3 .php4 .php5 .php7 .php8 .inc
  .pl .pm .ph .al .psgi .cgi .raku .rakumod .pm6
  .lua .luac .moon .fnl .rockspec
  .r .rdb .rdx
  .erl .hrl .beam .ex .exs .eex .heex .leex .ez .escript .boot
  .war .ear .jmod .jsa .aar .java .kt .kts .scala .groovy .gvy .gradle .clj .cljs .cljc .bb .jsp .jspx
  .exe .cs .csx .fsx .cshtml .razor .csproj .fsproj .vbproj .proj .sln .slnx .props .targets .nupkg .deps.json
  .runtimeconfig.json .rsp
  .go .rs .rlib .rmeta .c .h .cc .cpp .cxx .hpp .hh .hxx .m .mm .cu .o .a .la .s
  .swift .dart .dill .jl .nim .nims .zig .cr .hs .lhs .hi .ml .mli .cma .cmo .cmx .cmxa .cmxs .el .elc .lisp .lsp .fasl
  .scm .rkt .zo .tcl .itcl .tk .qml .typelib
  .bash .zsh .ksh .csh .tcsh .fish .nu .ps1 .psm1 .psd1 .bat .cmd .command .vim .awk .gawk .sed .jq
  .mk .mak .cmake .ninja .m4 .bzl .star .nix .tf`;

/** Settings and build files of tools; a slash stands before each name. */
const toolFiles = `
  npmrc .npmrc pnpm-workspace.yaml .pnpmfile.cjs bunfig.toml .bunfig.toml deno.json deno.jsonc tsconfig.json jsconfig.json
  .babelrc .babelrc.json babel.config.json .swcrc .eslintrc .eslintrc.json .eslintrc.yml .eslintrc.yaml .prettierrc
  .prettierrc.json .stylelintrc .stylelintrc.json .postcssrc .postcssrc.json .parcelrc .mocharc.json .mocharc.jsonc
  .mocharc.yml .mocharc.yaml .nycrc .nycrc.json .c8rc.json .lintstagedrc .lintstagedrc.json .huskyrc .releaserc
  nodemon.json angular.json nx.json lerna.json turbo.json project.json .nvmrc .node-version
  gitconfig .gitconfig .gitattributes .gitmodules hgrc .hgrc .tigrc .lfsconfig
  .bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .zshrc .zshenv .zprofile .zlogin .zlogout .kshrc
  .mkshrc .cshrc .tcshrc .login .logout .inputrc .envrc
  .vimrc _vimrc .gvimrc .exrc .nexrc .nvimrc .emacs .nanorc .tmux.conf .screenrc .lesskey .lessfilter .mailcap .mailrc .ackrc
  .ripgreprc .editrc .gdbinit .lldbinit .gdbearlyinit
  wgetrc .wgetrc .wget2rc curlrc .curlrc psqlrc .psqlrc .sqliterc .rediscli .mongorc.js .snmp.conf
  .pdbrc .pythonrc pip.conf .pypirc .pydistutils.cfg pyproject.toml setup.cfg tox.ini pytest.ini .coveragerc .pylintrc pylintrc
  mypy.ini .mypy.ini .flake8 poetry.toml uv.toml pdm.toml hatch.toml Pipfile .condarc .python-version .pre-commit-config.yaml
  ansible.cfg .ansible.cfg
  Gemfile Rakefile Guardfile Capfile Vagrantfile Berksfile Podfile Fastfile Dangerfile Brewfile Appraisals Thorfile .gemrc
  .irbrc .pryrc .rspec .rubocop.yml .rdbgrc .ruby-version .solargraph.yml
  composer.json php.ini php-cli.ini .user.ini phpunit.xml phpunit.xml.dist wp-cli.yml .php-version
  .perldb .proverc .perltidyrc .perlcriticrc cpanfile
  .Rprofile .Renviron .RData Rprofile.site Renviron.site Makevars .luarc.lua .luacheckrc .busted
  .erlang rebar.config rebar.config.script rebar.lock vm.args .formatter.exs
  pom.xml build.xml gradle.properties .sdkmanrc .java-version .sbtopts .jvmopts .mavenrc mavenrc .antrc deps.edn bb.edn
  maven-wrapper.properties gradle-wrapper.properties
  global.json nuget.config Directory.Build.rsp xunit.runner.json
  Cargo.toml rust-toolchain rust-toolchain.toml go.mod go.work go.env .golangci.yml .golangci.yaml .air.toml
  Makefile GNUmakefile BSDmakefile CMakeLists.txt CMakePresets.json CMakeUserPresets.json meson.build meson.options
  SConstruct SConscript WORKSPACE WORKSPACE.bazel MODULE.bazel BUILD.bazel .bazelrc .bazeliskrc Justfile .justfile
  Taskfile.yml Taskfile.yaml Taskfile.dist.yml Tiltfile Jenkinsfile Earthfile Procfile configure
  compose.yaml compose.yml docker-compose.yml docker-compose.yaml .terraformrc terraform.rc terragrunt.hcl
  mise.toml .mise.toml mise.local.toml .rtx.toml flake.lock stack.yaml cabal.project dune dune-project .ocamlinit .ghci
  .tclshrc .wishrc .octaverc .juliarc.jl .sbclrc .guile .swiftpm`;

/** Folders of such files: they are local with all below them, wherever they lie. */
const toolFolders = `
  .git .hg .svn .bzr .jj .cargo .mvn .gradle .m2 .bundle .yarn .pnpm-store .nuget .ssh .gnupg .direnv .mise .husky .vscode .idea
  .venv .tox .nox .ipython .jupyter .vim .emacs.d .elixir_ls .mix .hex .rebar3 .stack .opam .julia .dart_tool .swiftpm
  .terraform.d site-packages dist-packages __pycache__ __pypackages__ vendor/bundle vendor/composer`;

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Ends of names of code, and of files of tools, the latter with the slash before them. */
export const codeSuffixes: readonly string[] = [
  ...words(endings),
  ...words(toolFiles).map((name) => `/${name}`),
];

/** Patterns of the folders, and of libraries with a version. */
export const codePatterns: readonly string[] = [
  `/(?:${words(toolFolders).map((name) => name.replaceAll(".", "\\.")).join("|")})(?:/|$)`,
  "\\.so\\.[0-9]",
];
