import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

/** The JDK's own HTTP server on the port given; answers who it thinks is asking, and on which address. */
class Http {
	public static void main(String[] arguments) throws Exception {
		var server = HttpServer.create(new InetSocketAddress("0.0.0.0", Integer.parseInt(arguments[0])), 16);
		server.createContext("/", exchange -> {
			var peer = exchange.getRemoteAddress();
			var own = exchange.getLocalAddress();
			var text = peer.getAddress().getHostAddress() + " " + peer.getPort() + " "
				+ own.getAddress().getHostAddress() + " " + own.getPort();
			exchange.getResponseHeaders().set("Connection", "close");
			exchange.sendResponseHeaders(200, text.length());
			exchange.getResponseBody().write(text.getBytes());
			exchange.close();
		});
		server.start();
		System.out.println(server.getAddress().getPort());
	}
}
