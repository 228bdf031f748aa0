// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package org.jetbrains.concurrency;

public class Promises {
    public static <T> Promise<T> resolvedPromise(T result) {
        return null;
    }
}
