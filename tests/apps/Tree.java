// Reads, lists and changes the tree at args[0] in the ways of Java programs, and prints what it sees of it.
import java.io.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.nio.file.attribute.*;
import java.util.*;
import java.util.stream.*;

class Tree {
	static void fails(Callable call) {
		try {
			call.call();
			System.out.println("no error");
		} catch (Exception e) {
			System.out.println(e.getClass().getSimpleName());
		}
	}

	interface Callable {
		void call() throws Exception;
	}

	public static void main(String[] args) throws Exception {
		Path root = Path.of(args[0]);
		System.out.println(Files.readString(root.resolve("small")) + Files.size(root.resolve("big")));
		try (BufferedReader reader = new BufferedReader(new FileReader(args[0] + "/big"))) {
			System.out.println(reader.lines().count());
		}
		try (RandomAccessFile file = new RandomAccessFile(args[0] + "/big", "r")) {
			file.seek(1000);
			System.out.println(file.readLine() + file.length() + file.getFilePointer());
		}
		try (FileChannel channel = FileChannel.open(root.resolve("big"))) {
			MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
			System.out.println(mapped.get(100) + " " + mapped.capacity());
		}
		try (Stream<Path> paths = Files.walk(root)) {
			System.out.println(paths.map(Path::toString).sorted().limit(20).collect(Collectors.joining(" ")));
		}
		System.out.println(Arrays.stream(new File(args[0]).list()).sorted().toList());
		PosixFileAttributes looks = Files.readAttributes(root.resolve("small"), PosixFileAttributes.class);
		System.out.println(looks.permissions() + " " + looks.size() + " " + looks.lastModifiedTime());
		System.out.println(Files.isSymbolicLink(root.resolve("link")) + " " + root.resolve("link").toRealPath());
		fails(() -> Files.readString(root.resolve("none")));
		fails(() -> Files.createDirectory(root.resolve("d")));
		fails(() -> Files.delete(root.resolve("d")));
		Path made = Files.createDirectory(root.resolve("j"));
		Files.writeString(made.resolve("x"), "abc");
		Files.writeString(made.resolve("x"), "def", StandardOpenOption.APPEND);
		Files.copy(root.resolve("big"), made.resolve("big"));
		Files.move(made.resolve("x"), made.resolve("y"));
		Files.setPosixFilePermissions(made.resolve("y"), PosixFilePermissions.fromString("rw-------"));
		Files.setLastModifiedTime(made.resolve("y"), FileTime.fromMillis(2000));
		System.out.println(Files.readString(made.resolve("y")) + Files.size(made.resolve("big")));
		System.out.println(Files.getLastModifiedTime(made.resolve("y")));
		try (FileChannel channel = FileChannel.open(made.resolve("y"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
			channel.write(ByteBuffer.wrap("XY".getBytes(StandardCharsets.UTF_8)), 1);
			channel.truncate(4);
			channel.force(true);
		}
		System.out.println(Files.readString(made.resolve("y")));
		try (Stream<Path> paths = Files.walk(made)) {
			for (Path path : paths.sorted(Comparator.reverseOrder()).toList())
				Files.delete(path);
		}
		System.out.println(Files.exists(made));
	}
}
