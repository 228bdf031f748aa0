// Looks around where it was started, as Java programs do, and starts children elsewhere: a line each.
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

class Folder {
	static void child(File folder) throws IOException {
		Process child = new ProcessBuilder("pwd").directory(folder).start();
		System.out.print(new String(child.getInputStream().readAllBytes()));
	}

	public static void main(String[] arguments) throws IOException {
		System.out.println(System.getProperty("user.dir"));
		System.out.println(Files.readString(Path.of("e")));
		System.out.println(new File("../small").length());
		System.out.println(Path.of("../link").toRealPath());
		String[] names = new File("..").list();
		Arrays.sort(names);
		System.out.println(Arrays.toString(names));
		child(null);
		child(new File("../many"));
		child(new File("/usr"));
	}
}
