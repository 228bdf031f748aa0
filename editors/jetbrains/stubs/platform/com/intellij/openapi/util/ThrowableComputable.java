// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.util;

public interface ThrowableComputable<T, E extends Throwable> {
    T compute() throws E;
}
