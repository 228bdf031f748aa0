// Starts a child in the directory at the argument, as Java programs do, and prints where that child says it
// is.
import java.io.File;
import java.io.IOException;

class Children {
	public static void main(String[] arguments) throws IOException {
		Process child = new ProcessBuilder("sh", "-c", "pwd; cat file").directory(new File(arguments[0])).start();
		System.out.print(new String(child.getInputStream().readAllBytes()));
	}
}
