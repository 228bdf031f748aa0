// What gcc's analyzer reports in layer/ and is none: every exception with its reason. Used by
// analysis_test.ts, which fails on a report that is not here, and on an exception that is not reported any
// more.

/** One report: the file below layer/, the kind of warning, and why it is wrong. */
export interface Exception {
  file: string;
  kind: string;
  why: string;
}

export const exceptions: Exception[] = [
  {
    file: "preload/libc/walk.c",
    kind: "malloc-leak",
    why:
      "tsearch(3) keeps the pointer in its tree, which the analyzer does not know; the tree is freed with the walk",
  },
  {
    file: "preload/libc/scan.c",
    kind: "malloc-leak",
    why: "the entries are freed in a loop over the list, or are the app's to free (scandir(3))",
  },
  {
    file: "preload/libc/fts_glibc.c",
    kind: "malloc-leak",
    why: "what make_child() returns is linked into the list by *end, which is returned or freed as a list",
  },
  {
    file: "preload/libc/spawn_linux.c",
    kind: "use-of-uninitialized-value",
    why: "opened[] is read below opened_count only, and change() counts what it has written",
  },
];
