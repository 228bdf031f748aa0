// Looks the hosts of the arguments up as Java programs do, and prints what comes: a line each.
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.stream.Stream;

class Names {
    static String all(String host) {
        try {
            return Arrays.toString(InetAddress.getAllByName(host));
        } catch (UnknownHostException error) {
            return error.getMessage();
        }
    }

    public static void main(String[] hosts) throws Exception {
        for (String host : hosts) System.out.println(host + " " + all(host));
        System.out.println(InetAddress.getByAddress(new byte[] {(byte) 192, 0, 2, 1}).getHostName());
        System.out.println(InetAddress.getLocalHost().getHostName());
        System.out.println(Arrays.toString(Stream.of(hosts).parallel().map(Names::all).toArray()));
    }
}
