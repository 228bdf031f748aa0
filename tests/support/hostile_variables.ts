// Variables by which a target would run its own code in ordinary programs of a developer's machine, each with
// a program that obeys it. Used by tests/attack/target_env_test.ts. Invariant: what runs leaves a file named
// after its case in the canary folder, and nothing else does.

/** Where a case's things lie. */
export interface Places {
  /** The target's folder of files, of a path that is the target's by every rule. */
  evil: string;
  /** This machine's folder in which code that ran leaves a file. */
  canary: string;
}

/** One program and what makes it run the target's code. */
export interface HostileCase {
  /** Its file in the canary folder. */
  name: string;
  /** What must be installed. */
  program: string;
  /** Run in a folder that `prepared` filled; a shell between would drop variables with odd names. */
  command: string[];
  variables: Record<string, string>;
}

/** Shell commands that fill the working folder once: a repository, a key, a Java class … */
export const prepared = `
git init -q . && git config user.name a && git config user.email a@a.test
echo one >tracked && git add tracked && git commit -qm one && echo two >>tracked
echo text >text; printf 'int x;\\n' >x.c; printf 'all:\\n\\t@echo made\\n' >Makefile
ssh-keygen -q -t ed25519 -N secret -f key
printf 'public class Hello { public static void main(String[] a) {} }\\n' >Hello.java && javac Hello.java
printf '.TH A 1\\n' >page.1; printf '<?php echo 1;\\n' >page.php; printf 'BEGIN { print 1 }\\n' >one.awk
printf '{"name":"a","version":"1.0.0","scripts":{"start":"node -e 0"}}' >package.json
mkdir -p lists/partial archives/partial home
`;

/**
 * Shell commands that fill the target's folder, and this machine's for the proof that a case works at all.
 */
export function hostileFiles({ evil, canary }: Places): string {
  const touch = (name: string) => `touch ${canary}/${name}`;
  const file = (path: string, text: string, mode = "644") =>
    `mkdir -p ${evil}/${path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "."}\n` +
    `cat >${evil}/${path} <<'HOSTILE'\n${text}\nHOSTILE\nchmod ${mode} ${evil}/${path}`;
  const script = (path: string, name: string) => file(path, `#!/bin/sh\n${touch(name)}\necho x`, "755");
  const node = (name: string) => `require("fs").writeFileSync("${canary}/${name}", "")`;
  const ruby = (name: string) => `system("${touch(name)}")`;
  return [
    file("sh-env", touch("sh-ENV")),
    file("bash-env", touch("bash-BASH_ENV")),
    file("dash-env", touch("dash-ENV")),
    file("zsh/.zshenv", touch("zsh-ZDOTDIR")),
    file("python/sitecustomize.py", `import os; os.system("${touch("python-PYTHONPATH")}")`),
    file("startup.txt", `import os; os.system("${touch("python-PYTHONSTARTUP")}")`),
    file("node.txt", node("node-NODE_OPTIONS")),
    file("npm-node.txt", node("npm-PREFIX")),
    file("npm-user.txt", node("npm-USERCONFIG")),
    file("npm-mixed.txt", node("npm-mixed")),
    file("prefix/etc/npmrc", `node-options=--require=${evil}/npm-node.txt`),
    file("user-npmrc.txt", `node-options=--require=${evil}/npm-user.txt`),
    file("bun.ts", node("bun-BUN_OPTIONS")),
    file("gitconfig.txt", `[core]\n\tfsmonitor = ${touch("git-GIT_CONFIG_GLOBAL")}`),
    file("xdg/git/config", `[core]\n\tfsmonitor = ${touch("git-XDG_CONFIG_HOME")}`),
    file("xdg/tmux/tmux.conf", `run-shell "${touch("tmux-XDG_CONFIG_HOME")}"`),
    script("askpass", "ssh-SSH_ASKPASS"),
    script("git-ssh", "git-GIT_SSH"),
    script("python-run", "pip-PIP_PYTHON"),
    script("tools/as", "gcc-COMPILER_PATH"),
    script("tools/cc1", "gcc-COMPILER_PATH"),
    file("rules.txt", `$(shell ${touch("make-MAKEFILES")})`),
    file("Evil.pm", `system("${touch("perl-PERL5OPT")}"); 1;`),
    file("pg/Evil2.pm", `system("${touch("psql-PERL5OPT")}"); 1;`),
    file("evil.rb", ruby("ruby-RUBYOPT")),
    file("irbrc.txt", ruby("irb-IRBRC")),
    file("rake.txt", ruby("rake-RAKEOPT")),
    file("php/php.ini", `auto_prepend_file=${evil}/php/prepend.txt`),
    file("php/prepend.txt", `<?php touch("${canary}/php-PHPRC");`),
    file("php/conf/x.ini", `auto_prepend_file=${evil}/php/prepend2.txt`),
    file("php/prepend2.txt", `<?php touch("${canary}/php-PHP_INI_SCAN_DIR");`),
    file("curl/.curlrc", `output = "${canary}/curl-CURL_HOME"`),
    file("wgetrc.txt", `output_document = ${canary}/wget-WGETRC`),
    file("wgetrc2.txt", `output_document = ${canary}/wget-SYSTEM_WGETRC`),
    file("awk/one", `BEGIN { system("${touch("gawk-AWKPATH")}") }`),
    file("lua.txt", `os.execute("${touch("lua-LUA_INIT_5_4")}")`),
    file("lua/evil.txt", `os.execute("${touch("lua-LUA_PATH")}")`),
    file("tcl/init.tcl", `exec touch ${canary}/tclsh-TCL_LIBRARY`),
    file("apt.txt", `APT::Update::Pre-Invoke {"${touch("apt-APT_CONFIG")}";};`),
    file(
      "openssl.txt",
      `openssl_conf = a\n[a]\nengines = b\n[b]\nevil = c\n[c]\ndynamic_path = ${evil}/openssl.so\ninit = 0`,
    ),
    library({ evil, canary }, "openssl", "openssl-OPENSSL_CONF"),
    library({ evil, canary }, "preload", "any-LD_PRELOAD"),
    library({ evil, canary }, "plugin", "clang-CCC_OVERRIDE_OPTIONS"),
    library({ evil, canary }, "gconv/EVIL", "iconv-GCONV_PATH"),
    file("gconv/gconv-modules", "module EVIL// INTERNAL EVIL 1\nmodule INTERNAL EVIL// EVIL 1"),
    `mkdir -p ${evil}/java && cat >${evil}/java/Evil.java <<'HOSTILE'
public class Evil {
  public static void premain(String name) throws Exception { new java.io.File("${canary}/" + name).createNewFile(); }
}
HOSTILE
cat >${evil}/java/Hello.java <<'HOSTILE'
public class Hello {
  public static void main(String[] a) throws Exception { new java.io.File("${canary}/java-CLASSPATH").createNewFile(); }
}
HOSTILE
(cd ${evil}/java && javac Evil.java Hello.java && printf 'Premain-Class: Evil\\n' >manifest && jar cfm ../agent.txt manifest Evil.class && jar cf ../hello.txt Hello.class)`,
  ].join("\n");
}

function library({ evil, canary }: Places, path: string, name: string): string {
  const code =
    `#include <fcntl.h>\\n__attribute__((constructor)) static void run(void) { open("${canary}/${name}", O_CREAT | O_WRONLY, 0644); }\\n`;
  return `mkdir -p ${evil}/gconv && printf '${code}' | gcc -shared -fPIC -o ${evil}/${path}.so -xc -`;
}

/** The cases; `npm` and `bun` are the programs' files. */
export function hostileCases(
  { evil, canary }: Places,
  programs: { npm: string; bun: string },
): HostileCase[] {
  const touch = (name: string) => `touch ${canary}/${name}`;
  const one = (
    name: string,
    command: string,
    variables: Record<string, string>,
    terminal?: true,
  ): HostileCase => ({
    name,
    program: name.slice(0, name.indexOf("-")),
    command: terminal === true
      ? ["sh", "-c", `printf qqq | script -qec "$0" /dev/null`, command] // pagers wait for a key
      : /[|'"]/.test(command)
      ? ["sh", "-c", command]
      : command.split(" "),
    variables,
  });
  const fsmonitor = (name: string) => ({
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.fsmonitor",
    GIT_CONFIG_VALUE_0: touch(name),
  });
  const agent = (name: string) => `-javaagent:${evil}/agent.txt=${name}`;
  return [
    one("python3-PYTHONWARNINGS", "python3 -c pass", {
      PYTHONWARNINGS: "all:0:antigravity.x:0:0",
      BROWSER: `${touch("python3-PYTHONWARNINGS")} %s`,
    }),
    one("python-PYTHONPATH", "/usr/bin/python3 -c pass", { PYTHONPATH: `${evil}/python` }),
    one("python-PYTHONSTARTUP", "echo | /usr/bin/python3 -i", { PYTHONSTARTUP: `${evil}/startup.txt` }),
    one("pip-PIP_PYTHON", "/usr/bin/python3 -m pip list", { PIP_PYTHON: `${evil}/python-run` }),
    one("node-NODE_OPTIONS", "node -e 0", { NODE_OPTIONS: `--require=${evil}/node.txt` }),
    one("npm-PREFIX", `node ${programs.npm} start`, { PREFIX: `${evil}/prefix` }),
    one("npm-USERCONFIG", `node ${programs.npm} start`, { NPM_CONFIG_USERCONFIG: `${evil}/user-npmrc.txt` }),
    one("npm-mixed", `node ${programs.npm} start`, {
      Npm_Config_Node_Options: `--require=${evil}/npm-mixed.txt`,
    }),
    one("bun-BUN_OPTIONS", `${programs.bun} -e 0`, { BUN_OPTIONS: `--preload ${evil}/bun.ts` }),
    one("git-GIT_CONFIG_COUNT", "git status", fsmonitor("git-GIT_CONFIG_COUNT")),
    one("git-GIT_CONFIG_GLOBAL", "git status", { GIT_CONFIG_GLOBAL: `${evil}/gitconfig.txt` }),
    one("git-XDG_CONFIG_HOME", "git status", { XDG_CONFIG_HOME: `${evil}/xdg` }),
    one("git-GIT_EXTERNAL_DIFF", "git diff", { GIT_EXTERNAL_DIFF: `${touch("git-GIT_EXTERNAL_DIFF")} #` }),
    one("git-GIT_SSH_COMMAND", "git ls-remote ssh://a@127.0.0.1:9/x", {
      GIT_SSH_COMMAND: `${touch("git-GIT_SSH_COMMAND")} #`,
    }),
    one("git-GIT_SSH", "git ls-remote ssh://a@127.0.0.1:9/x", { GIT_SSH: `${evil}/git-ssh` }),
    one("git-GIT_EDITOR", "git commit -a", { GIT_EDITOR: `${touch("git-GIT_EDITOR")} #` }),
    one("git-VISUAL", "git commit -a", { VISUAL: `${touch("git-VISUAL")} #`, TERM: "xterm" }),
    one("git-GIT_PAGER", "git log", { GIT_PAGER: `${touch("git-GIT_PAGER")} #` }, true),
    one("git-PAGER", "git log", { PAGER: `${touch("git-PAGER")} #` }, true),
    one("ssh-SSH_ASKPASS", "ssh-keygen -y -f key", {
      SSH_ASKPASS: `${evil}/askpass`,
      SSH_ASKPASS_REQUIRE: "force",
    }),
    one("rsync-RSYNC_RSH", "rsync a@127.0.0.1:x .", {
      RSYNC_RSH: `sh -c "${touch("rsync-RSYNC_RSH")}"`,
    }),
    one("make-MAKEFLAGS", "make", { MAKEFLAGS: `--eval=$$(shell\\ touch\\ ${canary}/make-MAKEFLAGS)` }),
    one("make-GNUMAKEFLAGS", "make", {
      GNUMAKEFLAGS: `--eval=$$(shell\\ touch\\ ${canary}/make-GNUMAKEFLAGS)`,
    }),
    one("make-MAKEFILES", "make", { MAKEFILES: `${evil}/rules.txt` }),
    one("make-CC", "make -B x.o", { CC: `${touch("make-CC")} #` }),
    one("make-SHELLFLAGS", "make", { ".SHELLFLAGS": `-c '${touch("make-SHELLFLAGS")}'` }),
    one("gcc-COMPILER_PATH", "gcc -c -o /dev/null x.c", { COMPILER_PATH: `${evil}/tools` }),
    one("clang-CCC_OVERRIDE_OPTIONS", "clang -c -o /dev/null x.c", {
      CCC_OVERRIDE_OPTIONS: `+-fplugin=${evil}/plugin.so`,
    }),
    one("tar-TAR_OPTIONS", "tar cf /dev/null text", {
      TAR_OPTIONS: `--checkpoint=1 --checkpoint-action=exec=touch\\ ${canary}/tar-TAR_OPTIONS`,
    }),
    one("zip-ZIPOPT", "zip -q out.zip text", { ZIPOPT: `-T -TT touch\${IFS}${canary}/zip-ZIPOPT;#` }),
    one("bash-BASH_ENV", "bash -c true", { BASH_ENV: `${evil}/bash-env` }),
    one("bash-BASH_FUNC", "bash -c ls", { "BASH_FUNC_ls%%": `() { ${touch("bash-BASH_FUNC")}; }` }),
    one("bash-PROMPT_COMMAND", "echo | bash --norc -i", { PROMPT_COMMAND: touch("bash-PROMPT_COMMAND") }),
    one("sh-ENV", "echo | sh -i", { ENV: `${evil}/sh-env` }),
    one("sh-PS1", "echo | sh -i", { PS1: `$(${touch("sh-PS1")})` }),
    one("zsh-ZDOTDIR", "zsh -c true", { ZDOTDIR: `${evil}/zsh` }),
    one("less-LESSOPEN", "less text", { LESSOPEN: `|${touch("less-LESSOPEN")}; cat %s` }),
    one("less-LESS", "less text", { LESS: `+!${touch("less-LESS")}\nq` }, true),
    one("man-MANPAGER", "man -l page.1", { MANPAGER: touch("man-MANPAGER") }, true),
    one("perl-PERL5OPT", "perl -e 1", { PERL5OPT: "-MEvil", PERL5LIB: evil }),
    one("perl-PERL5DB", "perl -d -e 1", { PERL5DB: `BEGIN { system("${touch("perl-PERL5DB")}"); exit }` }),
    one("psql-PERL5OPT", "psql --version", { PERL5OPT: "-MEvil2", PERL5LIB: `${evil}/pg` }),
    one("ruby-RUBYOPT", "ruby -e 1", { RUBYOPT: `-r${evil}/evil` }),
    one("irb-IRBRC", "echo | irb", { IRBRC: `${evil}/irbrc.txt` }),
    one("rake-RAKEOPT", "rake", { RAKEOPT: `-f ${evil}/rake.txt` }),
    one("php-PHPRC", "php page.php", { PHPRC: `${evil}/php` }),
    one("php-PHP_INI_SCAN_DIR", "php page.php", { PHP_INI_SCAN_DIR: `${evil}/php/conf` }),
    one("java-JAVA_TOOL_OPTIONS", "java Hello", { JAVA_TOOL_OPTIONS: agent("java-JAVA_TOOL_OPTIONS") }),
    one("java-JDK_JAVA_OPTIONS", "java Hello", { JDK_JAVA_OPTIONS: agent("java-JDK_JAVA_OPTIONS") }),
    one("java-CLASSPATH", "java Hello", { CLASSPATH: `${evil}/hello.txt` }),
    one("javac-JAVA_TOOL_OPTIONS", "javac -d home Hello.java", {
      JAVA_TOOL_OPTIONS: agent("javac-JAVA_TOOL_OPTIONS"),
    }),
    one("curl-CURL_HOME", "curl -s file:///etc/hostname", { CURL_HOME: `${evil}/curl` }),
    one("wget-WGETRC", "wget --tries=1 --timeout=1 http://127.0.0.1:9/", { WGETRC: `${evil}/wgetrc.txt` }),
    one("wget-SYSTEM_WGETRC", "wget --tries=1 --timeout=1 http://127.0.0.1:9/", {
      SYSTEM_WGETRC: `${evil}/wgetrc2.txt`,
    }),
    one("openssl-OPENSSL_CONF", "openssl rand -hex 1", { OPENSSL_CONF: `${evil}/openssl.txt` }),
    one("gawk-AWKPATH", "gawk -f one", { AWKPATH: `${evil}/awk` }),
    one("lua-LUA_INIT", "lua5.4 -e 'x=1'", { LUA_INIT: `os.execute("${touch("lua-LUA_INIT")}")` }),
    one("lua-LUA_INIT_5_4", "lua5.4 -e 'x=1'", { LUA_INIT_5_4: `@${evil}/lua.txt` }),
    one("lua-LUA_PATH", "lua5.4 -e 'require \"evil\"'", { LUA_PATH: `${evil}/lua/?.txt` }),
    one("tclsh-TCL_LIBRARY", "echo | tclsh", { TCL_LIBRARY: `${evil}/tcl` }),
    one("tmux-XDG_CONFIG_HOME", "tmux -S tmux.sock new-session -d true", { XDG_CONFIG_HOME: `${evil}/xdg` }),
    one("vi-VIMINIT", "vi -c qa! text", { VIMINIT: `silent !${touch("vi-VIMINIT")}` }, true),
    one("vi-EXINIT", "vi -c qa! text", { EXINIT: `silent !${touch("vi-EXINIT")}` }, true),
    one(
      "apt-APT_CONFIG",
      "apt-get update -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=lists -o Dir::Cache=archives",
      { APT_CONFIG: `${evil}/apt.txt` },
    ),
    one("iconv-GCONV_PATH", "echo a | iconv -f UTF-8 -t EVIL", { GCONV_PATH: `${evil}/gconv` }),
    ...[
      "nginx -v",
      "redis-cli -v",
      "sed p text",
      "awk 1 text",
      "grep -c t text",
      "find text",
      "sqlite3 -version",
      "deno --version",
    ].map((command) => {
      const program = command.slice(0, command.indexOf(" "));
      const variables = { LD_PRELOAD: `${evil}/preload.so` };
      return { ...one(`${program}-LD_PRELOAD`, command, variables), name: "any-LD_PRELOAD" };
    }),
  ];
}
