// Prints the network interfaces and their addresses, and the one that the host's own name leads to.
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.Collections;
import java.util.TreeSet;

public class Interfaces {
    public static void main(String[] args) throws Exception {
        for (NetworkInterface one : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            TreeSet<String> addresses = new TreeSet<>();
            Collections.list(one.getInetAddresses()).forEach(address -> addresses.add(address.getHostAddress()));
            System.out.println(one.getName() + " " + one.getIndex() + " " + one.getMTU() + " " + one.isUp() + " " + addresses);
        }
        InetAddress own = InetAddress.getByName(args[0]);
        System.out.println(own.getHostAddress() + " " + NetworkInterface.getByInetAddress(own));
    }
}
