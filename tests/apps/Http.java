// The JDK's own HTTP server on the port given; answers who it thinks is asking, and on which address. Under
// /walk it answers what it finds of the pod by the JDK's own calls.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.StringJoiner;
import java.util.concurrent.Executors;

class Http {
	public static void main(String[] arguments) throws Exception {
		var server = HttpServer.create(new InetSocketAddress("0.0.0.0", Integer.parseInt(arguments[0])), 16);
		server.setExecutor(Executors.newCachedThreadPool());
		server.createContext("/", exchange -> {
			System.err.println("seen " + exchange.getRequestURI().getPath());
			var peer = exchange.getRemoteAddress();
			var own = exchange.getLocalAddress();
			answer(exchange, 200, peer.getAddress().getHostAddress() + " " + peer.getPort() + " "
				+ own.getAddress().getHostAddress() + " " + own.getPort());
		});
		server.createContext("/walk", exchange -> {
			try {
				answer(exchange, 200, walk(exchange.getRequestURI()));
			} catch (Exception failure) {
				failure.printStackTrace();
				answer(exchange, 500, failure.toString());
			}
		});
		server.start();
		System.out.println(server.getAddress().getPort());
	}

	private static void answer(HttpExchange exchange, int status, String text) throws java.io.IOException {
		var bytes = text.getBytes(StandardCharsets.UTF_8);
		exchange.getResponseHeaders().set("Connection", "close");
		exchange.sendResponseHeaders(status, bytes.length);
		exchange.getResponseBody().write(bytes);
		exchange.close();
	}

	private static String walk(URI uri) throws Exception {
		var query = new HashMap<String, String>();
		for (var pair : uri.getRawQuery().split("&")) {
			var parts = pair.split("=", 2);
			query.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
		}
		var addresses = new StringJoiner(",", "[", "]");
		for (var address : InetAddress.getAllByName(query.get("name"))) addresses.add(quote(address.getHostAddress()));
		var request = HttpRequest.newBuilder(URI.create(query.get("url"))).build();
		var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
		return "{\"by\":\"local\",\"variable\":" + quote(System.getenv(query.get("variable")))
			+ ",\"addresses\":" + addresses
			+ ",\"answer\":" + quote(response.body())
			+ ",\"content\":" + quote(Files.readString(Path.of(query.get("file")))) + "}";
	}

	private static String quote(String text) {
		if (text == null) return "null";
		return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
	}
}
