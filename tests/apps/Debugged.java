/**
 * A program that a debugger attaches to, for tests/program/debuggers_test.ts: it ends once its field was
 * changed.
 */
public class Debugged {
    static volatile boolean goes = true;

    static void step() throws InterruptedException {
        Thread.sleep(50);
    }

    public static void main(String[] arguments) throws InterruptedException {
        System.out.println("runs");
        while (goes) {
            step();
        }
        System.out.println("went on");
    }
}
