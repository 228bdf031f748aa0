// Reads and writes what a run configuration holds, by the names of its methods: the types belong to plugins
// of the IDE that may not be there.

package mirrord.editor;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** Public methods alone, so nothing is opened by force. */
final class Reach {
    private Reach() {}

    /** What `methods` give, each called on what the one before gave; null where one lacks or gives null. */
    static Object get(Object from, String... methods) {
        Object at = from;
        for (String name : methods) {
            if (at == null) return null;
            at = call(at, name);
        }
        return at;
    }

    /** Calls the setter `name`, whose one parameter takes `value`; false: there is none. */
    static boolean set(Object on, String name, Object value) {
        for (Method method : on.getClass().getMethods()) {
            if (!method.getName().equals(name) || method.getParameterCount() != 1) continue;
            if (value != null && !method.getParameterTypes()[0].isInstance(value)) continue;
            try {
                method.setAccessible(true); // a public method of a class that is not
                method.invoke(on, value);
                return true;
            } catch (IllegalAccessException | InvocationTargetException | RuntimeException refused) {
                return false;
            }
        }
        return false;
    }

    /** Calls a static method of a class that lies beside the one of `neighbour`; null where there is none. */
    static Object callStatic(Object neighbour, String className, String name, Object argument) {
        try {
            Class<?> own = neighbour.getClass();
            Class<?> type = Class.forName(own.getPackageName() + "." + className, true, own.getClassLoader());
            for (Method method : type.getMethods()) {
                if (!method.getName().equals(name) || method.getParameterCount() != 1) continue;
                if (method.getParameterTypes()[0].isInstance(argument)) return method.invoke(null, argument);
            }
        } catch (ReflectiveOperationException | RuntimeException | LinkageError none) {
            // Another version of that plugin.
        }
        return null;
    }

    private static Object call(Object on, String name) {
        try {
            Method method = on.getClass().getMethod(name);
            method.setAccessible(true);
            return method.invoke(on);
        } catch (ReflectiveOperationException | RuntimeException none) {
            return null;
        }
    }
}
