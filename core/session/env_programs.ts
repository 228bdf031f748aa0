// The variables by which the dynamic linker, shells, editors, version control and other tools of a machine
// run a program, load a library, or read a file of settings that can do either. Part of the list in
// env_default.ts. A wildcard stands only where no ordinary application has names of that form: GIT_COMMIT,
// MYSQL_HOST and AWS_REGION belong to applications, so the names of git, MySQL and AWS are listed one by one.

import type { VariableGroup } from "./env_group.ts";

/** A word that is neither a path nor an expression: read as a file, it is one of the working directory. */
const plainWord = /^[A-Za-z0-9][\w.-]*$|^$/;
const yesOrNo = /^(true|false|yes|no|on|off|[01])?$/i;

/** Groups of reason "code". */
export const programVariables: readonly VariableGroup[] = [
  {
    about: "dynamic linker and C library",
    source: "ld.so(8), iconv(1), catopen(3), mtrace(3), locale(7), dyld(1)",
    names: `
      LD_* DYLD_* GCONV_PATH GLIBC_TUNABLES LOCPATH MALLOC_TRACE NLSPATH NIS_PATH RESOLV_* HOSTALIASES LDEMULATION
      PROXYCHAINS_* TORSOCKS_* FAKEROOTKEY`,
  },
  {
    about: "sanitizers and profilers built into programs",
    source: "documentation of Clang (sanitizers, source-based coverage) and gcov(1)",
    names:
      `*SAN_OPTIONS *SAN_SYMBOLIZER_PATH LLVM_PROFILE_FILE LLVM_SYMBOLIZER_PATH GCOV_PREFIX GCOV_PREFIX_STRIP
      OMP_TOOL OMP_TOOL_LIBRARIES CUDA_INJECTION32_PATH CUDA_INJECTION64_PATH NVTX_INJECTION64_PATH`,
  },
  {
    about: "OpenSSL, Kerberos, SASL and hardware keys",
    source: "openssl-env(7), kerberos(7), krb5.conf(5), SASL documentation, pkcs11.conf(5), tpm2-tools(1)",
    names: `
      OPENSSL_CONF OPENSSL_CONF_INCLUDE OPENSSL_ENGINES OPENSSL_MODULES CTLOG_FILE RANDFILE SSLKEYLOGFILE KRB5_CONFIG
      KRB5_KDC_PROFILE KRB5_TRACE GSS_MECH_CONFIG SASL_PATH SASL_CONF_PATH PKCS11_MODULE_PATH PKCS11_PROVIDER_MODULE
      OPENSC_CONF SOFTHSM2_CONF *_TCTI GNUPGHOME`,
  },
  {
    about: "desktop libraries and the message bus",
    source:
      "D-Bus Specification (unixexec:), Running GTK Applications, Deploying Qt Plugins, gio, GStreamer, ALSA, Vulkan loader",
    names: `
      DBUS_* GTK_* GTK2_RC_FILES GDK_* GIO_* GI_TYPELIB_PATH GSETTINGS_* GCONF_* GST_PLUGIN_* GST_REGISTRY* GST_PRESET_PATH
      GNOME_* PANGO_RC_FILE PANGO_LIBDIR QT_* QTWEBENGINE* QML_* QML2_IMPORT_PATH QTDIR KDEHOME KDEDIRS KDE_* ALSA_CONFIG_* ALSA_PLUGIN_DIR
      LADSPA_PATH LV2_PATH FREI0R_PATH SPA_PLUGIN_DIR PIPEWIRE_* PULSE_* LIBGL_DRIVERS_PATH LIBVA_DRIVERS_PATH
      GBM_BACKENDS_PATH VDPAU_DRIVER_PATH VK_ICD_FILENAMES VK_DRIVER_FILES VK_ADD_DRIVER_FILES VK_LAYER_PATH
      VK_ADD_LAYER_PATH VK_INSTANCE_LAYERS VK_LOADER_* OCL_ICD_* OPENCL_LAYERS __EGL_* __GLX_* __NV_*
      SESSION_MANAGER XMODIFIERS`,
  },
  {
    about: "shells: the file that an interactive sh reads",
    source: "POSIX sh, ENV; dash(1), bash(1), ksh(1)",
    names: `ENV`,
    harmless: plainWord,
  },
  {
    about: "shells",
    source:
      "bash(1), dash(1), zshparam(1), zshmodules(1), ksh(1), fish(1), readline(3), documentation of Oh My Zsh and Starship",
    names: `
      BASH BASHOPTS BASH_ENV BASH_FUNC_* BASH_LOADABLES_PATH BASH_XTRACEFD CDPATH COMPREPLY EXECIGNORE FCEDIT FPATH FUNCNEST
      GLOBIGNORE HISTFILE HISTFILESIZE HISTTIMEFORMAT IFS INPUTRC MAILPATH MODULE_PATH NULLCMD   
       PROMPT_COMMAND PROMPT_DIRTRIM READNULLCMD SHELLOPTS TIMEFMT ZDOTDIR
      ZSH ZSH_CUSTOM ZSH_CACHE_DIR fish_* __fish_* STARSHIP_* OSH BASH_IT DIRENV_*`,
  },
  {
    about: "shells: prompts, which are expanded",
    source: "POSIX sh, PS1, PS2, PS4; bash(1), PROMPTING; zshparam(1)",
    names: `PS0 PS1 PS2 PS3 PS4 PROMPT PROMPT2 PROMPT3 PROMPT4 RPROMPT RPROMPT2 RPS1 RPS2 SPROMPT`,
    harmless: /^[^$`\\]*$/,
  },
  {
    about: "pagers",
    source: "less(1), more(1), man(1), git(1), psql(1), systemctl(1)",
    names: `*PAGER`,
    harmless: yesOrNo,
  },
  {
    about: "pagers: options and preprocessors",
    source: "less(1), lesskey(1), lesspipe(1), more(1), bat(1)",
    names: `
      LESS LESS_* LESSANSI* LESSBIN* LESSCHARDEF LESSCLOSE LESSECHO LESSEDIT LESSGLOBALTAGS LESSHISTFILE LESSKEY LESSKEYIN*
      LESSKEY_* LESSMETA* LESSOPEN LESSQUIET LESSSECURE LESSSEPARATOR LESSUTFBINFMT MORE BAT_CONFIG_PATH BAT_CONFIG_DIR DELTA_FEATURES`,
  },
  {
    about: "manual pages and typesetting",
    source: "man(1), manpath(1), groff(1), kpathsea(1), info(1)",
    names: `
      MANPATH MANOPT MANSECT MANROFFOPT MANROFFSEQ MANLESS MAN_TEST* MAN_DISABLE_SECCOMP MANPREPROC* GROFF_* INFOPATH TEXMF* TEXINPUTS*
      BIBINPUTS BSTINPUTS MFINPUTS LUAINPUTS CLUAINPUTS TEXFORMATS shell_escape shell_escape_commands openin_any
      openout_any TEXEDIT MFEDIT`,
  },
  {
    about: "editors and browsers",
    source: "environ(7), git-var(1), crontab(1), sudoedit(8), Python webbrowser",
    names: `*EDITOR VISUAL *BROWSER`,
    harmless: yesOrNo,
  },
  {
    about: "editors and terminal programs: settings",
    source: "vim(1) initialization, nvim(1), nvi(1), emacs(1), tmux(1), screen(1), mailcap(5), lynx(1)",
    names: `
       VIM VIMINIT VIMRUNTIME MYVIMRC MYGVIMRC GVIMINIT EXINIT NEXINIT NVIM* EMACSLOADPATH EMACSPATH EMACSDATA
      EMACSDOC EMACS_* HELIX_RUNTIME KAKOUNE_* TMUX TMUX_* SCREENRC SYSSCREENRC SCREENDIR STY MAILCAPS
      MAILCAP MAILRC MAILX* METAMAIL_* LYNX_CFG LYNX_LSS W3M_* DIALOGRC MC_XDG_OPEN MC_DATADIR MC_PROFILE_ROOT FZF_* LS_OPTIONS RIPGREP_CONFIG_PATH ACKRC ACK_OPTIONS
      VSCODE_* ELECTRON_* EDITRC`,
  },
  {
    about: "remote shells and asking for passwords",
    source: "ssh(1), ssh-add(1), rsync(1), sudo(8), tar(1), cvs(1), pass(1)",
    names: `
      *_ASKPASS SSH_ASKPASS_REQUIRE SSH_SK_PROVIDER SSH_SK_HELPER SSH_PKCS11_HELPER *_RSH RSH SVN_SSH RSYNC_CONNECT_PROG
      RSYNC_SHELL RSYNC_PROXY RMT *PASSCOMMAND *_PASSWORD_COMMAND PASSWORD_STORE_* SOPS_*_CMD BORG_REMOTE_PATH BORG_CONFIG_DIR BORG_BASE_DIR RCLONE_CONFIG
      RCLONE_*_SSH RCLONE_METADATA_MAPPER`,
  },
  {
    about: "git",
    source: "git(1), git-config(1), gitattributes(5), documentation of Git LFS and Git Credential Manager",
    names: `
      GIT_ALLOW_PROTOCOL GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_ASKPASS GIT_ATTR_* GIT_CEILING_DIRECTORIES GIT_COMMON_DIR
      GIT_CONFIG GIT_CONFIG_* GIT_CURL_* GIT_DEFAULT_HASH GIT_DIFFTOOL_* GIT_DIFF_* GIT_DIR
      GIT_DISCOVERY_ACROSS_FILESYSTEM GIT_EXEC_PATH GIT_EXTERNAL_DIFF GIT_EXT_* GIT_GRAFT_FILE GIT_GUI* GIT_HTTP_* GIT_INDEX_*
      GIT_INTERNAL_* GIT_LFS_* GIT_MAN_VIEWER GIT_MERGETOOL_* GIT_NAMESPACE GIT_NO_LAZY_FETCH GIT_OBJECT_DIRECTORY
      GIT_PAGER* GIT_PREFIX GIT_PROTOCOL_FROM_USER GIT_PROXY_* GIT_QUARANTINE_PATH GIT_REDIRECT_* GIT_REPLACE_REF_BASE
      GIT_SHALLOW_FILE GIT_SHELL_PATH GIT_SSH GIT_SSH_* GIT_SSL_* GIT_TEMPLATE_DIR GIT_TEST_* GIT_TEXTDOMAINDIR GIT_TRACE*
      GIT_TRANSPORT_HELPER_* GIT_WORK_TREE GITK_* GITWEB_* GCM_* TIGRC_* HUB_CONFIG`,
  },
  {
    about: "other version control",
    source: "hg(1), svn(1), cvs(1), bzr(1), documentation of Perforce, Fossil, Darcs, Jujutsu",
    names: `
      HG HGRCPATH HGMERGE HGPLAIN HGPLAINEXCEPT HGDEMANDIMPORT SVN_MERGE CVSROOT CVS_SERVER BZR_* BZRPATH BRZ_* P4CONFIG
      P4DIFF P4MERGE P4ENVIRO FOSSIL_* DARCS_* JJ_CONFIG`,
  },
  {
    about: "archives and compression",
    source: "tar(1), zip(1) -TT, unzip(1), zipinfo(1), xz(1), gzip(1), 7z(1)",
    names: `TAR TAR_OPTIONS TAPE ZIPOPT UNZIP UNZIPOPT ZIPINFO ZIPINFOOPT BZIP2 XZ_OPT XZ_DEFAULTS UNRAR
      RAR LZOP`,
  },
  {
    about: "text, search and job control",
    source: "gawk(1), grep(1), parallel(1), patch(1), file(1)",
    names: `AWKPATH AWKLIBPATH AWKBUFSIZE GAWK_* GREP_OPTIONS PARALLEL_* PATCH_GET DIFFPROG JQ_LIBRARY_PATH
      ANSIBLE_* WATCHMAN_*`,
  },
  {
    about: "options of GNU parallel, zip, gzip and bzip2",
    source: "parallel(1), zip(1), gzip(1), bzip2(1)",
    names: `PARALLEL ZIP GZIP BZIP`,
    harmless: plainWord,
  },
  {
    about: "downloads",
    source: "curl(1), wget(1), wget2(1), aria2c(1), HTTPie documentation",
    names:
      `CURL_HOME WGETRC SYSTEM_WGETRC WGET2RC SYSTEM_WGET2RC WGET2_PLUGINS WGET2_PLUGIN_DIR HTTPIE_CONFIG_DIR`,
  },
  {
    about: "clients of databases",
    source:
      "psql(1), pg_wrapper(1), sqlite3(1), mysql(1), MySQL C API (plugins), isql(1), redis-cli(1), SNMP snmp_config(5)",
    names: `
      PSQLRC PSQL_* PGSYSCONFDIR PGLOCALEDIR PGCLUSTER PG_CLUSTER_CONF_ROOT PG_CONFIG MYSQL_HOME MYSQL_HISTFILE MYSQL_PS1
      MYSQL_TEST_LOGIN_FILE MYSQL_GROUP_SUFFIX MYSQL_CONFIG LIBMYSQL_* MARIADB_PLUGIN_DIR MARIADB_CONFIG MARIADB_HOME
      SQLITE_HISTORY REDISCLI_RCFILE REDISCLI_HISTFILE ODBCINI ODBCSYSINI ODBCINSTINI SNMPCONFPATH SNMPDLMODPATH
      SNMP_PERSISTENT_FILE SNMP_PERSISTENT_DIR`,
  },
  {
    about: "clouds and clusters",
    source:
      "AWS CLI (credential_process), kubectl (exec plugins, external diff), Helm, gcloud topic startup, Azure CLI, Vault token helpers, " +
      "external account credentials of Google",
    names: `
      AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_DATA_PATH AWS_CLI_* AWS_VAULT* SAML2AWS_* KUBECONFIG KUBECTL_* KUBERC
      KREW_ROOT K9S* KUSTOMIZE_PLUGIN_HOME HELM_PLUGINS HELM_*_HOME HELM_BIN HELM_REGISTRY_CONFIG HELM_REPOSITORY_* HELMFILE_* SKAFFOLD_* CLOUDSDK_* BOTO_CONFIG BOTO_PATH GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES
      AZURE_CONFIG_DIR AZURE_EXTENSION_DIR AZD_CONFIG_DIR VAULT_CONFIG_PATH GH_CONFIG_DIR GH_PATH GLAB_CONFIG_DIR
      S3CMD_CONFIG OCI_CLI_CONFIG_FILE OCI_CLI_RC_FILE `,
  },
  {
    about: "containers",
    source:
      "docker(1) (credential stores, plugins), containers.conf(5), containers-auth.json(5), docker compose",
    names: `
      DOCKER_CONFIG DOCKER_CONTEXT DOCKER_CLI_* DOCKER_CUSTOM_* DOCKER_DEFAULT_PLATFORM COMPOSE_* BUILDX_* CONTAINERS_CONF* CONTAINERS_STORAGE_CONF CONTAINERS_REGISTRIES_*
      CONTAINER_CONNECTION REGISTRY_AUTH_FILE PODMAN_* NERDCTL_* LIMA_*`,
  },
  {
    about: "infrastructure as code",
    source: "Terraform CLI, OpenTofu, Terragrunt, Packer, Vagrant, Pulumi",
    names: `
      TF_CLI_* TF_DATA_DIR TF_PLUGIN_CACHE_DIR TF_REATTACH_PROVIDERS TF_LOG_PATH TERRAFORM_CONFIG TERRAGRUNT_* TG_TF_PATH TG_CONFIG TG_DOWNLOAD_DIR
      PACKER_* VAGRANT_* PULUMI_HOME CHEF_HOME CHEF_CONFIG* KNIFE_HOME`,
  },
  {
    about: "packages of the system",
    source: "apt.conf(5), dpkg(1), rpm(8), brew(1), nix(1), guix(1)",
    names: `
      APT_CONFIG APT_* DPKG_* DEBCONF_* RPM_CONFIGDIR RPM_ETCCONFIGDIR HOMEBREW_* NIX_PATH NIX_CONFIG NIX_CONF_DIR NIX_USER_CONF_FILES NIX_REMOTE
      NIX_BUILD_* NIX_SSHOPTS NIX_PROFILES NIX_STORE_DIR GUIX_* FLATPAK_* SYSTEMD_* ASDF_* MISE_* RTX_DATA_DIR RTX_CONFIG_* SDKMAN_* NVM_DIR`,
  },
  {
    about: "pictures, documents and media",
    source:
      "ImageMagick (delegates.xml, modules), gs(1), gnuplot(1), dot(1), GDAL drivers, ffmpeg(1), xmlcatalog(1)",
    names: `
      MAGICK_HOME MAGICK_*PATH GS_LIB GS_OPTIONS GS_DEVICE GS_FONTPATH GNUPLOT_* GVBINDIR GDAL_DRIVER_PATH
      GDAL_PYTHON_DRIVER_PATH GDAL_VRT_ENABLE_PYTHON GDAL_CONFIG_FILE FFREPORT UNO_PATH URE_BOOTSTRAP XML_CATALOG_FILES
      SGML_CATALOG_FILES`,
  },
  {
    about: "debuggers and tracers",
    source: "gdb(1), lldb(1), valgrind(1), perf(1), rr(1), strace(1), debuginfod-find(1)",
    names: `GDBHISTFILE LLDB_* VALGRIND_* DEBUGINFOD_* PERF_CONFIG PERF_EXEC_PATH PERF_BUILDID_DIR _RR_*`,
  },
  {
    about: "message passing between machines",
    source: "mpirun(1), MCA parameters of Open MPI, Hydra of MPICH, NCCL plugins",
    names: `OMPI_* PMIX_* PRTE_* HYDRA_* I_MPI_* NCCL_*_PLUGIN NCCL_CONF_FILE UCX_MODULE_DIR`,
  },
  {
    about: "mirrord itself",
    source: "docs/configuration.md",
    names: `MIRRORD_*`,
  },
];
