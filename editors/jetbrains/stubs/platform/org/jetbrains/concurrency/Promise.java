// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package org.jetbrains.concurrency;

public interface Promise<T> {}
