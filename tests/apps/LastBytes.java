/** Sends bytes, closes and ends: host port size. */
final class LastBytes {
  public static void main(String[] args) throws Exception {
    try (java.net.Socket socket = new java.net.Socket(args[0], Integer.parseInt(args[1]))) {
      socket.getOutputStream().write(new byte[Integer.parseInt(args[2])]);
    }
    System.exit(0);
  }
}
